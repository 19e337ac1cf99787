/**
 * What this client accepts, with the safe defaults of its network filled in.
 *
 * On a public network nothing below `gpu-tee` serves a job unless the application names a lower
 * tier; on a development network, where coins are worth nothing, the simulated tier is enough.
 * @module
 */
import type { HardwarePolicy } from '../contracts/attest/hardwarePolicy.ts'
import { policyFor } from '../contracts/attest/policy.ts'
import { fromHex, toHex } from '../contracts/base/bytes.ts'
import type { NetworkConfig } from '../contracts/base/network.ts'
import type { Tier } from '../contracts/base/tier.ts'
import { integer, tier } from '../contracts/wire/submit.ts'
import type { ClientPolicy } from './types.ts'

/** A policy without gaps. */
export interface SettledPolicy {
  readonly minTier: Tier
  readonly maxTick: number
  /** Parts per 10,000. */
  readonly maxFee: number
  readonly models: Readonly<Record<string, string>>
  /** Simulated evidence counts. */
  readonly development: boolean
  /** What hardware has to be like, for tiers above `open`. */
  readonly hardware: HardwarePolicy
  /** Identities (hex) to use and no others. */
  readonly pinned?: readonly string[]
}

const DEFAULT_MAX_TICK = 60
const DEFAULT_MAX_FEE = 1_000

/** Checks a policy and fills in the defaults. Throws `bad-input` or `bad-config`. */
export function settlePolicy(policy: ClientPolicy, network: NetworkConfig): SettledPolicy {
  const models = Object.entries(policy.models ?? {}).map(
    ([model, hash]) => [model, toHex(fromHex(hash, 32))] as const,
  )
  const { hardware, pinned } = policy
  const evidence = policyFor(network, {
    minTier: policy.minTier && tier(policy.minTier),
    hardware,
    pinned,
  })
  return Object.freeze({
    minTier: evidence.minTier,
    hardware: evidence.hardware,
    pinned,
    maxTick: integer('maxTick', policy.maxTick ?? DEFAULT_MAX_TICK, 0, 95),
    maxFee: integer('maxFee', policy.maxFee ?? DEFAULT_MAX_FEE, 0, 10_000),
    models: Object.freeze(Object.fromEntries(models)),
    development: network.development,
  })
}
