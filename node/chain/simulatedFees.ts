/**
 * Fee formulas of the simulated chain, and the gas of what it models.
 *
 * Formulas are those of TON, over the tables of `contracts/base/chainPrices.ts`. Gas figures of
 * successful messages are the measured ones of `test/bench/gas.json`; a test compares both with the
 * sandbox, at every table.
 * @module
 */
import type { Cell } from '@ton/core'
import type { ChainPrices } from '../../contracts/base/chainPrices.ts'
import { greater, type NanoTon } from '../../contracts/base/units.ts'

/** Gas of the channel's messages, by what they do. */
export const CHANNEL_GAS = {
  topUp: 2_461n,
  claim: 4_652n,
  claimByPayee: 4_706n,
  startClose: 3_828n,
  finishClose: 3_819n,
  cooperativeClose: 5_891n,
  cooperativeCloseLast: 6_659n,
  sweep: 3_255n,
  bounced: 1_802n,
  unknown: 1_046n,
  /** A refusal stops early: an estimate, which only the sender of a refused message pays. */
  refused: 1_500n,
} as const

/** Gas of a version 4 wallet's transfer: once, and for each message. */
export const WALLET_GAS = { transfer: 2_666n, message: 642n, received: 775n } as const

/** Gas constants of the contract itself (`contracts/tolk/channel/fees.tolk`). */
export const CONTRACT_GAS = { claim: 4_710n, topUp: 2_500n, close: 6_800n, bounce: 1_810n } as const

const SCALE = 1n << 16n

/** Fee of `used` gas in the basechain; nothing where no code ran. */
export function gasFee({ gas }: ChainPrices, used: bigint): NanoTon {
  if (used === 0n) return 0n
  return gas.flatPrice + ceilDiv(greater(0n, used - gas.flatLimit) * gas.price, SCALE)
}

/** Fee of forwarding or importing a message whose cells beside the root have this size. */
export function forwardFee({ forward }: ChainPrices, bits: bigint, cells: bigint): NanoTon {
  return forward.lump + ceilDiv(bits * forward.bit + cells * forward.cell, SCALE)
}

/** Rent of a state of this size from one moment (Unix seconds) to another, rounded up once. */
export function storageFee(
  { storage }: ChainPrices,
  size: CellSize,
  fromS: number,
  toS: number,
): NanoTon {
  let scaled = 0n
  for (const [at, { sinceS, bit, cell }] of storage.entries()) {
    const endS = Math.min(toS, storage[at + 1]?.sinceS ?? toS)
    const seconds = Math.max(0, endS - Math.max(fromS, sinceS))
    scaled += BigInt(seconds) * (size.bits * bit + size.cells * cell)
  }
  return ceilDiv(scaled, SCALE)
}

/** Bits and distinct cells of a tree. */
export interface CellSize {
  readonly bits: bigint
  readonly cells: bigint
}

/** Size of distinct cells under `roots`, the roots included. */
export function sizeOf(roots: readonly Cell[]): CellSize {
  const seen = new Set<string>()
  let bits = 0n
  const visit = (cell: Cell): void => {
    const hash = cell.hash().toString('base64')
    if (seen.has(hash)) return
    seen.add(hash)
    bits += BigInt(cell.bits.length)
    for (const ref of cell.refs) visit(ref)
  }
  for (const root of roots) visit(root)
  return { bits, cells: BigInt(seen.size) }
}

function ceilDiv(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by
}
