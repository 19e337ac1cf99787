/**
 * Everything a client checks about a placement before it pays or seals anything.
 *
 * The lease must be what was asked for, signed by the scheduler that was greeted; the accept must
 * be the provider's own word on that lease, its epoch key and its evidence; the evidence must
 * satisfy the client's policy. A scheduler that invents, swaps or replays any part is refused here
 * by name (contracts/wire/README.md). The time is an argument; registry and chain are questions.
 * @module
 */
import { Address, type Cell } from '@ton/core'
import type { EvidenceVerifier, Verdict } from '../contracts/attest/verifier.ts'
import { sameAsset } from '../contracts/base/assets.ts'
import { type Bytes, equal, fromHex, toHex } from '../contracts/base/bytes.ts'
import { type Facts, MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import type { MarketParameters } from '../contracts/base/marketParameters.ts'
import type { Directory } from '../contracts/base/ports.ts'
import { verifySignature } from '../contracts/base/signing.ts'
import { tierAtLeast } from '../contracts/base/tier.ts'
import { termsOf } from '../contracts/money/marketTerms.ts'
import type { JobBinding } from '../contracts/seal/binding.ts'
import { checkEpoch } from '../contracts/seal/epoch.ts'
import type { Placed } from '../contracts/wire/generated/chrysalis_pb.ts'
import {
  type Accept,
  accept as acceptRecord,
  type EpochKey,
  epochKey as epochKeyRecord,
  type Lease,
  lease as leaseRecord,
  parseRecord,
  recordHash,
} from '../contracts/wire/records.ts'
import type { JobSpec } from '../contracts/wire/submit.ts'
import { checkEvidence } from './checkEvidence.ts'
import type { FreshBlocks } from './freshBlocks.ts'
import type { SettledPolicy } from './policy.ts'
import type { SeenBook } from './seenCollateral.ts'
import type { ProviderRegistry } from './types.ts'

/** What holds for every job of a client. */
export interface PlacementRules {
  readonly networkId: number
  readonly policy: SettledPolicy
  /** Versions of the market's parameters. */
  readonly directory: Pick<Directory, 'version'>
  readonly registry: ProviderRegistry
  /** Blocks by this client's own access to the chain. */
  readonly blocks: FreshBlocks
  /** Verifiers of evidence; those of this version where absent. */
  readonly verifiers?: readonly EvidenceVerifier[]
  /** What was seen of the vendors' collateral. */
  readonly seen?: SeenBook
}

/** What this attempt of this job must look like. */
export interface ExpectedPlacement extends PlacementRules {
  /** Identity and fee as in the scheduler's hello. */
  readonly scheduler: { readonly identity: Bytes; readonly fee: number }
  readonly spec: Omit<JobSpec, 'channel' | 'clientJobKey'>
  readonly clientJobKey: Bytes
  readonly attempt: number
  readonly nowMs: number
  /** Weight hashes (hex) that were shown on offer for the model; absent where none was listed. */
  readonly shown?: readonly string[]
}

/** A placement that was checked. */
export interface Placement {
  readonly lease: Lease
  readonly leaseHash: Bytes
  readonly accept: Accept
  readonly epochKey: EpochKey
  readonly verdict: Verdict
  /** A demo model, by the provider's own word: a label, nothing that was proved. */
  readonly demo: boolean
  readonly binding: JobBinding
  /** The signed parts as received, for the receipt file. */
  readonly signed: SignedParts
}

export interface SignedParts {
  readonly lease: Bytes
  readonly leaseSignature: Bytes
  readonly accept: Bytes
  readonly acceptSignature: Bytes
  readonly epochKey: Bytes
  readonly epochSignature: Bytes
  readonly evidence: Bytes
}

/**
 * Checks a placement. Throws `bad-frame` (malformed), `bad-signature`, `wrong-network`,
 * `bad-lease`,
 * `bad-model`, `epoch-expired`, `evidence-..`, `tier-too-low` or `unknown-provider`.
 */
export async function verifyPlacement(
  placed: Pick<Placed, 'lease' | 'accepted' | 'attempt'> & Partial<Pick<Placed, 'demo'>>,
  expected: ExpectedPlacement,
): Promise<Placement> {
  const signed = signedParts(placed)
  const { networkId, nowMs } = expected
  const leaseCell = parseRecord(signed.lease)
  const lease = leaseRecord.decode(leaseCell, networkId)
  checkSigned('lease', leaseCell, signed.leaseSignature, expected.scheduler.identity)
  const market = await expected.directory.version(lease.parameterVersion)
  checkLease(lease, placed.attempt, expected, market)

  const acceptCell = parseRecord(signed.accept)
  const accept = acceptRecord.decode(acceptCell, networkId)
  checkSigned('accept', acceptCell, signed.acceptSignature, lease.provider)
  const epochCell = parseRecord(signed.epochKey)
  const epochKey = epochKeyRecord.decode(epochCell, networkId)
  checkSigned('epoch key', epochCell, signed.epochSignature, lease.provider)
  const leaseHash = recordHash(leaseCell)
  checkAccept(accept, leaseHash, recordHash(epochCell), nowMs)
  checkEpoch(epochKey, Math.floor(nowMs / 1_000))

  const { accepted } = placed
  const by = { lease, accept, epochKey, market, owner: ownerOf(accepted?.owner) }
  const verdict = await checkEvidence(signed.evidence, by, expected)
  const { evidenceDigest } = accept
  const { minTier } = lease
  const acceptHash = recordHash(acceptCell)
  const binding = { network: networkId, leaseHash, acceptHash, minTier, evidenceDigest }
  const demo = placed.demo === true
  return { lease, leaseHash, accept, epochKey, verdict, demo, binding, signed }
}

function signedParts({ lease, accepted }: Pick<Placed, 'lease' | 'accepted'>): SignedParts {
  if (!lease || !accepted) throw new MarketError('bad-frame', { message: 'Placed' })
  return {
    lease: lease.record,
    leaseSignature: lease.signature,
    accept: accepted.record,
    acceptSignature: accepted.signature,
    epochKey: accepted.epochKey,
    epochSignature: accepted.epochSignature,
    evidence: accepted.evidence,
  }
}

function checkLease(
  lease: Lease,
  placedAttempt: number,
  expected: ExpectedPlacement,
  market: MarketParameters | undefined,
): asserts market {
  const { spec, scheduler, policy, nowMs } = expected
  const require = (holds: boolean, field: string, facts: Facts = {}) => {
    if (!holds) throw new MarketError('bad-lease', { field, ...facts })
  }
  require(toHex(lease.jobId) === spec.jobId, 'jobId')
  require(lease.attempt === expected.attempt && placedAttempt === lease.attempt, 'attempt')
  require(equal(lease.scheduler, scheduler.identity), 'scheduler')
  require(equal(lease.clientJobKey, expected.clientJobKey), 'clientJobKey')
  require(!spec.exclude.includes(toHex(lease.provider)), 'provider', { excluded: true })
  require(sameAsset(lease.asset, spec.asset), 'asset')
  require(lease.tick <= spec.maxTick, 'tick', { tick: lease.tick, most: spec.maxTick })
  require(lease.fee === scheduler.fee, 'fee', { fee: lease.fee, announced: scheduler.fee })
  require(lease.fee <= policy.maxFee, 'fee', { fee: lease.fee, most: policy.maxFee })
  if (!market) throw new MarketError('bad-lease', { field: 'parameterVersion' })
  const parameters = termsOf(market, spec.model)
  require(sameNumbers(lease.multipliers, parameters.multipliers), 'multipliers')
  require(sameNumbers(lease.steps, parameters.steps), 'steps')
  require(lease.window === parameters.window, 'window')
  const leftMs = lease.expiryS * 1_000 - nowMs
  const mostMs = LIMITS.leaseMs + LIMITS.clockSkewS * 1_000
  require(leftMs > 0 && leftMs <= mostMs, 'expiry', { expiryS: lease.expiryS })
  if (!tierAtLeast(lease.minTier, spec.minTier)) {
    throw new MarketError('tier-too-low', { tier: lease.minTier, asked: spec.minTier })
  }
  require(lease.minTier === spec.minTier, 'minTier')
  const { shown } = expected
  if (shown && !shown.includes(toHex(lease.modelHash))) {
    const { model } = spec
    const action = 'List the models again: what is on offer now is not what you were shown.'
    const facts = { model, hash: toHex(lease.modelHash), shown: shown.join(' ') }
    throw new MarketError('bad-model', facts, { action })
  }
  const pinned = policy.models[spec.model] ?? market.models.get(spec.model)?.weightsHash
  if (pinned !== undefined && !equal(fromHex(pinned), lease.modelHash)) {
    const { model } = spec
    throw new MarketError('bad-model', { model, hash: toHex(lease.modelHash), expected: pinned })
  }
}

function checkAccept(accept: Accept, leaseHash: Bytes, epochHash: Bytes, nowMs: number): void {
  if (!equal(accept.leaseHash, leaseHash)) {
    throw new MarketError('bad-lease', { field: 'accept.leaseHash' })
  }
  if (!equal(accept.epochKeyHash, epochHash)) {
    throw new MarketError('bad-lease', { field: 'accept.epochKeyHash' })
  }
  if (accept.expiryS * 1_000 <= nowMs) {
    throw new MarketError('bad-lease', { field: 'accept.expiry', expiryS: accept.expiryS })
  }
}

/** The account that a provider says is its owner's: a hint, which the registry proves or not. */
function ownerOf(account: Bytes | undefined): Address | undefined {
  return account?.length === 32 ? new Address(0, Buffer.from(account)) : undefined
}

function checkSigned(record: string, cell: Cell, signature: Bytes, key: Bytes): void {
  if (!verifySignature(recordHash(cell), signature, key)) {
    throw new MarketError('bad-signature', { record })
  }
}

function sameNumbers<T extends object>(a: T, b: T): boolean {
  const keys = Object.keys(b) as (keyof T)[]
  return keys.every((key) => a[key] === b[key])
}
