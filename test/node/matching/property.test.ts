/**
 * Twenty thousand random events: the matcher decides what its obvious twin decides; and for every
 * strategy, what must hold of any decision holds.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  type Decision,
  type JobEvent,
  type MatchEvent,
  STRATEGIES,
} from '../../../node/matching/events.ts'
import { createMatcher } from '../../../node/matching/matcher.ts'
import { dice, PRICES } from './harness.ts'
import { Twin } from './twin.ts'

const TIERS = ['simulated', 'open', 'cpu-tee', 'gpu-tee'] as const
const REGIONS = ['eu', 'us', 'asia']
const GPUS = ['rtx4090', 'h100']

/** Random events over a small world, so that slots, jobs and tenants collide. */
function world(seed: number): () => MatchEvent {
  const roll = dice(seed)
  const some = <T>(values: readonly T[]): T => values[roll(values.length)]!
  const maybe = <T>(value: T): T | undefined => (roll(3) === 0 ? value : undefined)
  let at = 0
  let jobs = 0

  const requirements = (): Partial<JobEvent> => ({
    minTier: maybe(some(TIERS)),
    regions: maybe([some(REGIONS), some(REGIONS)].slice(roll(3))),
    gpus: maybe([some(GPUS)].slice(roll(2))),
    minMemoryGiB: maybe(8 * roll(5)),
    exclude: maybe([`v${roll(6)}`, `s${roll(12)}`]),
  })
  const next = (): MatchEvent => {
    const slot = `s${roll(12)}`
    const id = `j${Math.max(0, jobs - roll(25))}`
    const kind = roll(100)
    if (kind < 8) {
      const facts = { region: some(REGIONS), gpu: some(GPUS), memoryGiB: 8 * roll(5) }
      const provider = maybe(`v${roll(6)}`)
      const pace = { serviceMs: [0, 90, 90.5, 1e6][roll(4)]!, capacity: roll(4) }
      const sale = { model: some(['m', 'n']), tick: 38 + roll(5), tier: some(TIERS) }
      return { type: 'offer', slot, provider, ...sale, ...pace, ...facts }
    }
    if (kind < 12) return { type: 'load', slot, running: roll(4) }
    if (kind < 15) return { type: 'service', slot, serviceMs: roll(300) / 2 }
    if (kind < 16) return { type: 'drain', slot }
    if (kind < 18) return { type: 'leave', slot }
    if (kind < 60) return { type: some(['done', 'done', 'fail'] as const), id }
    if (kind < 63) return { type: 'cancel', id }
    return {
      type: 'job',
      id: roll(20) === 0 ? id : `j${jobs++}`,
      tenant: maybe(`t${roll(4)}`),
      model: some(['m', 'm', 'n', 'none']),
      maxTick: maybe(36 + roll(8)),
      expectedTokens: maybe([0, 1, 200, 65_536, 2 ** 31 - 1][roll(5)]!),
      speedWeight: maybe([0, 1_000, 2 ** 31 - 1][roll(3)]!),
      priority: maybe(roll(3) - 1),
      deadline: maybe(at + roll(60)),
      ...(roll(2) === 0 ? requirements() : {}),
    }
  }
  return () => {
    at += roll(4)
    const event = roll(4) === 0 ? next() : { ...next(), at }
    return JSON.parse(JSON.stringify(event)) // as lines carry it: absent, never undefined
  }
}

describe('the exact matcher and its twin', () => {
  it.each([1, 2, 3, 4])('agree on 5,000 random events, seed %i', (seed) => {
    const event = world(seed)
    const salt = dice(seed)(2 ** 32)
    const queueLimit = 12
    const matcher = createMatcher({ prices: PRICES, salt, queueLimit })
    const twin = new Twin(PRICES, salt, queueLimit)
    const seen = new Map<string, number>()
    for (let step = 0; step < 5_000; step++) {
      const given = event()
      const decisions: Decision[] = []
      matcher.apply(given, decisions)
      expect(decisions, `seed ${seed} step ${step} ${JSON.stringify(given)}`).toEqual(
        twin.apply(given),
      )
      for (const decision of decisions) {
        const kind = 'refused' in decision ? decision.refused : Object.keys(decision)[1]!
        seen.set(kind, (seen.get(kind) ?? 0) + 1)
      }
    }
    // The world is worth its name only if every kind of decision occurs.
    const kinds = ['duplicate-job', 'expired', 'no-model', 'price', 'queue-full', 'queued']
    expect([...seen.keys()].sort()).toEqual([...kinds, 'requirements', 'slot'].sort())
    expect(matcher.queued).toBe(twin.waiting.length)
  })
})

describe.each(STRATEGIES)('%s', (strategy) => {
  it('repeats itself, places on free places only, with whole scores below 2^53', () => {
    const run = (seed: number): Decision[] => {
      const event = world(seed)
      const matcher = createMatcher({ prices: PRICES, strategy, seed: 7 })
      const decisions: Decision[] = []
      for (let step = 0; step < 3_000; step++) {
        const before = decisions.length
        const given = event()
        const free = new Map<string, number>()
        matcher.apply(given, decisions)
        for (const decision of decisions.slice(before)) {
          if (!('slot' in decision)) continue
          expect(Number.isSafeInteger(decision.score)).toBe(true)
          free.set(decision.slot, matcher.running(decision.slot)!)
        }
        for (const running of free.values()) expect(running).toBeGreaterThan(0)
      }
      return decisions
    }
    const first = run(11)
    expect(run(11)).toEqual(first)
    expect(first.some((decision) => 'queued' in decision)).toBe(strategy !== 'cocoon')
  })
})
