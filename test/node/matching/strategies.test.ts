/**
 * The strategies beside `exact`: two choices, reserve, the Cocoon baseline; and their generator.
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { MatchEvent, MatcherOptions } from '../../../node/matching/events.ts'
import { generator, next } from '../../../node/matching/random.ts'
import { NEWCOMER_JOBS, RESERVE_EVERY } from '../../../node/matching/strategies.ts'
import { done, job, offer, pool } from './harness.ts'

const placesOf = (
  options: Partial<MatcherOptions>,
  slots: MatchEvent[],
  jobs: number,
): string[] => {
  const { feed } = pool(options)
  feed(...slots)
  return Array.from({ length: jobs }, (_, i) => {
    const [decision] = feed(job(`j${i}`))
    return decision && 'slot' in decision ? decision.slot : ''
  })
}

describe('xoshiro128**', () => {
  it('gives the outputs of its definition', () => {
    // State 1, 2, 3, 4; the outputs worked out by hand from the reference recurrence with bigints.
    const mask = 0xffffffffn
    const rot = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask
    let s = [1n, 2n, 3n, 4n] as [bigint, bigint, bigint, bigint]
    const expected = Array.from({ length: 50 }, () => {
      const out = (rot((s[1] * 5n) & mask, 7n) * 9n) & mask
      const t = (s[1] << 9n) & mask
      let [a, b, c, d] = s
      c ^= a
      d ^= b
      b ^= c
      a ^= d
      c ^= t
      d = rot(d, 11n)
      s = [a, b, c, d]
      return Number(out)
    })
    const state = Uint32Array.of(1, 2, 3, 4)
    expect(expected.map(() => next(state))).toEqual(expected)
    expect(expected[0]).toBe(11_520)
  })

  it('draws within its bound, all of it, by seed', () => {
    for (const seed of [0, 1, 2 ** 32 - 1]) {
      const draw = generator(seed)
      const seen = Array.from({ length: 500 }, () => draw(7))
      expect(new Set(seen)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]))
      const again = generator(seed)
      expect(seen.map(() => again(7))).toEqual(seen)
    }
    expect(generator(1)(2 ** 32)).not.toBe(generator(2)(2 ** 32))
  })
})

describe('p2c', () => {
  const many = Array.from({ length: 10 }, (_, i) => offer(`p${i}`, { capacity: 100 }))

  it('spreads equal slots, the same for the same seed only', () => {
    const one = placesOf({ strategy: 'p2c', seed: 1 }, many, 200)
    expect(new Set(one).size).toBe(10)
    expect(placesOf({ strategy: 'p2c', seed: 1 }, many, 200)).toEqual(one)
    expect(placesOf({ strategy: 'p2c', seed: 2 }, many, 200)).not.toEqual(one)
    const counts = many.map(({ slot }) => one.filter((name) => name === slot).length)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(4)
  })

  it('never takes the worst of three, always the better of two', () => {
    const three = [offer('a', { tick: 1 }), offer('b', { tick: 2 }), offer('c', { tick: 3 })]
    for (let seed = 0; seed < 40; seed++) {
      expect(placesOf({ strategy: 'p2c', seed }, three, 1)).not.toEqual(['c'])
      expect(placesOf({ strategy: 'p2c', seed }, three.slice(1), 1)).toEqual(['b'])
    }
  })

  it('counts its own jobs in flight whatever a stale load says; exact believes the load', () => {
    const herd = (strategy: 'p2c' | 'exact'): string[] => {
      const { feed } = pool({ strategy })
      feed(offer('a', { capacity: 100 }), offer('b', { capacity: 100 }))
      return Array.from({ length: 8 }, (_, i) => {
        const [decision] = feed(job(`j${i}`))
        feed({ type: 'load', slot: 'a', running: 0 }, { type: 'load', slot: 'b', running: 0 })
        return decision && 'slot' in decision ? decision.slot : ''
      })
    }
    expect(herd('exact')).toEqual(Array(8).fill('a'))
    expect(herd('p2c').filter((slot) => slot === 'a')).toHaveLength(4)
  })

  it('queues like exact', () => {
    const { feed } = pool({ strategy: 'p2c' })
    expect(feed(offer('p'), job('a'), job('b'), done('a'))).toMatchObject([
      { slot: 'p' },
      { queued: true },
      { job: 'b', slot: 'p' },
    ])
  })
})

describe('reserve', () => {
  it('gives one placing in so many to a newcomer, the least tried first', () => {
    const slots = [
      offer('known', { tick: 1, capacity: 10_000 }),
      offer('new', { tick: 50, capacity: 10_000 }),
      offer('newer', { tick: 60, capacity: 10_000 }),
    ]
    const { feed } = pool({ strategy: 'reserve' })
    feed(slots[0]!)
    for (let i = 0; i < NEWCOMER_JOBS; i++) feed(job(`w${i}`), done(`w${i}`))
    feed(slots[1]!, slots[2]!)
    const placed = Array.from({ length: 10 * RESERVE_EVERY }, (_, i) => {
      const [decision] = feed(job(`j${i}`))
      return decision && 'slot' in decision ? decision.slot : ''
    })
    const of = (name: string) => placed.filter((slot) => slot === name).length
    expect([of('known'), of('new'), of('newer')]).toEqual([10 * (RESERVE_EVERY - 1), 5, 5])
  })

  it('is exact where there is no newcomer', () => {
    const { feed } = pool({ strategy: 'reserve' })
    feed(offer('a', { tick: 1, capacity: 2 }), offer('b', { tick: 2 }))
    for (let i = 0; i < NEWCOMER_JOBS; i++) {
      feed(job(`a${i}`), job(`x${i}`), job(`b${i}`), done(`a${i}`), done(`x${i}`), done(`b${i}`))
    }
    for (let i = 0; i < 2 * RESERVE_EVERY; i++) {
      expect(feed(job(`j${i}`))).toMatchObject([{ slot: 'a' }])
      feed(done(`j${i}`))
    }
  })
})

describe('cocoon', () => {
  /** Ends `count` jobs of `serviceMs` on the only free slot, one after another. */
  const work = (feed: (...e: MatchEvent[]) => unknown, from: number, count: number, ms: number) => {
    for (let i = 0; i < count; i++) {
      const id = `w${from}-${i}`
      feed({ ...job(id), at: from + i * ms }, { ...done(id), at: from + (i + 1) * ms })
    }
    return from + count * ms
  }

  it('uses price as a cap only, and ties go to the first that connected', () => {
    const slots = [offer('dear', { tick: 50, capacity: 2 }), offer('cheap', { tick: 1 })]
    expect(placesOf({ strategy: 'cocoon', salt: 1 }, slots, 2)).toEqual(['dear', 'dear'])
    const { feed } = pool({ strategy: 'cocoon' })
    feed(...slots)
    expect(feed(job('j', { maxTick: 49 }))).toMatchObject([{ slot: 'cheap' }])
    expect(feed(job('k', { maxTick: 0 }))).toMatchObject([{ refused: 'price', lowestTick: 1 }])
  })

  it('weighs running by mean time only above one ended job in ten seconds', () => {
    const chosen = (ended: number) => {
      const { feed } = pool({ strategy: 'cocoon' })
      feed(offer('a', { capacity: 9 }))
      const at = work(feed, 0, ended, 10)
      feed({ ...job('busy'), at })
      feed(offer('b'))
      return feed({ ...job('j'), at })
    }
    expect(chosen(60)).toMatchObject([{ slot: 'a' }]) // 60 in 600 s, decayed: at most 0.1
    expect(chosen(62)).toMatchObject([{ slot: 'b' }])
  })

  it('forgets over ten minutes', () => {
    const { feed } = pool({ strategy: 'cocoon' })
    feed(offer('a', { capacity: 9 }))
    const at = work(feed, 0, 100, 10)
    feed({ ...job('busy'), at }, offer('b', { capacity: 9 }))
    expect(feed({ ...job('now'), at })).toMatchObject([{ slot: 'b' }])
    feed(done('now'))
    const muchLater = at + 600_000 * Math.log(100 / 60) + 1000
    expect(feed({ ...job('later'), at: muchLater })).toMatchObject([{ slot: 'a' }])
  })

  it('nobody waits', () => {
    const { feed } = pool({ strategy: 'cocoon' })
    expect(feed(offer('p'), job('a'), job('b'))).toMatchObject([
      { slot: 'p' },
      { refused: 'queue-full' },
    ])
  })
})
