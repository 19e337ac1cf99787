/**
 * What the scheduler signs and checks on its leg to a provider: the lease it gives, the accept and
 * the receipt it gets. Pure; both are checked before a client sees them.
 * @module
 */
import { equal, fromHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import {
  billed,
  charge,
  cost,
  feeOn,
  type Parameters,
  windowFor,
} from '../../contracts/money/price.ts'
import { type ReceiptFile, receiptFile } from '../../contracts/money/receiptFile.ts'
import type { Accepted, Finished } from '../../contracts/wire/generated/chrysalis_pb.ts'
import {
  accept,
  checkRecord,
  type Lease,
  lease as leaseRecord,
  parseRecord,
  type Receipt,
  receipt as receiptRecord,
  recordBytes,
  recordHash,
  signRecord,
} from '../../contracts/wire/records.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'
import type { LegDeps, LegJob } from './legTypes.ts'
import type { OfferView } from './offers.ts'

/** A receipt that was found true to its lease. */
export interface CheckedReceipt {
  readonly receipt: Receipt
  readonly hash: Uint8Array
  readonly finished: Finished
}

/** A lease for one attempt of a job on its offer, signed. */
export function signLease(deps: LegDeps, { spec, attempt, offer }: LegJob) {
  const { tick, model, modelHash } = offer
  const { version, multipliers, steps, window } = deps.terms(model)
  const lease: Lease = {
    network: deps.networkId,
    jobId: fromHex(spec.jobId),
    attempt,
    scheduler: deps.identity.publicKey,
    provider: identityOf(offer),
    clientJobKey: spec.clientJobKey,
    modelHash,
    minTier: spec.minTier,
    asset: offer.asset ?? 'ton',
    tick,
    fee: deps.fee,
    multipliers,
    steps,
    window,
    parameterVersion: version,
    strategy: deps.strategy,
    expiryS: Math.ceil((deps.clock.nowMs() + LIMITS.leaseMs) / 1000),
  }
  const cell = leaseRecord.encode(lease)
  const signed = { record: recordBytes(cell), signature: signRecord(cell, deps.identity) }
  return { lease, leaseHash: recordHash(cell), signed }
}

/** Throws `bad-signature`, `bad-lease` where an accept is not the provider's for this lease. */
export function checkAccept(
  accepted: Accepted,
  leaseHash: Uint8Array,
  offer: OfferView,
  networkId: number,
): void {
  const cell = parseRecord(accepted.record)
  checkRecord(cell, accepted.signature, identityOf(offer))
  if (!equal(accept.decode(cell, networkId).leaseHash, leaseHash)) {
    throw new MarketError('bad-lease', { field: 'accept.leaseHash' })
  }
}

/**
 * Checks a receipt against its lease and against what passed through here: never more than was
 * granted, never more than the frames that came have said. Throws `bad-receipt`, `bad-signature`.
 */
export function checkReceipt(
  finished: Finished,
  leg: {
    readonly lease: Lease
    readonly leaseHash: Uint8Array
    readonly offer: OfferView
    readonly granted: NanoTon
    readonly delivered: NanoTon
  },
): CheckedReceipt {
  const { lease, leaseHash, offer, granted, delivered } = leg
  const record = parseRecord(finished.receipt)
  checkRecord(record, finished.signature, identityOf(offer))
  const receipt = receiptRecord.decode(record, lease.network)
  const field = wrongField(receipt, lease, leaseHash)
  if (field) throw new MarketError('bad-receipt', { provider: offer.provider, field })
  if (receipt.cost > granted || receipt.cost > delivered) {
    throw new MarketError('bad-receipt', { cost: receipt.cost, granted, delivered })
  }
  return { receipt, hash: recordHash(record), finished }
}

/** A receipt file from everything that proves it; the client's signature comes later. */
export function fileOf(
  signed: { readonly record: Uint8Array; readonly signature: Uint8Array },
  accepted: Accepted,
  finished: Finished,
): ReceiptFile {
  return receiptFile({
    receipt: finished.receipt,
    lease: signed.record,
    accept: accepted.record,
    epochKey: accepted.epochKey,
    evidence: accepted.evidence,
    signatures: {
      lease: signed.signature,
      accept: accepted.signature,
      epochKey: accepted.epochSignature,
      receipt: finished.signature,
    },
  })
}

/**
 * What an attempt with a receipt cost without a client to pay for it, for `LegEnd`: an abandoned
 * one has no client, any other has charged its client.
 */
export function lostOn(
  { spec, provider }: LegJob,
  { charge }: { readonly charge: NanoTon },
  abandoned: boolean,
): NanoTon {
  // What the books have taken is sent again, whatever became of the stream.
  const isTaken = !provider.account.state().jobs.has(spec.jobId)
  if (abandoned) return isTaken ? charge : 0n
  return isTaken ? 0n : -charge
}

/** The largest cost whose fee still fits: `c + ceil(c * fee / 10,000) <= total`. */
export function costWithin(total: NanoTon, fee: number): NanoTon {
  return (total * 10_000n) / (10_000n + BigInt(fee))
}

/** What an attempt on an offer costs at least: the bound on the prompt, and the first window. */
export function firstNeed(spec: JobSpec, offer: OfferView, terms: Parameters): NanoTon {
  const { tick, asset } = offer
  const { steps, window } = terms
  const completion = Math.min(spec.maxTokens, windowFor(0, window))
  const usage = { prompt: spec.promptTokens, cachedPrompt: 0, completion, reasoning: 0 }
  return charge(billed(usage, steps), { ...terms, asset, tick, fee: 0 }, false)
}

function wrongField(receipt: Receipt, lease: Lease, leaseHash: Uint8Array): string | undefined {
  if (!equal(receipt.leaseHash, leaseHash)) return 'leaseHash'
  if (!equal(receipt.modelHash, lease.modelHash)) return 'modelHash'
  if (receipt.cost !== cost(receipt.billed, lease)) return 'cost'
  return receipt.fee === feeOn(receipt.cost, lease) ? undefined : 'fee'
}

function identityOf(offer: OfferView): Uint8Array {
  return fromHex(offer.provider, 32)
}
