/**
 * The payee's account messages on the wire: vouchers and settlements decoded and their signatures
 * checked, acknowledgements signed, books shown. Called by `payeeAccount.ts`.
 * @module
 */
import { type Bytes, fromHex, toHex } from '../../contracts/base/bytes.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import { parseNano } from '../../contracts/base/units.ts'
import type { Statement } from '../../contracts/money/account.ts'
import { openingOf, type PayeeEvent, type PayeeState } from '../../contracts/money/payee.ts'
import { decodeVoucher, verifyVoucher } from '../../contracts/money/voucher.ts'
import type { Pay, Settle } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { parseRecord } from '../../contracts/wire/records.ts'
import type { ChannelConfig } from '../../contracts/wrappers/Channel.ts'
import { ackHash } from './accountWire.ts'
import { isVoucherOf } from './channelKind.ts'

/** A client's signature over a receipt, as a payer passes it on. */
export interface Countersignature {
  readonly jobId: string
  readonly receiptHash: Bytes
  readonly signature: Bytes
}

type PayEvent = Extract<PayeeEvent, { type: 'pay' }>
type SettleEvent = Extract<PayeeEvent, { type: 'settle' }>

/** A payment as the machine's event; the voucher's signature, network and channel are checked. */
export function payEvent(pay: Pay, config: ChannelConfig): PayEvent {
  const { voucher: record, signature } = pay
  return {
    type: 'pay',
    sequence: Number(pay.sequence),
    jobId: toHex(pay.jobId),
    amount: parseNano(pay.amount),
    voucher: record.length > 0 ? shownVoucher(record, signature, config) : undefined,
  }
}

/** A settlement as the machine's event; `countersigned` says whether the client signature holds. */
export function settleEvent(
  settle: Settle,
  countersigned: (given: Countersignature) => boolean,
): SettleEvent {
  const jobId = toHex(settle.jobId)
  const { disputed, clientSignature: signature } = settle
  const receiptHash = settle.receiptHash.length === 32 ? settle.receiptHash : undefined
  const clientSignature = signature.length === 64 ? signature : undefined
  const signatureValid =
    receiptHash !== undefined &&
    clientSignature !== undefined &&
    countersigned({ jobId, receiptHash, signature })
  const charge = parseNano(settle.charge)
  const sequence = Number(settle.sequence)
  const event = { type: 'settle' as const, sequence, jobId, charge, disputed, signatureValid }
  return { ...event, receiptHash, clientSignature }
}

/** A signed acknowledgement. */
export function ackMessage(statement: Statement, config: ChannelConfig, identity: SigningKey) {
  const { sequence, cumulative, credit } = statement
  const value = {
    sequence: BigInt(sequence),
    cumulative: cumulative.toString(),
    credit: credit.toString(),
    signature: identity.sign(ackHash({ config, sequence, cumulative, credit })),
  }
  return { kind: { case: 'ack' as const, value } }
}

/** The books as they are shown when the account opens. */
export function openedMessage(books: PayeeState, identity: Bytes) {
  const { sequence, cumulative, spent, unsettled, active } = openingOf(books)
  const value = {
    sequence: BigInt(sequence),
    cumulative: cumulative.toString(),
    spent: spent.toString(),
    voucher: books.voucher?.record,
    signature: books.voucher?.signature,
    unsettled: unsettled.map((job) => ({
      jobId: fromHex(job.jobId),
      charge: job.charge.toString(),
      receiptHash: job.receiptHash,
    })),
    active: active.map((job) => ({ jobId: fromHex(job.jobId), granted: job.granted.toString() })),
    identity,
  }
  return { kind: { case: 'opened' as const, value } }
}

function shownVoucher(record: Bytes, signature: Bytes, config: ChannelConfig) {
  const voucher = decodeVoucher(parseRecord(record))
  const own = isVoucherOf(config, voucher)
  return {
    record,
    signature,
    cumulative: voucher.cumulative,
    receiptsHash: voucher.receiptsHash,
    signatureValid: own && verifyVoucher(voucher, signature, config.voucherKey),
  }
}
