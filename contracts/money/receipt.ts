/**
 * Receipt files: everything needed to check what a job used and cost, in one JSON document.
 *
 * Written by clients and providers after each job, read by `chrysalis receipt verify`, audits and
 * reputation. `verifyReceipt` needs nothing else: no network, no clock, no store. It says what the
 * signatures prove and, in plain words, what they do not.
 *
 * @example
 * const verdict = verifyReceipt(parseReceiptFile(JSON.parse(text)), { network: -3 })
 * if (!verdict.ok) console.error(verdict.failed)
 * @module
 */
import type { Cell } from '@ton/core'
import { equal, fromBase64, toHex } from '../base/bytes.ts'
import { asMarketError, MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import { sha256 } from '../base/signing.ts'
import { TIER_MEANING, tierAtLeast } from '../base/tier.ts'
import {
  type Accept,
  accept,
  checkRecord,
  type EpochKey,
  epochKey,
  type Lease,
  lease,
  parseRecord,
  priceAsset,
  type Receipt,
  receipt,
  recordHash,
} from '../wire/records.ts'
import { billed, cost, feeOn } from './price.ts'
import type { ReceiptFile } from './receiptFile.ts'

export { NO_RECEIPTS, nextReceiptsHash } from './account.ts'
export { parseReceiptFile, type ReceiptFile, receiptFile } from './receiptFile.ts'

/** What a check found. `fields` are printable facts, present where the records could be read. */
export interface ReceiptVerdict {
  readonly ok: boolean
  readonly proved: readonly string[]
  readonly notProved: readonly string[]
  readonly failed?: { readonly code: string; readonly message: string }
  readonly fields: Readonly<Record<string, string>>
}

interface Records {
  readonly cells: Readonly<Record<'receipt' | 'lease' | 'accept' | 'epochKey', Cell>>
  readonly receipt: Receipt
  readonly lease: Lease
  readonly accept: Accept
  readonly epochKey: EpochKey
}

/**
 * Checks every signature and link of a receipt file. Never throws for what stands in the file: the
 * verdict names the first thing that failed.
 *
 * `network`: the one expected, otherwise any, as long as all records name the same. `atS`: the time
 * of the check, Unix seconds, to refuse a receipt from the future.
 */
export function verifyReceipt(
  file: ReceiptFile,
  options: { readonly network?: number; readonly atS?: number } = {},
): ReceiptVerdict {
  let records: Records | undefined
  try {
    records = readRecords(file, options.network)
    checkSignatures(file, records)
    checkLinks(file, records)
    checkMoney(records)
    checkTimes(records, options.atS)
    const fields = printable(records)
    return { ok: true, proved: proved(file), notProved: notProved(file, records), fields }
  } catch (thrown) {
    const { code, message } = asMarketError(thrown)
    const fields = records ? printable(records) : {}
    return { ok: false, proved: [], notProved: [], failed: { code, message }, fields }
  }
}

function readRecords(file: ReceiptFile, expected?: number): Records {
  const cell = (name: keyof Records['cells']) => parseRecord(fromBase64(file[name]))
  const cells = {
    receipt: cell('receipt'),
    lease: cell('lease'),
    accept: cell('accept'),
    epochKey: cell('epochKey'),
  }
  const signedLease = lease.decode(cells.lease, expected)
  const { network } = signedLease
  return {
    cells,
    lease: signedLease,
    receipt: receipt.decode(cells.receipt, network),
    accept: accept.decode(cells.accept, network),
    epochKey: epochKey.decode(cells.epochKey, network),
  }
}

function checkSignatures(file: ReceiptFile, { cells, lease }: Records): void {
  const { signatures } = file
  checkRecord(cells.lease, fromBase64(signatures.lease), lease.scheduler)
  checkRecord(cells.accept, fromBase64(signatures.accept), lease.provider)
  checkRecord(cells.epochKey, fromBase64(signatures.epochKey), lease.provider)
  checkRecord(cells.receipt, fromBase64(signatures.receipt), lease.provider)
  if (signatures.client === undefined) return
  checkRecord(cells.receipt, fromBase64(signatures.client), lease.clientJobKey)
}

function checkLinks(file: ReceiptFile, { cells, lease, accept, receipt }: Records): void {
  const leaseHash = recordHash(cells.lease)
  if (!equal(accept.leaseHash, leaseHash)) throw wrong('the accept names another lease')
  if (!equal(receipt.leaseHash, leaseHash)) throw wrong('the receipt names another lease')
  if (!equal(accept.epochKeyHash, recordHash(cells.epochKey))) {
    throw wrong('the accept names another epoch key')
  }
  if (!equal(receipt.modelHash, lease.modelHash)) throw wrong('another model than was leased')
  if (!tierAtLeast(receipt.tier, lease.minTier)) throw wrong('a lower tier than was leased')
  if (file.evidence !== undefined) {
    const digest = sha256(fromBase64(file.evidence))
    if (!equal(digest, accept.evidenceDigest)) throw wrong('the accept names other evidence')
  }
}

/** The cost must follow from the billed usage; the usage must be in whole steps. */
function checkMoney({ lease, receipt }: Records): void {
  const steps = billed(receipt.billed, lease.steps)
  for (const field of ['prompt', 'cachedPrompt', 'completion', 'reasoning'] as const) {
    if (steps[field] !== receipt.billed[field]) throw wrong(`${field} is not billed in whole steps`)
  }
  const expected = cost(receipt.billed, lease, priceAsset(lease.asset))
  if (receipt.cost !== expected) throw wrong(`the cost should be ${expected}`)
  const fee = feeOn(expected, lease)
  if (receipt.fee !== fee) throw wrong(`the fee should be ${fee}`)
}

function checkTimes({ lease, accept, epochKey, receipt }: Records, atS?: number): void {
  const skew = LIMITS.clockSkewS
  if (receipt.startS > lease.expiryS + skew) throw wrong('the job began after its lease')
  if (receipt.startS > accept.expiryS + skew) throw wrong('the job began after its accept')
  const early = receipt.startS + skew < epochKey.notBeforeS
  if (early || receipt.startS > epochKey.notAfterS + skew) {
    throw wrong('the epoch key was not valid when the job began')
  }
  if (atS !== undefined && receipt.endS > atS + skew) throw wrong('the receipt is from the future')
}

function proved(file: ReceiptFile): string[] {
  const sentences = [
    'the scheduler leased this job at these terms',
    'the provider accepted the lease and signed this usage and cost',
    'cost and fee follow from the billed usage and the terms of the lease',
  ]
  if (file.signatures.client !== undefined) {
    sentences.push('the client agreed to the usage: it countersigned with the key of this job')
  }
  if (file.evidence !== undefined) sentences.push('the evidence is the one that was accepted with')
  return sentences
}

function notProved(file: ReceiptFile, { receipt }: Records): string[] {
  const sentences = [
    'that the money moved: vouchers and the channel show that',
    'who stands behind the identity keys: the registry shows that',
    `that the tier ${receipt.tier} is true: only the evidence can show that`,
    'that the model with the leased hash gave the answer',
  ]
  if (file.signatures.client === undefined) {
    sentences.push('that the token counts are true: the client has not countersigned')
  }
  if (file.evidence === undefined)
    sentences.push('anything about the machine: there is no evidence')
  if (receipt.energy) sentences.push(`that the energy is right: it is ${receipt.energy.how}`)
  if (receipt.tier === 'simulated') {
    sentences.push('anything real about the provider: the tier is simulated')
  }
  return sentences
}

function printable({ cells, receipt, lease }: Records): Record<string, string> {
  const { billed: usage, energy } = receipt
  return {
    receiptHash: toHex(recordHash(cells.receipt)),
    leaseHash: toHex(recordHash(cells.lease)),
    network: String(lease.network),
    jobId: toHex(lease.jobId),
    attempt: String(lease.attempt),
    scheduler: toHex(lease.scheduler),
    provider: toHex(lease.provider),
    modelHash: toHex(receipt.modelHash),
    tier: `${receipt.tier} (${TIER_MEANING[receipt.tier]})`,
    outcome: receipt.outcome,
    prompt: String(usage.prompt),
    cachedPrompt: String(usage.cachedPrompt),
    completion: String(usage.completion),
    reasoning: String(usage.reasoning),
    asset: lease.asset === 'ton' ? 'ton' : lease.asset.toRawString(),
    tick: String(lease.tick),
    cost: String(receipt.cost),
    fee: String(receipt.fee),
    startS: String(receipt.startS),
    endS: String(receipt.endS),
    energy: energy ? `${energy.joules} J (${energy.how})` : 'not known',
  }
}

function wrong(reason: string): MarketError {
  return new MarketError('bad-receipt', { reason })
}
