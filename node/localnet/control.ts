/**
 * What a localnet lets a tester do that no real network does: mint, move time, go back.
 *
 * `POST /control/faucet {"address","amount"}`, `time {"advanceSeconds"}`, `snapshot {"name"}`,
 * `restore {"name"}`, `reset {}`; `GET /control/totals` and `/control/status`. Snapshots live in
 * memory and go with the process.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { parseNano } from '../../contracts/base/units.ts'
import type { Ledger, LedgerSnapshot } from './ledger.ts'
import * as read from './params.ts'
import type { Controls } from './routes.ts'

export function createControls(ledger: Ledger): Controls {
  const snapshots = new Map<string, LedgerSnapshot>()
  return {
    faucet: async (params) => {
      const to = read.address(params)
      const amount = parseNano(read.text(params, 'amount'))
      if (amount === 0n || amount > LIMITS.faucetNano) {
        throw new MarketError('bad-input', { field: 'amount', most: LIMITS.faucetNano })
      }
      const { lt, hash } = await ledger.mint(to, amount)
      return { lt: lt.toString(), hash: hash.toString('base64') }
    },
    time: (params) => {
      const bounds = { least: 1, most: LIMITS.localnetAdvanceS }
      ledger.advance(read.integer(params, 'advanceSeconds', bounds))
      return { now: ledger.now() }
    },
    snapshot: (params) => {
      const name = nameOf(params)
      if (!snapshots.has(name) && snapshots.size >= LIMITS.localnetSnapshots) {
        throw new MarketError('limit-exceeded', { limit: 'localnetSnapshots' })
      }
      snapshots.set(name, ledger.snapshot())
      return { name }
    },
    restore: (params) => {
      const name = nameOf(params)
      const snapshot = snapshots.get(name)
      if (!snapshot) throw new MarketError('not-found', { snapshot: name })
      ledger.restore(snapshot)
      return { name, now: ledger.now() }
    },
    reset: () => {
      snapshots.clear()
      ledger.reset()
      return { now: ledger.now() }
    },
  }
}

export function createViews(ledger: Ledger, networkId: number): Record<string, () => unknown> {
  return {
    /** Decimal strings of nanoTON; `minted` equals the sum of the other three. */
    totals: () => {
      const { balances, fees, minted, inFlight } = ledger.totals()
      return {
        balances: balances.toString(),
        fees: fees.toString(),
        inFlight: inFlight.toString(),
        minted: minted.toString(),
      }
    },
    status: () => {
      const { accounts, transactions } = ledger.totals()
      const { seqno } = ledger.history.last
      return { networkId, now: ledger.now(), seqno, accounts, transactions }
    },
  }
}

function nameOf(params: read.Params): string {
  const name = read.text(params, 'name')
  if (name.length > LIMITS.nameLength) {
    throw new MarketError('bad-input', { field: 'name', most: LIMITS.nameLength })
  }
  return name
}
