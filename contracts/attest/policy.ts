/**
 * The client's policy: which evidence is enough to send it a prompt.
 *
 * Policy is data with a safe default: on a public network the least tier is `gpu-tee`, and
 * anything weaker must be asked for by name. The client applies it to a verdict, together with
 * what lease and accept say, before it seals anything; nobody else's opinion enters.
 * @module
 */
import { type Bytes, equal, toHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { TIER_MEANING, TIERS, type Tier, tierAtLeast } from '../base/tier.ts'
import { refused } from './hardware.ts'
import {
  applyHardwarePolicy,
  type HardwarePolicy,
  type MeasurementList,
  settleHardware,
} from './hardwarePolicy.ts'
import type { Verdict } from './verifier.ts'

/** What a client demands. */
export interface EvidencePolicy {
  readonly network: number
  /** True only on networks for development: simulated evidence is refused everywhere else. */
  readonly development: boolean
  readonly minTier: Tier
  /** Identities (hex) to use and no others; absent: any that the evidence supports. */
  readonly pinned?: readonly string[]
  /** What hardware has to be like, for tiers above `open`. */
  readonly hardware: HardwarePolicy
}

/** What lease, accept and epoch key say, for the policy to hold against the evidence. */
export interface LeaseFacts {
  readonly network: number
  /** Identity of the provider in the lease. */
  readonly provider: Bytes
  readonly modelHash: Bytes
  readonly minTier: Tier
  /** From the accept. */
  readonly evidenceDigest: Bytes
  /** End of the epoch key, Unix seconds. */
  readonly epochNotAfterS: number
  readonly atMs: number
}

/** TON mainnet and testnet: never for development, whatever a file says. */
const PUBLIC_NETWORKS = [-239, -3]

/**
 * The policy of a network; `minTier` is the user's own word, by name. Without it: `gpu-tee`, on a
 * development network `simulated`. Throws `bad-config` where a public network is called one for
 * development, or simulated evidence is asked for outside development.
 *
 * @example
 * policyFor({ id: -239, development: false }).minTier // 'gpu-tee'
 */
export function policyFor(
  network: {
    readonly id: number
    readonly development: boolean
    readonly measurements?: MeasurementList
  },
  asked: {
    readonly minTier?: Tier
    readonly pinned?: readonly string[]
    readonly hardware?: Partial<HardwarePolicy>
  } = {},
): EvidencePolicy {
  const { id, development } = network
  if (development && PUBLIC_NETWORKS.includes(id)) {
    throw new MarketError('bad-config', { setting: 'development', network: id })
  }
  const minTier = asked.minTier ?? (development ? 'simulated' : 'gpu-tee')
  if (!TIERS.includes(minTier) || (minTier === 'simulated' && !development)) {
    throw new MarketError('bad-config', { setting: 'minTier', value: minTier, network: id })
  }
  const hardware = settleHardware(asked.hardware, network)
  return Object.freeze({ network: id, development, minTier, pinned: asked.pinned, hardware })
}

/**
 * Returns where the verdict satisfies policy and lease. Throws `tier-too-low`, `unknown-provider`
 * or `evidence-..`, each with a sentence that says why and, for a tier, what accepting less would
 * mean.
 */
export function applyPolicy(verdict: Verdict, policy: EvidencePolicy, facts: LeaseFacts): void {
  const { claims, tier, validUntilS } = verdict
  if (claims.network !== policy.network || facts.network !== policy.network) {
    throw refused('evidence-binding', 'it is for another network', { network: claims.network })
  }
  if (tier === 'simulated' && !policy.development) {
    throw refused('evidence-root', 'it is simulated, and this is no development network')
  }
  if (!equal(verdict.digest, facts.evidenceDigest)) {
    throw refused('evidence-binding', 'the provider accepted the job with other evidence')
  }
  if (!equal(claims.identity, facts.provider)) {
    throw refused('evidence-binding', 'it is about another provider than the one in the lease')
  }
  if (!equal(claims.modelHash, facts.modelHash)) {
    throw refused('evidence-binding', 'it is about another model than the one in the lease')
  }
  const identity = toHex(claims.identity)
  if (policy.pinned && !policy.pinned.some((pin) => pin.toLowerCase() === identity)) {
    const because = 'it is not one of the providers that you pinned'
    throw new MarketError('unknown-provider', { because, identity })
  }
  checkTier(tier, policy.minTier)
  checkTier(tier, facts.minTier)
  if (facts.atMs > validUntilS * 1_000) {
    throw refused('evidence-expired', 'it has expired', { validUntilS })
  }
  const isTee = tierAtLeast(tier, 'cpu-tee')
  if (isTee && verdict.hardware.length === 0) {
    throw refused('evidence-tier', 'no hardware proved it')
  }
  // Below, whoever asks for the tier takes evidence without any hardware: only the age counts.
  const hardware = isTee ? verdict.hardware : []
  const times = { atMs: facts.atMs, freshAtS: claims.freshAtS }
  applyHardwarePolicy(hardware, policy.hardware, times)
  if (facts.epochNotAfterS > validUntilS) {
    throw refused('evidence-outlived', 'the key ends later', { validUntilS })
  }
}

function checkTier(tier: Tier, asked: Tier): void {
  if (tierAtLeast(tier, asked)) return
  const action = `Choose another provider, or ask for "${tier}" by name: ${TIER_MEANING[tier]}.`
  throw new MarketError('tier-too-low', { tier, asked }, { action })
}
