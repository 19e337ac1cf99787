/**
 * Whether the evidence of a placement is enough: fresh by the client's own chain, verified here,
 * and held against the client's policy and against what lease, accept and epoch key say.
 *
 * Called by `verifyPlacement.ts` once the records are checked.
 * @module
 */
import type { Address } from '@ton/core'
import { parseEvidence } from '../contracts/attest/document.ts'
import { applyPolicy, type EvidencePolicy } from '../contracts/attest/policy.ts'
import type { EvidenceVerifier, Verdict } from '../contracts/attest/verifier.ts'
import { verifyEvidence } from '../contracts/attest/verify.ts'
import { type Bytes, equal } from '../contracts/base/bytes.ts'
import type { MarketParameters } from '../contracts/base/marketParameters.ts'
import type { Tier } from '../contracts/base/tier.ts'
import type { Accept, EpochKey, Lease } from '../contracts/wire/records.ts'
import type { FreshBlocks } from './freshBlocks.ts'
import type { SettledPolicy } from './policy.ts'
import type { SeenBook } from './seenCollateral.ts'
import type { ProviderRegistry } from './types.ts'

/** What the client knows and asks, of what `ExpectedPlacement` has. */
export interface EvidenceNeeds {
  readonly networkId: number
  readonly policy: SettledPolicy
  readonly registry: ProviderRegistry
  readonly blocks: FreshBlocks
  readonly verifiers?: readonly EvidenceVerifier[]
  readonly seen?: SeenBook
  readonly spec: { readonly minTier: Tier }
  readonly nowMs: number
}

/** Records of the placement, checked before. */
export interface PlacedBy {
  readonly lease: Lease
  readonly accept: Accept
  readonly epochKey: EpochKey
  /** The version of the parameters that the lease names. */
  readonly market: MarketParameters
  /** The account that the provider names as its owner's. */
  readonly owner: Address | undefined
}

/**
 * The verdict on the evidence of a placement whose records hold. Throws `evidence-..`,
 * `tier-too-low` or `unknown-provider`.
 */
export async function checkEvidence(
  evidence: Bytes,
  by: PlacedBy,
  expected: EvidenceNeeds,
): Promise<Verdict> {
  const { networkId, policy, spec, blocks } = expected
  const { lease, accept, epochKey, market } = by
  const { claims } = parseEvidence(evidence)
  const block = await blocks.look(claims)
  const registered = await expected.registry(lease.provider, by.owner)
  const atMs = Math.max(expected.nowMs, blocks.nowMs())
  const context = {
    atMs,
    network: networkId,
    development: policy.development,
    block,
    seen: expected.seen?.get(),
    isRegistered: (identity: Bytes) => registered && equal(identity, lease.provider),
  }
  const verdict = await verifyEvidence(evidence, context, expected.verifiers)
  if (verdict.seen) await expected.seen?.remember(verdict.seen)
  const rules: EvidencePolicy = {
    network: networkId,
    development: policy.development,
    minTier: spec.minTier,
    pinned: policy.pinned,
    hardware: measuredBy(policy, market),
  }
  applyPolicy(verdict, rules, {
    network: lease.network,
    provider: lease.provider,
    modelHash: lease.modelHash,
    minTier: lease.minTier,
    evidenceDigest: accept.evidenceDigest,
    epochNotAfterS: epochKey.notAfterS,
    atMs,
  })
  return verdict
}

/**
 * The application's own list counts where it named one, even an empty one; else what the market
 * lists in the lease's version, so that what the registry drops is dropped. Without a registry the
 * directory's parameters have network.json's list.
 */
function measuredBy({ hardware }: SettledPolicy, { measurements }: MarketParameters) {
  return hardware.listedBy === 'application' ? hardware : { ...hardware, measurements }
}
