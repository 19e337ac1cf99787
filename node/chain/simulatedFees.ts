/**
 * Prices and fee formulas of the simulated chain, and the gas of what it models.
 *
 * Formulas are those of TON (block.tlb: GasLimitsPrices, MsgForwardPrices, StoragePrices); the
 * table is the sandbox's default one. Gas figures of successful messages are the measured ones of
 * `test/bench/gas.json`; a test compares both with the sandbox.
 * @module
 */
import type { Cell } from '@ton/core'
import type { NanoTon } from '../../contracts/base/units.ts'

/** Prices of a workchain; bit, cell and gas prices are scaled by 2^16. */
export interface PriceTable {
  readonly gas: bigint
  readonly forwardLump: NanoTon
  readonly forwardBit: bigint
  readonly forwardCell: bigint
  /** Nanotons for 2^16 seconds, unscaled. */
  readonly storageBit: bigint
  readonly storageCell: bigint
}

/** The default table of the TVM sandbox, six times as dear as mainnet of August 2026. */
export const DEFAULT_PRICES: PriceTable = {
  gas: 26_214_400n,
  forwardLump: 400_000n,
  forwardBit: 26_214_400n,
  forwardCell: 2_621_440_000n,
  storageBit: 1n,
  storageCell: 500n,
}

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

/** Fee of `gas` units. */
export function gasFee(prices: PriceTable, gas: bigint): NanoTon {
  return ceilDiv(gas * prices.gas, SCALE)
}

/** Fee of forwarding or importing a message whose cells beside the root have this size. */
export function forwardFee(prices: PriceTable, bits: bigint, cells: bigint): NanoTon {
  const size = bits * prices.forwardBit + cells * prices.forwardCell
  return prices.forwardLump + ceilDiv(size, SCALE)
}

/** Rent of a state of this size for `seconds`. */
export function storageFee(prices: PriceTable, size: CellSize, seconds: number): NanoTon {
  const perPeriod = size.bits * prices.storageBit + size.cells * prices.storageCell
  return ceilDiv(perPeriod * BigInt(seconds), SCALE)
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
