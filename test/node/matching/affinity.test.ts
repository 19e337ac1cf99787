/**
 * Prefix affinity: what a remembered tag is worth, that it is a hint only, and that it is bounded.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { done, job, offer, PRICES, pool } from './harness.ts'

const price = (tick: number): number => Number(PRICES[tick])
const gap = 100 * (price(41) - price(40))

describe('a slot that remembers a tag', () => {
  const warm = (affinityBonus: number) => {
    const made = pool({ affinityBonus })
    made.feed(offer('warm', { tick: 41, capacity: 4 }))
    made.feed(job('a', { tags: ['t1', 't2'] }), done('a'))
    made.feed(offer('cheap', { tick: 40, capacity: 4 }))
    return made
  }

  it('wins where its bonus is worth more than the difference in price', () => {
    for (const [bonus, slot] of [
      [gap, 'warm'],
      [gap - 1, 'cheap'],
      [0, 'cheap'],
    ] as const) {
      expect(warm(bonus).feed(job('b', { tags: ['t1'] }))).toMatchObject([{ slot }])
    }
    const half = Math.ceil(gap / 2)
    expect(warm(half).feed(job('b', { tags: ['t1', 't3'] }))).toMatchObject([{ slot: 'cheap' }])
    expect(warm(half).feed(job('c', { tags: ['t1', 't2'] }))).toMatchObject([{ slot: 'warm' }])
  })

  it('has the bonus off its score, never below 0, and nothing for jobs without tags', () => {
    const { feed } = warm(gap)
    expect(feed(job('b', { tags: ['t1'] }))).toEqual([
      { job: 'b', slot: 'warm', score: 100 * price(41) - gap },
    ])
    expect(feed(job('c'))).toEqual([{ job: 'c', slot: 'cheap', score: 100 * price(40) }])
    const free = warm(2 ** 45)
    expect(free.feed(job('b', { tags: ['t1'] }))).toMatchObject([{ slot: 'warm', score: 0 }])
  })

  it('never breaks the price cap, a requirement, an exclusion or a full slot', () => {
    const { feed } = warm(2 ** 40)
    const tags = ['t1']
    expect(feed(job('b', { tags, maxTick: 40 }))).toMatchObject([{ slot: 'cheap' }])
    expect(feed(job('c', { tags, exclude: ['warm'] }))).toMatchObject([{ slot: 'cheap' }])
    feed({ type: 'load', slot: 'warm', running: 4 })
    expect(feed(job('d', { tags }))).toMatchObject([{ slot: 'cheap' }])
    feed({ type: 'drain', slot: 'warm' })
    expect(feed(job('e', { tags }))).toMatchObject([{ slot: 'cheap' }])
  })

  it('forgets when it leaves, and the tags it served longest ago', () => {
    const { feed } = warm(2 ** 40)
    feed({ type: 'leave', slot: 'warm' }, offer('warm', { tick: 41, capacity: 4 }))
    expect(feed(job('b', { tags: ['t1'] }))).toMatchObject([{ slot: 'cheap' }])
    const other = warm(2 ** 40)
    other.feed({ type: 'drain', slot: 'cheap' })
    for (let i = 0; i < LIMITS.slotTags; i++) {
      other.feed(job(`x${i}`, { tags: [`new ${i}`] }), done(`x${i}`))
    }
    other.feed(offer('cheap', { tick: 40, capacity: 4 }))
    expect(other.feed(job('c', { tags: ['t1'] }))).toMatchObject([{ slot: 'cheap' }])
    expect(other.feed(job('d', { tags: ['new 1'] }))).toMatchObject([{ slot: 'warm' }])
  })
})

it('the explanation shows what affinity took off', () => {
  const { feed, matcher } = pool({ affinityBonus: 500 })
  feed(offer('p', { capacity: 4 }), job('a', { tags: ['t'] }))
  expect(matcher.why(job('b', { tags: ['t'], speedWeight: 3 }))).toEqual({
    slot: 'p',
    score: 100 * price(40) + 300 - 500,
    price: 100 * price(40),
    wait: 300,
    affinity: 500,
  })
})

describe('why', () => {
  it('names the runner-up and up to which tick the winner wins', () => {
    const { feed, matcher } = pool()
    feed(offer('a', { tick: 40 }), offer('b', { tick: 43 }))
    expect(matcher.why(job('j'))).toMatchObject({
      slot: 'a',
      next: 'b',
      nextScore: 100 * price(43),
      winsUpToTick: 42,
    })
    expect(matcher.why(job('j', { model: 'none' }))).toEqual({})
    expect(matcher.slots('m')).toEqual(['a', 'b'])
    expect(feed(job('j'))).toMatchObject([{ slot: 'a' }])
  })
})
