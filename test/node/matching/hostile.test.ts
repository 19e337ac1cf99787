/**
 * Bad and hostile events: a typed refusal, the state as if they had never come (the twin, which
 * never saw them, goes on deciding the same), and memory within bounds.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Decision, MatchEvent } from '../../../node/matching/events.ts'
import { createMatcher } from '../../../node/matching/matcher.ts'
import { heldBytes } from '../../support/heap.ts'
import { dice, done, job, offer, PRICES, pool } from './harness.ts'
import { Twin } from './twin.ts'

/** Each must be refused whatever the state. */
const BAD: readonly unknown[] = [
  offer('s1', { capacity: -1 }),
  offer('s1', { capacity: 2 ** 31 }),
  offer('s1', { capacity: 1.5 }),
  offer('s1', { tick: 96 }),
  offer('s1', { tick: -1 }),
  offer('s1', { serviceMs: -0.5 }),
  offer('s1', { serviceMs: Number.POSITIVE_INFINITY }),
  offer('s1', { memoryGiB: Number.NaN }),
  { type: 'offer', slot: 'never-seen', capacity: 3 },
  { type: 'load', slot: 's1', running: -1 },
  { type: 'load', slot: 's1', running: 2 ** 31 },
  { type: 'load', slot: 's1', running: 0.5 },
  { type: 'load', slot: 's1', running: 2, own: -2 },
  { type: 'service', slot: 's1', serviceMs: Number.NaN },
  job('x', { expectedTokens: -7 }),
  job('x', { speedWeight: 2 ** 40 }),
  job('x', { maxTick: -1 }),
  job('x', { priority: 2 ** 31 }),
  job('x', { regions: Array(65).fill('eu') }),
  job('x', { tags: [''] }),
  { ...job('x'), at: -1 },
  { ...done('j1'), at: 'now' },
  { ...job('x'), at: Number.NaN },
  { ...job('x'), __proto__: { model: 7 }, modell: 'm' },
  { type: 'constructor', slot: 's1' },
  [],
  null,
  'job',
]
/** These are no errors and change nothing: reports that cross with a leaving, or repeat. */
const IDLE: readonly MatchEvent[] = [
  { type: 'load', slot: 'never-seen', running: 5 },
  { type: 'service', slot: 'never-seen', serviceMs: 5 },
  { type: 'drain', slot: 'never-seen' },
  { type: 'leave', slot: 'never-seen' },
  done('never-seen'),
  { type: 'fail', id: 'never-seen' },
  { type: 'cancel', id: 'never-seen' },
]

describe('a stream with bad events in it', () => {
  it.each([1, 2])('is decided as without them, seed %i', (seed) => {
    const roll = dice(seed)
    const matcher = createMatcher({ prices: PRICES, salt: 9, queueLimit: 8 })
    const twin = new Twin(PRICES, 9, 8)
    let refused = 0
    for (let step = 0; step < 2_000; step++) {
      const at = step
      const bad = roll(4) === 0 ? { at: step - 2 } : {}
      const event = BAD[roll(BAD.length)]
      const worse = 'at' in bad && event && typeof event === 'object' ? { ...event, ...bad } : event
      const decisions: Decision[] = []
      expect(() => matcher.apply(worse as MatchEvent, decisions)).toThrow(
        expect.objectContaining({ code: 'bad-input' }),
      )
      refused++
      matcher.apply(IDLE[roll(IDLE.length)]!, decisions)
      expect(decisions).toEqual([])
      const good = next(roll, step)
      matcher.apply({ ...good, at }, decisions)
      expect(decisions, `seed ${seed} step ${step}`).toEqual(twin.apply({ ...good, at }))
    }
    expect(refused).toBe(2_000)
  })
})

function next(roll: (bound: number) => number, step: number): MatchEvent {
  const slot = `s${roll(5)}`
  const kinds: (() => MatchEvent)[] = [
    // Offers are doubled as often as not; capacity 0 and huge are good.
    () => offer(slot, { capacity: [0, 1, 2, 2 ** 31 - 1][roll(4)]!, tick: 40 + roll(3) }),
    () => ({ type: 'load', slot, running: roll(3) }),
    () => job(`j${step}`, { tenant: `t${roll(3)}` }),
    () => job(`j${step}`, { exclude: ['s0', 's1', 's2', 's3', 's4'] }),
    () => job(`j${step}`, { maxTick: 40, deadline: step + 5 }),
    () => done(`j${Math.max(0, step - roll(12))}`),
  ]
  return kinds[roll(kinds.length)]!()
}

describe('a job that excludes everybody', () => {
  it('is refused at once, for that reason, and hides no slot from the next', () => {
    const { feed } = pool()
    feed(offer('a'), offer('b', { tick: 41 }))
    const nobody = job('j', { exclude: ['a', 'b'] })
    expect(feed(nobody)).toEqual([{ job: 'j', refused: 'requirements', first: 'exclude' }])
    expect(feed(job('k'))).toMatchObject([{ slot: 'a' }])
    expect(feed(job('l', { exclude: ['b'] }))).toEqual([{ job: 'l', queued: true }])
    expect(feed(job('m', { exclude: ['a'], maxTick: 40 }))).toEqual([
      { job: 'm', refused: 'price', lowestTick: 41 },
    ])
  })
})

describe('bounds', () => {
  it('a million tenants are no more than those remembered', { timeout: 60_000 }, () => {
    const { matcher } = pool()
    const decisions: Decision[] = []
    matcher.apply(offer('p', { capacity: 4 }), decisions)
    const round = (from: number, count: number): void => {
      for (let i = from; i < from + count; i++) {
        decisions.length = 0
        matcher.apply(job('j', { tenant: `tenant ${i}` }), decisions)
        matcher.apply(done('j'), decisions)
      }
    }
    round(0, 2 * LIMITS.fairTenants)
    const before = heldBytes()
    round(2 * LIMITS.fairTenants, 1_000_000 - 2 * LIMITS.fairTenants)
    const grown = heldBytes() - before
    expect(grown).toBeLessThan(LIMITS.fairTenants * 100)
    // One that was charged lately is remembered: it goes after a stranger.
    matcher.apply(offer('p', { capacity: 1 }), decisions)
    matcher.apply(job('first', { tenant: 'stranger' }), decisions)
    matcher.apply(job('late', { tenant: 'tenant 999999' }), decisions)
    matcher.apply(job('later', { tenant: 'nobody before' }), decisions)
    decisions.length = 0
    matcher.apply(done('first'), decisions)
    expect(decisions).toMatchObject([{ job: 'late' }])
  })

  it('names of models are bounded, and come back', () => {
    const { matcher } = pool()
    for (let i = 0; i < LIMITS.poolModels; i++) {
      matcher.apply(offer(`s${i}`, { model: `m${i}` }), [])
    }
    const more = offer('more', { model: 'one more' })
    expect(() => matcher.apply(more, [])).toThrow(
      expect.objectContaining({
        code: 'limit-exceeded',
        facts: expect.objectContaining({ limit: 'poolModels' }),
      }),
    )
    expect(() => matcher.apply(offer('s0', { model: 'one more' }), [])).toThrow()
    matcher.apply({ type: 'leave', slot: 's7' }, [])
    matcher.apply(more, [])
    const decisions: Decision[] = []
    matcher.apply(job('j', { model: 'one more' }), decisions)
    expect(decisions).toMatchObject([{ slot: 'more' }])
  })
})
