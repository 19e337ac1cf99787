/**
 * Helpers of the matching tests: the price table from its definition, and a matcher that is fed
 * events and gives the decisions of each.
 * @module
 */
import type { Decision, MatchEvent, MatcherOptions } from '../../../node/matching/events.ts'
import { createMatcher, type Matcher } from '../../../node/matching/matcher.ts'

/** Section 6: `floor(1,000,000 * 1.12^t)`, exactly. */
export const PRICES = Array.from({ length: 96 }, (_, tick) => {
  const t = BigInt(tick)
  return (1_000_000n * 112n ** t) / 100n ** t
})

export interface Fed {
  readonly matcher: Matcher
  /** Decisions of the events, in order. */
  feed(...events: MatchEvent[]): Decision[]
}

export function pool(options: Partial<MatcherOptions> = {}): Fed {
  const matcher = createMatcher({ prices: PRICES, ...options })
  return {
    matcher,
    feed(...events) {
      const decisions: Decision[] = []
      for (const event of events) matcher.apply(event, decisions)
      return decisions
    },
  }
}

/** An offer of model `m` with sensible fields. */
export function offer(slot: string, fields: Partial<Extract<MatchEvent, { type: 'offer' }>> = {}) {
  const base = { type: 'offer', slot, model: 'm', tick: 40, capacity: 1, serviceMs: 100 } as const
  return { ...base, tier: 'open' as const, region: 'eu', gpu: 'rtx4090', memoryGiB: 24, ...fields }
}

/** A job for model `m`. */
export function job(id: string, fields: Partial<Extract<MatchEvent, { type: 'job' }>> = {}) {
  return { type: 'job', id, tenant: 't', model: 'm', expectedTokens: 100, ...fields } as const
}

export const done = (id: string): MatchEvent => ({ type: 'done', id })

/** A small generator of the tests' own, from a seed that a failing test prints. */
export function dice(seed: number): (bound: number) => number {
  let state = seed >>> 0
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}
