/**
 * The account of a channel: the messages both ends exchange and the sums both compute alike.
 *
 * `payer.ts` and `payee.ts` are the two ends as pure machines. Messages of the payer are numbered
 * from 1 without gaps; the payee acknowledges them with a statement of its books.
 * @module
 */
import type { Bytes } from '../base/bytes.ts'
import type { ErrorCode, Facts } from '../base/errors.ts'
import { sha256 } from '../base/signing.ts'
import type { NanoTon } from '../base/units.ts'

export type ChannelStatus = 'open' | 'closing' | 'closed'

/** Allots `amount` to a job, out of credit first; a voucher covers only what credit does not. */
export interface PayMessage {
  readonly kind: 'pay'
  readonly sequence: number
  /** 16 bytes, hex. */
  readonly jobId: string
  readonly amount: NanoTon
  readonly voucher?: { readonly cumulative: NanoTon; readonly receiptsHash: Bytes }
}

/** The payer's view that a job ended with this charge; what it was granted beyond is credit. */
export interface SettleMessage {
  readonly kind: 'settle'
  readonly sequence: number
  readonly jobId: string
  readonly charge: NanoTon
  /** Absent where there was no receipt. */
  readonly receiptHash?: Bytes
  /** The client job key's over the receipt's hash; absent where not countersigned. */
  readonly clientSignature?: Bytes
  readonly disputed: boolean
}

export type PayerMessage = PayMessage | SettleMessage

/** The books of an account after the payer's message `sequence`. */
export interface Statement {
  readonly sequence: number
  readonly cumulative: NanoTon
  readonly credit: NanoTon
}

/** A finished job that the payer has not settled yet. */
export interface UnsettledJob {
  readonly jobId: string
  readonly charge: NanoTon
  readonly receiptHash?: Bytes
}

/** What the payee shows when the account stream opens. */
export interface Opening {
  readonly sequence: number
  readonly cumulative: NanoTon
  readonly spent: NanoTon
  readonly unsettled: readonly UnsettledJob[]
  readonly active: readonly { readonly jobId: string; readonly granted: NanoTon }[]
}

/** Two statements that cannot both be true: the account is used no more, both are evidence. */
export interface ConflictEffect {
  readonly type: 'conflict'
  readonly code: ErrorCode
  readonly facts: Facts
}

/** The running hash of an account before any countersigned receipt: 32 zero bytes. */
export const NO_RECEIPTS: Bytes = new Uint8Array(32)

/** `SHA-256(previous || receiptHash)`: the running hash after one more countersigned receipt. */
export function nextReceiptsHash(previous: Bytes, receiptHash: Bytes): Bytes {
  return sha256(previous, receiptHash)
}

/** The running hash after a settlement: it moves only where the client countersigned. */
export function hashAfter(
  previous: Bytes,
  settled: Pick<SettleMessage, 'receiptHash' | 'clientSignature' | 'disputed'>,
): Bytes {
  const { receiptHash, clientSignature, disputed } = settled
  if (disputed || !receiptHash || !clientSignature) return previous
  return nextReceiptsHash(previous, receiptHash)
}

/** What is promised and allotted to nothing: both ends compute it alike. */
export function creditOf(
  books: { readonly cumulative: NanoTon; readonly spent: NanoTon },
  jobs: ReadonlyMap<string, { readonly granted: NanoTon }>,
): NanoTon {
  let credit = books.cumulative - books.spent
  for (const { granted } of jobs.values()) credit -= granted
  return credit
}

/** A copy of a map with one entry set, or deleted where the value is `undefined`. */
export function withEntry<V>(
  map: ReadonlyMap<string, V>,
  key: string,
  value: V | undefined,
): ReadonlyMap<string, V> {
  const copy = new Map(map)
  if (value === undefined) copy.delete(key)
  else copy.set(key, value)
  return copy
}
