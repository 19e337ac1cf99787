/**
 * What a localnet lets a tester do that no real network does: mint, move time, stop, go back.
 *
 * `POST /control/faucet {"address","amount"}`, `time {"advanceSeconds"}`, `pause {}`, `resume {}`,
 * `snapshot {"name"}`, `restore {"name"}`, `reset {}`; `GET /control/totals` and `/control/status`.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { parseNano } from '../../contracts/base/units.ts'
import type { Ledger } from './ledger.ts'
import * as read from './params.ts'
import type { Controls } from './routes.ts'
import type { Writer } from './writer.ts'

/** Each takes its turn with the writer; what waits for a block does so outside of it. */
export function createControls(ledger: Ledger, writer: Writer): Controls {
  const inTurn = (control: (params: read.Params) => object) => (params: read.Params) =>
    writer.run(() => control(params))
  const now = () => ({ now: ledger.now() })
  return {
    faucet: async (params) => {
      const to = read.address(params)
      const amount = parseNano(read.text(params, 'amount'))
      if (amount === 0n || amount > LIMITS.faucetNano) {
        throw new MarketError('bad-input', { field: 'amount', most: LIMITS.faucetNano })
      }
      const { done } = await writer.run(() => ledger.mint(to, amount))
      const { lt, hash } = await done
      return { lt: lt.toString(), hash: hash.toString('base64') }
    },
    time: inTurn((params) => {
      const bounds = { least: 1, most: LIMITS.localnetAdvanceS }
      ledger.advance(read.integer(params, 'advanceSeconds', bounds))
      return now()
    }),
    pause: inTurn(() => {
      ledger.pause()
      return now()
    }),
    resume: inTurn(() => {
      ledger.resume()
      return now()
    }),
    snapshot: inTurn((params) => {
      const name = nameOf(params)
      ledger.snapshot(name)
      return { name }
    }),
    restore: inTurn((params) => {
      const name = nameOf(params)
      ledger.restore(name)
      return { name, ...now() }
    }),
    reset: inTurn(() => {
      ledger.reset()
      return now()
    }),
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
      const { accounts, transactions, waiting, isPaused } = ledger
      const { seqno } = ledger.history.last
      const now = ledger.now()
      return { networkId, now, seqno, accounts, transactions, waiting, paused: isPaused }
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
