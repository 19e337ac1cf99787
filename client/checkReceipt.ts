/**
 * What the client does with a receipt: check it, compare it with what it received, countersign.
 *
 * A receipt that is none (malformed, another lease, a wrong sum, a wrong signature) throws
 * `bad-receipt` or `bad-signature`, and the job settles at the client's own count, disputed. A
 * receipt that holds but goes beyond the client's count, or covers another transcript, is disputed:
 * the provider's figure stands up to what was prepaid, and both reputations show it.
 * @module
 */
import { type Bytes, equal } from '../contracts/base/bytes.ts'
import { isErrorCode, MarketError } from '../contracts/base/errors.ts'
import type { SigningKey } from '../contracts/base/signing.ts'
import { tierAtLeast } from '../contracts/base/tier.ts'
import { type ReceiptFile, receiptFile, verifyReceipt } from '../contracts/money/receipt.ts'
import type { Tokenizer } from '../contracts/money/tokenizer.ts'
import type { Finished } from '../contracts/wire/generated/chrysalis_pb.ts'
import {
  parseRecord,
  type Receipt,
  receipt as receiptRecord,
  recordHash,
  signRecord,
} from '../contracts/wire/records.ts'
import { lesser } from './payAhead.ts'
import { type Received, recount } from './recount.ts'
import type { Placement } from './verifyPlacement.ts'

/** What the client knows of the job. */
export interface ReceiptContext {
  readonly placement: Placement
  /** Hash over the sealed request and every frame received. */
  readonly transcriptHash: Bytes
  readonly received: Received
  /** Total of the grants to the job, fee included. */
  readonly granted: bigint
  readonly counter: Tokenizer
  /** The one-job key. */
  readonly key: SigningKey
}

/** A receipt that was checked, countersigned unless disputed. */
export interface CheckedJob {
  readonly receipt: Receipt
  readonly receiptHash: Bytes
  readonly file: ReceiptFile
  /** What the client owes: cost and fee, at most what was prepaid. */
  readonly charge: bigint
  readonly disputed: boolean
  readonly clientSignature?: Bytes
  readonly counted: 'tokenizer' | 'bytes'
  /** Every signature, link and sum of the file holds. */
  readonly verified: boolean
}

/** Checks a receipt. Throws `bad-frame`, `bad-signature` or `bad-receipt`. */
export function checkReceipt(finished: Finished, context: ReceiptContext): CheckedJob {
  const { placement, transcriptHash, received, granted, counter, key } = context
  const { lease } = placement
  const cell = parseRecord(finished.receipt)
  const receipt = receiptRecord.decode(cell, lease.network)
  checkFile(fileOf(finished, placement), lease.network)
  const provedTier = placement.verdict.tier
  if (!tierAtLeast(provedTier, receipt.tier)) {
    throw new MarketError('bad-receipt', { field: 'tier', tier: receipt.tier, proved: provedTier })
  }

  const { counted, beyond } = recount(received, receipt.billed, lease.steps, counter)
  const total = receipt.cost + receipt.fee
  const disputed = beyond || total > granted || !equal(receipt.transcriptHash, transcriptHash)
  const clientSignature = disputed ? undefined : signRecord(cell, key)
  return {
    receipt,
    receiptHash: recordHash(cell),
    file: fileOf(finished, placement, clientSignature),
    charge: lesser(total, granted),
    disputed,
    clientSignature,
    counted,
    verified: !disputed,
  }
}

function checkFile(file: ReceiptFile, network: number): void {
  const { ok, failed } = verifyReceipt(file, { network })
  if (ok) return
  const code = failed && isErrorCode(failed.code) ? failed.code : 'bad-receipt'
  throw new MarketError(code, { because: failed?.message })
}

function fileOf(
  { receipt, signature }: Finished,
  { signed }: Placement,
  client?: Bytes,
): ReceiptFile {
  return receiptFile({
    receipt,
    lease: signed.lease,
    accept: signed.accept,
    epochKey: signed.epochKey,
    evidence: signed.evidence,
    signatures: {
      lease: signed.leaseSignature,
      accept: signed.acceptSignature,
      epochKey: signed.epochSignature,
      receipt: signature,
      client,
    },
  })
}
