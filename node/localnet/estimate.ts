/**
 * What an external message would cost the account that takes it, by phase.
 *
 * The message is run as it would be in a block that were made now, so the figures are those of the
 * transaction itself; their sum is what it will take from the account beyond the value it sends on.
 * Where the contract refuses the message, toncenter tells import and rent, which are computed here
 * from the price table: the emulator makes no transaction of it.
 * @module
 */
import { type Cell, Dictionary, loadMessage, type Transaction } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Ledger } from './ledger.ts'

const SCALE = 1n << 16n
const STORAGE_PRICES = 18
const MASTER_FORWARD_PRICES = 24
const FORWARD_PRICES = 25

/** Throws `bad-input` where the cell is no external message. */
export async function estimateFees(
  ledger: Ledger,
  message: Cell,
  ignoreSignatures: boolean,
): Promise<object> {
  try {
    return feesByPhase(await ledger.estimate(message, ignoreSignatures))
  } catch (thrown) {
    if (!(thrown instanceof MarketError) || thrown.code !== 'contract-failed') throw thrown
    return feesOfRefused(ledger, message)
  }
}

function feesByPhase({ description, totalFees }: Transaction): object {
  if (description.type !== 'generic') return fees(0n, 0n, 0n, 0n)
  const storage = description.storagePhase?.storageFeesCollected ?? 0n
  const gas = description.computePhase.type === 'vm' ? description.computePhase.gasFees : 0n
  const actions = description.actionPhase?.totalActionFees ?? 0n
  const forward = description.actionPhase?.totalFwdFees ?? 0n
  return fees(totalFees.coins - storage - gas - actions, storage, gas, forward)
}

function feesOfRefused(ledger: Ledger, message: Cell): object {
  const { info } = loadMessage(message.beginParse())
  if (info.type !== 'external-in') throw new MarketError('internal')
  const parameters = ledger.config
    .beginParse()
    .loadDictDirect(Dictionary.Keys.Int(32), Dictionary.Values.Cell())
  const isMaster = info.dest.workChain === -1
  const forward = parameters.get(isMaster ? MASTER_FORWARD_PRICES : FORWARD_PRICES)
  const storage = parameters.get(STORAGE_PRICES)
  if (!forward || !storage) throw new MarketError('internal')
  const stored = ledger.account(info.dest)?.shard.account?.storageStats
  const rent = stored ? rentOf(storage, stored, isMaster, ledger.now()) : 0n
  return fees(importFee(forward, message), rent, 0n, 0n)
}

/** `msg_forward_prices#ea lump_price bit_price cell_price`; the root cell is not counted. */
function importFee(prices: Cell, message: Cell): bigint {
  const slice = prices.beginParse().skip(8)
  const [lump, bit, cell] = [slice.loadUintBig(64), slice.loadUintBig(64), slice.loadUintBig(64)]
  const distinct = new Map<string, Cell>()
  for (const ref of message.refs) collect(ref, distinct)
  const bits = [...distinct.values()].reduce((sum, each) => sum + each.bits.length, 0)
  return lump + roundUp(BigInt(bits) * bit + BigInt(distinct.size) * cell)
}

function collect(cell: Cell, distinct: Map<string, Cell>): void {
  const key = cell.hash().toString('base64')
  if (distinct.has(key)) return
  distinct.set(key, cell)
  for (const ref of cell.refs) collect(ref, distinct)
}

interface StorageStats {
  readonly used: { readonly cells: bigint; readonly bits: bigint }
  readonly lastPaid: number
  readonly duePayment?: bigint | null
}

/** `_#cc utime_since bit_price_ps cell_price_ps mc_bit_price_ps mc_cell_price_ps`, by number. */
function rentOf(prices: Cell, stats: StorageStats, isMaster: boolean, nowS: number): bigint {
  const rows = prices
    .beginParse()
    .loadDictDirect(Dictionary.Keys.Uint(32), { serialize: () => {}, parse: (slice) => slice })
    .values()
    .map((slice) => {
      const since = slice.skip(8).loadUint(32)
      if (isMaster) slice.skip(128)
      return { since, bit: slice.loadUintBig(64), cell: slice.loadUintBig(64) }
    })
  let scaled = 0n
  for (const [at, { since, bit, cell }] of rows.entries()) {
    const until = Math.min(nowS, rows[at + 1]?.since ?? nowS)
    const seconds = Math.max(0, until - Math.max(stats.lastPaid, since))
    scaled += BigInt(seconds) * (stats.used.bits * bit + stats.used.cells * cell)
  }
  return roundUp(scaled) + (stats.duePayment ?? 0n)
}

function roundUp(scaled: bigint): bigint {
  return (scaled + SCALE - 1n) / SCALE
}

function fees(inbound: bigint, storage: bigint, gas: bigint, forward: bigint): object {
  return {
    '@type': 'fees',
    in_fwd_fee: Number(inbound),
    storage_fee: Number(storage),
    gas_fee: Number(gas),
    fwd_fee: Number(forward),
  }
}
