/**
 * Who serves a job and what that provider proved, as this client computed it: for every surface
 * that shows a tier. No surface may show more.
 * @module
 */
import type { Verdict } from '../contracts/attest/verifier.ts'
import { type Bytes, toHex } from '../contracts/base/bytes.ts'
import { TIER_MEANING, type Tier, tierAtLeast } from '../contracts/base/tier.ts'

/** A provider that was verified, before anything was paid or sealed. */
export interface ServedBy {
  /** Identity of the provider, hex. */
  readonly provider: string
  readonly tier: Tier
  /** What the tier means for the prompt, in a sentence. */
  readonly tierMeaning: string
  /** True for a model that is only for demonstrations, by the provider's own word. */
  readonly demo: boolean
  readonly evidence: EvidenceSummary
}

/** What the evidence showed, in plain sentences. */
export interface EvidenceSummary {
  readonly kind: string
  readonly proved: readonly string[]
  readonly notProved: readonly string[]
  /** Unix seconds after which it proves nothing. */
  readonly validUntilS: number
}

/** What a verified placement proved. */
export function servedBy({
  lease,
  verdict,
  demo,
}: {
  readonly lease: { readonly provider: Bytes }
  readonly verdict: Verdict
  readonly demo: boolean
}): ServedBy {
  const { tier, kind, proved, notProved, validUntilS } = verdict
  return {
    provider: toHex(lease.provider),
    tier,
    tierMeaning: TIER_MEANING[tier],
    demo,
    evidence: { kind, proved, notProved, validUntilS },
  }
}

/**
 * An answer in parts is worth what its weakest part is: the last provider, at the lowest tier that
 * any of them proved.
 */
export function weakest(before: ServedBy | undefined, last: ServedBy): ServedBy {
  if (!before || tierAtLeast(before.tier, last.tier)) return last
  const { tier, tierMeaning, evidence } = before
  return { ...last, tier, tierMeaning, evidence }
}
