/**
 * From options and jobs, as they come, to the records the matching core works with.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { TICKS } from '../../contracts/base/terms.ts'
import { TIERS } from '../../contracts/base/tier.ts'
import { type JobEvent, type MatcherOptions, STRATEGIES, type StrategyName } from './events.ts'
import { MOST_TOKENS } from './index/slotIndex.ts'
import type { Needs } from './slots.ts'

/** Options in range, with their defaults. */
export interface Settings {
  readonly strategy: StrategyName
  readonly salt: number
  readonly seed: number
  readonly queueLimit: number
  readonly affinityBonus: number
  readonly prices: Float64Array
}

/** Throws `bad-input` on an option out of range. */
export function checkOptions(options: MatcherOptions): Settings {
  const { strategy = 'exact', salt = 0, seed = 0, queueLimit = LIMITS.queuedJobs } = options
  const { affinityBonus = 0 } = options
  const inRange = (field: string, value: number, below: number): void => {
    if (Number.isInteger(value) && value >= 0 && value < below) return
    throw new MarketError('bad-input', { field, expected: `an integer from 0 to ${below - 1}` })
  }
  if (!STRATEGIES.includes(strategy)) {
    throw new MarketError('bad-input', { field: 'strategy', expected: STRATEGIES.join(', ') })
  }
  inRange('salt', salt, 2 ** 32)
  inRange('seed', seed, 2 ** 32)
  inRange('queueLimit', queueLimit, LIMITS.queueLimit + 1)
  inRange('affinityBonus', affinityBonus, 2 ** 46) // 64 tags of it stay below 2^53
  const prices = Float64Array.from(options.prices, Number)
  // 2^36 base units times 2^16 tokens, and 2^31 times 2^20 of waiting, stay below 2^53.
  const rising = prices.every((price, t) => price > (prices[t - 1] ?? 0) && price < 2 ** 36)
  if (prices.length !== TICKS || !rising) {
    throw new MarketError('bad-input', { field: 'prices', expected: '96, rising, below 2^36' })
  }
  return { strategy, salt, seed, queueLimit, affinityBonus, prices }
}

const NONE: readonly string[] = []

/** What a job event requires, with its defaults. Lists are kept by reference while it waits. */
export function decodeNeeds(event: JobEvent): Needs {
  const { maxTick = TICKS - 1, expectedTokens = 1, minTier } = event
  return {
    model: event.model,
    maxTick: Math.min(maxTick, TICKS - 1),
    tokens: Math.min(expectedTokens, MOST_TOKENS),
    speedWeight: event.speedWeight ?? 0,
    minTier: minTier ? TIERS.indexOf(minTier) : 0,
    regions: event.regions ?? NONE,
    gpus: event.gpus ?? NONE,
    minMemoryGiB: event.minMemoryGiB ?? 0,
    exclude: event.exclude ?? NONE,
    tags: event.tags ?? NONE,
  }
}
