/**
 * The payer's account messages on the wire: what it signs and sends, and what it makes of the
 * payee's answers. Called by `payerAccount.ts`; amounts and records are decoded here, once.
 * @module
 */
import type { Cell } from '@ton/core'
import { type Bytes, fromHex, toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { type SigningKey, verifySignature } from '../../contracts/base/signing.ts'
import { type NanoTon, parseNano } from '../../contracts/base/units.ts'
import type { PayerMessage, Statement } from '../../contracts/money/account.ts'
import type { PayerEvent } from '../../contracts/money/payer.ts'
import {
  decodeVoucher,
  encodeVoucher,
  signVoucher,
  verifyVoucher,
} from '../../contracts/money/voucher.ts'
import type { Ack, Opened } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { parseRecord, recordBytes } from '../../contracts/wire/records.ts'
import type { ChannelConfig } from '../../contracts/wrappers/Channel.ts'
import { ackHash } from './accountWire.ts'
import { isVoucherOf, voucherOf } from './channelKind.ts'

/** What the payer's end of a channel signs and checks with. */
export interface PayerKeys {
  readonly config: ChannelConfig
  readonly voucherKey: SigningKey
  /** Who signs the payee's acknowledgements. */
  readonly payeeIdentity: Bytes
}

/** A message of the payer machine as it is sent; the voucher it names is signed here. */
export function toWire(message: PayerMessage, keys: PayerKeys) {
  const jobId = fromHex(message.jobId)
  const sequence = BigInt(message.sequence)
  if (message.kind === 'pay') {
    const { record, signature } = signed(keys, message.voucher)
    const amount = message.amount.toString()
    const value = { sequence, jobId, amount, voucher: record, signature }
    return { kind: { case: 'pay' as const, value } }
  }
  const { receiptHash, clientSignature, disputed } = message
  const charge = message.charge.toString()
  const value = { sequence, jobId, charge, receiptHash, clientSignature, disputed }
  return { kind: { case: 'settle' as const, value } }
}

/** An acknowledgement, checked. Throws `bad-signature`, `bad-input`. */
export function ackStatement(ack: Ack, keys: PayerKeys): Statement {
  const statement = {
    sequence: Number(ack.sequence),
    cumulative: parseNano(ack.cumulative),
    credit: parseNano(ack.credit),
  }
  const hash = ackHash({ config: keys.config, ...statement })
  if (!verifySignature(hash, ack.signature, keys.payeeIdentity)) {
    throw new MarketError('bad-signature', { record: 'acknowledgement' })
  }
  return statement
}

/** The books that the payee shows on opening, as the machine's event. Throws `bad-input`. */
export function openedEvent(opened: Opened, keys: PayerKeys): PayerEvent {
  const shown = shownVoucher(opened, keys)
  const listed = Math.max(opened.unsettled.length, opened.active.length)
  if (listed > LIMITS.accountJobs) throw new MarketError('limit-exceeded', { jobs: listed })
  return {
    type: 'opened',
    sequence: Number(opened.sequence),
    cumulative: parseNano(opened.cumulative),
    spent: parseNano(opened.spent),
    unsettled: opened.unsettled.map((job) => ({
      jobId: toHex(job.jobId),
      charge: parseNano(job.charge),
      receiptHash: job.receiptHash.length === 32 ? job.receiptHash : undefined,
    })),
    active: opened.active.map((job) => ({
      jobId: toHex(job.jobId),
      granted: parseNano(job.granted),
    })),
    voucher: shown?.voucher,
    ownVoucherValid: shown?.valid ?? false,
  }
}

function signed(keys: PayerKeys, promise?: { cumulative: NanoTon; receiptsHash: Bytes }) {
  if (!promise) return {}
  const { config, voucherKey } = keys
  const voucher = voucherOf(config, promise)
  const record = recordBytes(encodeVoucher(voucher))
  return { record, signature: signVoucher(voucher, voucherKey) }
}

function shownVoucher(opened: Opened, { config, voucherKey }: PayerKeys) {
  if (opened.voucher.length === 0) return undefined
  const cell: Cell = parseRecord(opened.voucher)
  const voucher = decodeVoucher(cell)
  const valid =
    isVoucherOf(config, voucher) && verifyVoucher(voucher, opened.signature, voucherKey.publicKey)
  return { voucher, valid }
}
