/**
 * Waiting: the bound, fairness between tenants, order within one, deadlines, cancelling.
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { MatchEvent } from '../../../node/matching/events.ts'
import { done, job, offer, pool } from './harness.ts'

/** Ends each job as it is placed; the order in which waiting jobs got the one place. */
function order(feed: (...events: MatchEvent[]) => unknown[], first: string): string[] {
  const placed: string[] = []
  for (let id: string | undefined = first; id !== undefined; ) {
    const [decision] = feed(done(id)) as { job: string }[]
    id = decision?.job
    if (id !== undefined) placed.push(id)
  }
  return placed
}

describe('the bound', () => {
  it('refuses what does not fit the queue, and takes again when one left', () => {
    const { feed } = pool({ queueLimit: 1 })
    feed(offer('p'), job('a'), job('b'))
    expect(feed(job('c'))).toEqual([{ job: 'c', refused: 'queue-full' }])
    feed({ type: 'cancel', id: 'b' })
    expect(feed(job('c'))).toEqual([{ job: 'c', queued: true }])
  })

  it('a limit of 0 never queues, and still places', () => {
    const { feed } = pool({ queueLimit: 0 })
    expect(feed(offer('p'), job('a'), job('b'))).toMatchObject([
      { slot: 'p' },
      { refused: 'queue-full' },
    ])
  })
})

describe('fairness', () => {
  it('goes to the tenant charged least; immediate placings are charged too', () => {
    const { feed } = pool()
    feed(offer('p', { capacity: 2 }))
    feed(job('x', { tenant: 'a', expectedTokens: 500 }), job('y', { tenant: 'b' }))
    feed(job('b1', { tenant: 'b' }), job('b2', { tenant: 'b' }), job('a1', { tenant: 'a' }))
    feed({ type: 'offer', slot: 'p', capacity: 1 }, done('y'))
    expect(order(feed, 'x')).toEqual(['b1', 'b2', 'a1'])
  })

  it('alternates equal tenants; ties go to the longest wait', () => {
    const { feed } = pool()
    feed(offer('p'), job('x', { tenant: 'z' }))
    feed(job('a1', { tenant: 'a' }), job('a2', { tenant: 'a' }), job('b1', { tenant: 'b' }))
    feed(job('b2', { tenant: 'b' }))
    expect(order(feed, 'x')).toEqual(['a1', 'b1', 'a2', 'b2'])
  })

  it('lifts a tenant that starts to wait to the least counter of those waiting', () => {
    const { feed } = pool()
    feed(offer('p'), job('x', { tenant: 'a', expectedTokens: 1000 }))
    feed(job('a1', { tenant: 'a' }), job('a2', { tenant: 'a' }))
    feed(job('b1', { tenant: 'b' }), job('b2', { tenant: 'b' }))
    // Without the lift both of b's would go before a's.
    expect(order(feed, 'x')).toEqual(['a1', 'b1', 'a2', 'b2'])
  })

  it('does not lower a tenant, nor lift one that already waits', () => {
    const { feed } = pool()
    feed(offer('p'), job('x', { tenant: 'a', expectedTokens: 1000 }))
    feed(job('b1', { tenant: 'b' }), job('b2', { tenant: 'b' }), job('a1', { tenant: 'a' }))
    feed(job('b3', { tenant: 'b' }))
    expect(order(feed, 'x')).toEqual(['b1', 'b2', 'b3', 'a1'])
  })

  it('a flood of one tenant does not delay the others', () => {
    const { feed } = pool()
    feed(offer('p'), job('x', { tenant: 'z' }))
    for (let i = 0; i < 200; i++) feed(job(`f${i}`, { tenant: 'flood' }))
    feed(job('n', { tenant: 'nice' }))
    expect(order(feed, 'x').indexOf('n')).toBe(1)
  })
})

describe('order within a tenant', () => {
  it('higher priority first, then the oldest', () => {
    const { feed } = pool()
    feed(offer('p'), job('x'), job('low', { priority: -1 }), job('old'), job('new'))
    feed(job('high', { priority: 5 }))
    expect(order(feed, 'x')).toEqual(['high', 'old', 'new', 'low'])
  })

  it('a job that does not fit holds up nobody, of its tenant or another', () => {
    const { feed } = pool()
    feed(offer('eu'), offer('us', { region: 'us', tick: 50 }), job('x'), job('y'))
    feed(job('wantsEu', { regions: ['eu'], priority: 9 }), job('any', { tenant: 'u' }))
    expect(feed(done('y'))).toMatchObject([{ job: 'any', slot: 'us' }])
    feed(job('mine'))
    expect(feed(done('any'))).toMatchObject([{ job: 'mine', slot: 'us' }])
    expect(feed(done('x'))).toMatchObject([{ job: 'wantsEu', slot: 'eu' }])
  })
})

describe('tried again after', () => {
  const full = () => {
    const made = pool()
    made.feed(offer('p'), job('a'), job('b'))
    return made.feed
  }
  it.each<[string, MatchEvent, boolean]>([
    ['offer', offer('q'), true],
    ['a larger offer', offer('p', { capacity: 2 }), true],
    ['load', { type: 'load', slot: 'p', running: 0 }, true],
    ['done', { type: 'done', id: 'a' }, true],
    ['fail', { type: 'fail', id: 'a' }, true],
    ['cancel of the other', { type: 'cancel', id: 'a' }, false],
    ['service', { type: 'service', slot: 'p', serviceMs: 1 }, false],
  ])('%s', (_, event, places) => {
    expect(full()(event)).toMatchObject(places ? [{ job: 'b' }] : [])
  })

  it('one event may place several', () => {
    const feed = full()
    feed(job('c'), job('d'))
    expect(feed(offer('q', { capacity: 2 }))).toMatchObject([{ job: 'b' }, { job: 'c' }])
  })

  it('nothing is placed on a draining slot', () => {
    const feed = full()
    expect(feed({ type: 'drain', slot: 'p' }, done('a'))).toEqual([])
    expect(feed(offer('p'))).toMatchObject([{ job: 'b', slot: 'p' }])
  })
})

describe('deadlines', () => {
  it('end waiting when their time comes, before the event that brings it', () => {
    const { feed, matcher } = pool()
    feed(offer('p'), job('a'), job('late', { deadline: 50 }), job('later', { deadline: 60 }))
    expect(matcher.nextDeadline).toBe(50)
    expect(feed({ ...done('none'), at: 49 })).toEqual([])
    expect(feed({ ...done('a'), at: 50 })).toMatchObject([
      { job: 'late', expired: true },
      { job: 'later', slot: 'p' },
    ])
    expect(matcher.nextDeadline).toBe(Number.POSITIVE_INFINITY)
  })

  it('expire in the order of their deadlines, then of arrival', () => {
    const { feed } = pool()
    feed(offer('p'), job('a'), job('x', { deadline: 9 }), job('y', { deadline: 5 }))
    feed(job('z', { deadline: 5 }))
    expect(feed({ ...done('none'), at: 10 })).toEqual([
      { job: 'y', expired: true },
      { job: 'z', expired: true },
      { job: 'x', expired: true },
    ])
  })

  it('end waiting only: a late job starts where it can and expires where it cannot', () => {
    const { feed } = pool()
    feed({ ...offer('p'), at: 100 })
    expect(feed(job('a', { deadline: 100 }), job('b', { deadline: 100 }))).toMatchObject([
      { job: 'a', slot: 'p' },
      { job: 'b', expired: true },
    ])
  })

  it('an expired or cancelled job is gone: its id is free and nothing places it', () => {
    const { feed, matcher } = pool()
    feed(offer('p'), job('a'), job('b', { deadline: 5 }), job('c'), { type: 'cancel', id: 'c' })
    feed({ ...done('none'), at: 5 })
    expect(matcher.queued).toBe(0)
    expect(feed(done('a'))).toEqual([])
    expect(feed(job('b'), job('c'))).toMatchObject([{ slot: 'p' }, { queued: true }])
  })

  it('advance is time without an event, and does not go back', () => {
    const { feed, matcher } = pool()
    feed(offer('p'), job('a'), job('b', { deadline: 5 }))
    const decisions: never[] = []
    matcher.advance(5, decisions)
    expect(decisions).toEqual([{ job: 'b', expired: true }])
    expect(() => matcher.advance(4, decisions)).toThrow(
      expect.objectContaining({ code: 'bad-input' }),
    )
  })
})
