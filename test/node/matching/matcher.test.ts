/**
 * The rules of matching one by one: filters, refusals, score, ties, running counts, bad events.
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { JobEvent, MatchEvent, OfferEvent } from '../../../node/matching/events.ts'
import { createMatcher } from '../../../node/matching/matcher.ts'
import { done, job, offer, PRICES, pool } from './harness.ts'

const price = (tick: number): number => Number(PRICES[tick])

describe('filters, each with a job that passes and one that does not', () => {
  const cases: [first: string, OfferEvent, passes: Partial<JobEvent>, Partial<JobEvent>][] = [
    ['tier', offer('p', { tier: 'cpu-tee' }), { minTier: 'cpu-tee' }, { minTier: 'gpu-tee' }],
    ['regions', offer('p'), { regions: ['us', 'eu'] }, { regions: ['us'] }],
    ['gpus', offer('p'), { gpus: ['rtx4090', 'h100'] }, { gpus: ['h100'] }],
    ['memory', offer('p'), { minMemoryGiB: 24 }, { minMemoryGiB: 24.5 }],
    ['exclude', offer('p', { provider: 'x' }), { exclude: ['p', 'y'] }, { exclude: ['x'] }],
  ]
  it.each(cases)('%s', (first, offered, passes, fails) => {
    const { feed } = pool()
    feed(offered)
    expect(feed(job('j', fails))).toEqual([{ job: 'j', refused: 'requirements', first }])
    expect(feed(job('j', passes))).toEqual([{ job: 'j', slot: 'p', score: 100 * price(40) }])
  })

  it('draining and capacity', () => {
    const { feed } = pool()
    feed(offer('p'), { type: 'drain', slot: 'p' })
    expect(feed(job('j'))).toEqual([{ job: 'j', refused: 'requirements', first: 'draining' }])
    feed(offer('p', { capacity: 0 }))
    expect(feed(job('j'))).toEqual([{ job: 'j', refused: 'requirements', first: 'capacity' }])
    feed(offer('p', { capacity: 1 }))
    expect(feed(job('j'))).toMatchObject([{ slot: 'p' }])
  })

  it('absent and empty requirements accept anything', () => {
    const { feed } = pool()
    feed({ type: 'offer', slot: 'p', model: 'm', tick: 95, capacity: 9 })
    const empty = { minTier: '', regions: [], gpus: [], minMemoryGiB: 0, exclude: [] } as const
    expect(feed(job('a', empty), { type: 'job', id: 'b', model: 'm' })).toMatchObject([
      { slot: 'p' },
      { slot: 'p' },
    ])
  })

  it('names the first filter that leaves nothing over all slots', () => {
    const { feed } = pool()
    feed(offer('a', { region: 'us', gpu: 'h100' }), offer('b', { region: 'eu' }))
    const wants = { regions: ['us'], gpus: ['rtx4090'] }
    expect(feed(job('j', wants))).toEqual([{ job: 'j', refused: 'requirements', first: 'gpus' }])
  })
})

describe('refusals and waiting', () => {
  it('no-model where no known slot has it; a draining one is known', () => {
    const { feed } = pool()
    feed(offer('p'))
    expect(feed(job('j', { model: 'x' }))).toEqual([{ job: 'j', refused: 'no-model' }])
    feed({ type: 'leave', slot: 'p' })
    expect(feed(job('j'))).toEqual([{ job: 'j', refused: 'no-model' }])
  })

  it('price with the lowest tick of the slots that pass every filter', () => {
    const { feed } = pool()
    feed(offer('a', { tick: 44 }), offer('b', { tick: 41, region: 'us' }), offer('c', { tick: 50 }))
    const wants = { maxTick: 40, regions: ['eu'] }
    expect(feed(job('j', wants))).toEqual([{ job: 'j', refused: 'price', lowestTick: 44 }])
    expect(feed(job('j', { ...wants, maxTick: 44 }))).toMatchObject([{ slot: 'a' }])
  })

  it('waits where a slot would do but is full, even if that slot then leaves', () => {
    const { feed, matcher } = pool()
    feed(offer('p'), job('a'))
    expect(feed(job('b'))).toEqual([{ job: 'b', queued: true }])
    expect(feed({ type: 'leave', slot: 'p' })).toEqual([])
    expect(matcher.queued).toBe(1)
    expect(feed(offer('q'))).toMatchObject([{ job: 'b', slot: 'q' }])
  })

  it('a dear slot does not make a job wait that is too poor for it', () => {
    const { feed } = pool()
    feed(offer('cheap', { tick: 1 }), offer('dear', { tick: 90 }), job('a', { maxTick: 5 }))
    expect(feed(job('b', { maxTick: 5 }))).toEqual([{ job: 'b', queued: true }])
    expect(feed(job('c', { maxTick: 0 }))).toMatchObject([{ refused: 'price', lowestTick: 1 }])
  })

  it('duplicate ids, running or waiting; an ended job frees its id', () => {
    const { feed } = pool()
    feed(offer('p'), job('a'), job('b'))
    expect(feed(job('a'), job('b'))).toEqual([
      { job: 'a', refused: 'duplicate-job' },
      { job: 'b', refused: 'duplicate-job' },
    ])
    expect(feed(done('a'), done('b'), job('a'))).toMatchObject([{ job: 'b' }, { job: 'a' }])
  })
})

describe('score and ties', () => {
  it('is price times tokens plus weight times wait, and caps both', () => {
    const { feed } = pool()
    feed(offer('p', { capacity: 9, serviceMs: 100.4 }), { type: 'load', slot: 'p', running: 5 })
    expect(feed(job('a', { speedWeight: 7 }))).toEqual([
      { job: 'a', slot: 'p', score: 100 * price(40) + 7 * 502 },
    ])
    feed({ type: 'service', slot: 'p', serviceMs: 1e9 })
    expect(feed(job('b', { speedWeight: 2, expectedTokens: 70_000 }))).toEqual([
      { job: 'b', slot: 'p', score: 65_536 * price(40) + 2 * (2 ** 20 - 1) },
    ])
  })

  it('stays below 2^53 at every extreme', () => {
    const { feed } = pool()
    feed(offer('p', { tick: 95, capacity: 9, serviceMs: 1e12 }), {
      type: 'load',
      slot: 'p',
      running: 8,
    })
    const [decision] = feed(job('j', { expectedTokens: 2 ** 31 - 1, speedWeight: 2 ** 31 - 1 }))
    const exact = PRICES[95]! * 65_536n + (2n ** 31n - 1n) * (2n ** 20n - 1n)
    expect(decision).toEqual({ job: 'j', slot: 'p', score: Number(exact) })
    expect(exact < 2n ** 53n).toBe(true)
  })

  it('the cheapest wins by default, the quicker where speed is worth more', () => {
    const slots = [offer('slow', { tick: 40, capacity: 9 }), offer('quick', { tick: 41 })]
    const busy: MatchEvent = { type: 'load', slot: 'slow', running: 8 }
    const gap = 100 * (price(41) - price(40))
    const chosen = (speedWeight: number) => pool().feed(...slots, busy, job('j', { speedWeight }))
    expect(chosen(0)).toMatchObject([{ slot: 'slow' }])
    expect(chosen(Math.floor(gap / 800))).toMatchObject([{ slot: 'slow' }])
    expect(chosen(Math.floor(gap / 800) + 1)).toMatchObject([{ slot: 'quick' }])
  })

  it('ties go to the lower wait, then to the lower index XOR salt', () => {
    const two = [offer('a'), offer('b'), offer('c')]
    const loaded: MatchEvent[] = [
      offer('a', { capacity: 2 }),
      { type: 'load', slot: 'a', running: 1 },
    ]
    expect(pool().feed(...two, ...loaded, job('j'))).toMatchObject([{ slot: 'b' }])
    const names = [0, 1, 2, 3, 2 ** 31].map(
      (salt) => pool({ salt }).feed(...two, job('j'))[0] as { slot?: string },
    )
    expect(names.map(({ slot }) => slot)).toEqual(['a', 'b', 'c', 'c', 'a'])
  })

  it('slot indexes count first appearances and are never reused', () => {
    const { feed } = pool()
    feed(offer('a'), offer('b'), { type: 'leave', slot: 'a' }, offer('a'))
    expect(feed(job('j'))).toMatchObject([{ slot: 'b' }])
    const kept = pool()
    kept.feed(offer('a'), offer('b'), offer('a', { tick: 41 }), offer('a', { tick: 40 }))
    expect(kept.feed(job('j'))).toMatchObject([{ slot: 'a' }])
  })
})

describe('running', () => {
  it('counts placings and ends, load sets it, never below 0', () => {
    const { feed, matcher } = pool()
    feed(offer('p', { capacity: 3 }), job('a'), job('b'))
    expect(matcher.running('p')).toBe(2)
    feed({ type: 'load', slot: 'p', running: 0 }, done('a'))
    expect(matcher.running('p')).toBe(0)
    feed(done('a'), done('never'), { type: 'fail', id: 'b' })
    expect(matcher.running('p')).toBe(0)
    expect(matcher.running('q')).toBeUndefined()
  })

  it('an offer of a known slot keeps its jobs and what it does not name, and ends draining', () => {
    const { feed, matcher } = pool()
    feed(offer('p', { capacity: 2, provider: 'x' }), job('a'), { type: 'drain', slot: 'p' })
    feed({ type: 'offer', slot: 'p', tick: 41 })
    expect(matcher.running('p')).toBe(1)
    expect(feed(job('b', { exclude: ['x'] }))).toMatchObject([{ first: 'exclude' }])
    expect(feed(job('b', { maxTick: 40 }))).toMatchObject([{ lowestTick: 41 }])
    expect(feed(job('b'))).toMatchObject([{ slot: 'p' }])
  })

  it('leave forgets the jobs of the slot; reports of unknown slots change nothing', () => {
    const { feed, matcher } = pool()
    feed(offer('p'), job('a'), { type: 'leave', slot: 'p' }, offer('p'))
    expect(feed(job('a'))).toMatchObject([{ slot: 'p' }])
    for (const type of ['drain', 'leave'] as const) expect(feed({ type, slot: 'x' })).toEqual([])
    feed({ type: 'load', slot: 'x', running: 3 }, { type: 'service', slot: 'x', serviceMs: 3 })
    expect(matcher.running('x')).toBeUndefined()
  })

  it('an offer may move a slot to another model', () => {
    const { feed } = pool()
    feed(offer('p'), job('a'), job('b'), offer('q', { model: 'n' }))
    expect(feed({ type: 'offer', slot: 'q', model: 'm' })).toMatchObject([{ job: 'b', slot: 'q' }])
    expect(feed(job('c', { model: 'n' }))).toMatchObject([{ refused: 'no-model' }])
  })
})

describe('bad events are refused by field and change nothing', () => {
  const bad: [field: string, event: unknown][] = [
    ['event', 7],
    ['event', null],
    ['event', []],
    ['type', {}],
    ['type', { type: 'offers' }],
    ['type', { type: 'constructor' }],
    ['slot', { type: 'drain' }],
    ['slot', { ...offer(''), capacity: 2 }],
    ['slot', offer('x'.repeat(129))],
    ['model', { type: 'offer', slot: 'new', tick: 1, capacity: 1 }],
    ['tick', { type: 'offer', slot: 'new', model: 'm', capacity: 1 }],
    ['capacity', { type: 'offer', slot: 'new', model: 'm', tick: 1 }],
    ['tick', offer('p', { tick: 96 })],
    ['tick', offer('p', { tick: -1 })],
    ['tick', offer('p', { tick: 1.5 })],
    ['capacity', offer('p', { capacity: 2 ** 31 })],
    ['serviceMs', offer('p', { serviceMs: Number.NaN })],
    ['serviceMs', offer('p', { serviceMs: Number.POSITIVE_INFINITY })],
    ['tier', { ...offer('p'), tier: 'sgx' }],
    ['memoryGiB', offer('p', { memoryGiB: -1 })],
    ['running', { type: 'load', slot: 'p' }],
    ['running', { type: 'load', slot: 'p', running: -1 }],
    ['serviceMs', { type: 'service', slot: 'p' }],
    ['id', { type: 'done' }],
    ['model', { type: 'job', id: 'j' }],
    ['expectedTokens', job('j', { expectedTokens: -1 })],
    ['expectedTokens', job('j', { expectedTokens: 2 ** 31 })],
    ['speedWeight', job('j', { speedWeight: 2 ** 31 })],
    ['speedWeight', job('j', { speedWeight: 0.5 })],
    ['minTier', { ...job('j'), minTier: 'best' }],
    ['regions', { ...job('j'), regions: 'eu' }],
    ['gpus', job('j', { gpus: Array(65).fill('g') })],
    ['exclude', { ...job('j'), exclude: [7] }],
    ['priority', job('j', { priority: 0.5 })],
    ['deadline', job('j', { deadline: -1 })],
    ['minteir', { ...job('j'), minteir: 'gpu-tee' }],
    ['at', { ...job('j'), at: 9 }],
    ['at', { ...job('j'), at: Number.NaN }],
  ]
  it.each(bad)('%s: %o', (field, event) => {
    const { feed, matcher } = pool()
    feed({ ...offer('p', { capacity: 2 }), at: 10 }, job('a'))
    const decisions: never[] = []
    expect(() => matcher.apply(event as MatchEvent, decisions)).toThrow(
      expect.objectContaining({ code: 'bad-input', facts: expect.objectContaining({ field }) }),
    )
    expect(decisions).toEqual([])
    expect([matcher.queued, matcher.running('p'), matcher.running('new')]).toEqual([
      0,
      1,
      undefined,
    ])
    expect(feed({ ...job('j'), at: 10 })).toEqual([{ job: 'j', slot: 'p', score: 100 * price(40) }])
  })

  it('options out of range', () => {
    const make = (options: object) => () => createMatcher({ prices: PRICES, ...options })
    for (const [field, value] of [
      ['strategy', 'best'],
      ['salt', -1],
      ['salt', 2 ** 32],
      ['seed', 1.5],
      ['queueLimit', 1_000_001],
      ['prices', [1n]],
      ['prices', PRICES.map(() => 2n ** 36n)],
    ] as const) {
      const facts = expect.objectContaining({ field })
      expect(make({ [field]: value })).toThrow(expect.objectContaining({ facts }))
    }
    expect(make({ salt: 2 ** 32 - 1, seed: 0, queueLimit: 0 })).not.toThrow()
  })
})

describe('whyNot', () => {
  it('names the first thing in the way, and what would change it', () => {
    const { feed, matcher } = pool()
    feed(offer('a', { tick: 40 }), offer('b', { tick: 43 }), offer('x', { model: 'n' }))
    expect(matcher.whyNot('z', job('j'))).toEqual({ why: 'unknown' })
    expect(matcher.whyNot('x', job('j'))).toEqual({ why: 'model' })
    expect(matcher.whyNot('b', job('j', { regions: ['us'] }))).toEqual({ why: 'regions' })
    const capped = matcher.whyNot('b', job('j', { maxTick: 42 }))
    expect(capped).toEqual({ why: 'price', tick: 43, maxTick: 42 })
    expect(matcher.whyNot('a', job('j'))).toEqual({ why: 'best', score: 100 * price(40) })
    expect(matcher.whyNot('b', job('j'))).toEqual({
      why: 'score',
      score: 100 * price(43),
      best: 'a',
      bestScore: 100 * price(40),
      wouldWinAt: 39,
    })
    feed(job('k'))
    expect(matcher.whyNot('a', job('j'))).toEqual({ why: 'place', running: 1, capacity: 1 })
    expect(matcher.whyNot('b', job('j'))).toMatchObject({ why: 'best' })
  })
})
