/**
 * What the scheduler believes of slots, and how its pool hands out places: a liar's share is
 * bounded, places come back, refusals name what would help, waits end.
 * @module
 */
import { Address } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { JobSpec } from '../../../contracts/wire/submit.ts'
import { newcomer, redeclared, restMs, revised } from '../../../node/scheduler/belief.ts'
import { modelsOnOffer, type OfferView, parseOffer } from '../../../node/scheduler/offers.ts'
import { createPool } from '../../../node/scheduler/pool.ts'
import { type Outcome, ownerNumber } from '../../../node/scheduler/poolTypes.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'

const offer = (provider: string, change: Partial<OfferView> = {}): OfferView => ({
  provider,
  slot: 's',
  model: 'm',
  modelHash: new Uint8Array(32),
  tick: 40,
  capacity: 8,
  serviceMs: 0,
  tier: 'open',
  region: '',
  gpu: '',
  memoryGiB: 8,
  contextTokens: 4_096,
  demo: false,
  ...change,
})
const spec = (change: Partial<JobSpec> = {}): JobSpec => ({
  jobId: '00'.repeat(16),
  channel: new Address(0, Buffer.alloc(32, 1)),
  clientJobKey: new Uint8Array(32),
  model: 'm',
  maxTick: 50,
  promptTokens: 64,
  maxTokens: 32,
  minTier: 'open',
  regions: [],
  gpus: [],
  minMemoryGiB: 0,
  exclude: [],
  tags: [],
  speedWeight: 0,
  priority: 0,
  deadlineMs: 5_000,
  ...change,
})

function start() {
  const clock = createSimulatedClock({ startMs: 0 })
  const pool = createPool(clock, { strategy: 'exact', salt: 0, seed: 0, queueLimit: 1 })
  const add = (provider: string, change: Partial<OfferView> = {}) => {
    pool.offer(offer(provider, change))
    pool.setPayable(provider, true)
  }
  const ask = (id: string, change: Partial<JobSpec> = {}) => {
    const outcomes: Outcome[] = []
    pool.ask(id, spec(change), change.exclude ?? [], (outcome) => outcomes.push(outcome))
    return outcomes
  }
  return { clock, pool, add, ask }
}

describe('belief', () => {
  it('starts at one place, doubles with a full round, halves on failure', () => {
    let belief = newcomer(4, 0)
    expect(belief.usable).toBe(1)
    belief = revised(belief, 'served', 100)
    expect(belief.usable).toBe(2)
    belief = revised(belief, 'served', 100)
    expect(belief.usable).toBe(2)
    belief = revised(belief, 'served', 100)
    expect(belief.usable).toBe(4)
    for (let i = 0; i < 9; i++) belief = revised(belief, 'served', 100)
    expect(belief.usable).toBe(4)
    belief = revised(belief, 'failed', 0)
    expect(belief.usable).toBe(2)
    expect(redeclared(belief, 1).usable).toBe(1)
    expect(redeclared(belief, 0).usable).toBe(0)
  })

  it('corrects a declared service time by what was measured', () => {
    expect(revised(newcomer(1, 5), 'served', 900).serviceMs).toBe(900)
    const twice = revised(revised(newcomer(1, 5), 'served', 900), 'served', 400)
    expect(twice.serviceMs).toBe(800)
  })

  it('lets a slot rest that fails again at its last place, longer each time, up to a bound', () => {
    let belief = newcomer(8, 0)
    const rests: number[] = []
    for (let i = 0; i < 12; i++) {
      belief = revised(belief, 'failed', 0)
      rests.push(restMs(belief))
    }
    expect(rests.slice(0, 4)).toEqual([0, LIMITS.restMinMs, 2 * LIMITS.restMinMs, 4_000])
    expect(rests.at(-1)).toBe(LIMITS.restUnprovenMaxMs)
    expect(restMs({ ...belief, measured: 1 })).toBe(LIMITS.restMaxMs)
    expect(restMs(revised(belief, 'served', 1))).toBe(0)
  })

  it('counts what a client can cause only against a slot that has served nobody', () => {
    expect(revised(newcomer(8, 0), 'suspect', 0).failures).toBe(1)
    const known = revised(newcomer(8, 0), 'served', 1)
    expect(revised(known, 'suspect', 0)).toBe(known)
    expect(revised(known, 'unused', 0)).toBe(known)
  })
})

describe('the pool', () => {
  it('gives a lying newcomer one place, and nothing to a provider it cannot pay', () => {
    const { pool, add, ask } = start()
    add('liar', { tick: 0, capacity: 4_096 })
    add('honest')
    pool.offer(offer('unpaid', { tick: 0 }))
    expect(ask('a')).toMatchObject([{ type: 'matched', slot: 'liar/s' }])
    expect(ask('b')).toMatchObject([{ type: 'matched', slot: 'honest/s' }])
    expect(ask('c')).toMatchObject([{ type: 'queued' }])
  })

  it('hands a freed place to who waits, and refuses where the queue is full', () => {
    const { pool, add, ask } = start()
    add('p')
    ask('a')
    const waiting = ask('b')
    expect(ask('c')).toMatchObject([{ decision: { refused: 'queue-full' } }])
    pool.free('a', 'p/s', 'unused', 10)
    expect(waiting).toMatchObject([{ type: 'queued' }, { type: 'matched', slot: 'p/s' }])
    expect(pool.waiting()).toBe(0)
  })

  it('says what would help: the lowest tick, the requirement, or that nobody has the model', () => {
    const { add, ask } = start()
    add('p', { tick: 44 })
    expect(ask('a', { maxTick: 43 })).toMatchObject([
      { decision: { refused: 'price', lowestTick: 44 } },
    ])
    expect(ask('b', { minTier: 'gpu-tee' })).toMatchObject([
      { decision: { refused: 'requirements', first: 'tier' } },
    ])
    expect(ask('c', { model: 'x' })).toMatchObject([{ decision: { refused: 'no-model' } }])
  })

  it('ends a wait at its deadline, and leaves no clock behind', async () => {
    const { clock, add, ask } = start()
    add('p')
    ask('a')
    const late = ask('b')
    await clock.advance(5_001)
    expect(late.at(-1)).toEqual({ type: 'expired' })
    expect(clock.pending).toBe(0)
  })

  it('rests a failing slot and wakes it again', async () => {
    const { clock, pool, add, ask } = start()
    add('p')
    for (const id of ['a', 'b']) {
      expect(ask(id)).toMatchObject([{ type: 'matched' }])
      pool.free(id, 'p/s', 'failed', 1)
    }
    expect(ask('c')).toMatchObject([{ decision: { first: 'capacity' } }])
    await clock.advance(LIMITS.restMinMs)
    expect(ask('d')).toMatchObject([{ type: 'matched' }])
  })

  it('takes a failure of a slot that never served for one of all such of its provider', () => {
    const { pool, add, ask } = start()
    for (const slot of ['s', 't', 'u']) add('p', { slot, tick: 1 })
    add('q', { capacity: 1 })
    const fail = (id: string): void => {
      const [outcome] = ask(id)
      pool.free(id, outcome?.type === 'matched' ? outcome.slot : '', 'failed', 1)
    }
    fail('a')
    fail('b')
    expect(ask('c')).toMatchObject([{ type: 'matched', slot: 'q/s' }])
  })

  it('takes a provider whose slots fail one after another for failed, until one serves', () => {
    const { pool, add, ask } = start()
    const slots = ['s', 't', 'u', 'v', 'w']
    for (const [i, slot] of slots.entries()) {
      add('p', { slot, tick: 1 })
      ask(`warm${i}`)
      pool.free(`warm${i}`, `p/${slot}`, 'served', 1)
      add('p', { slot, tick: 2 })
    }
    add('q')
    for (let i = 0; i < LIMITS.providerFailures; i++) {
      const [outcome] = ask(`f${i}`)
      const slot = outcome?.type === 'matched' ? outcome.slot : ''
      expect(slot).toMatch(/^p\//)
      pool.free(`f${i}`, slot, 'failed', 1)
    }
    expect(ask('next')).toMatchObject([{ slot: 'q/s' }])
  })

  it('leaves what has served alone when another slot of its provider fails', () => {
    const { pool, add, ask } = start()
    add('p', { slot: 'good', tick: 1 })
    ask('a')
    pool.free('a', 'p/good', 'served', 5)
    add('p', { slot: 'bad', tick: 0 })
    for (const id of ['b', 'c']) {
      expect(ask(id)).toMatchObject([{ slot: 'p/bad' }])
      pool.free(id, 'p/bad', 'failed', 1)
    }
    expect(ask('d')).toMatchObject([{ slot: 'p/good' }])
  })

  it('sends a prompt that begins alike to where it was served, where affinity counts', () => {
    const clock = createSimulatedClock({ startMs: 0 })
    const chosen = (affinityBonus: number): Outcome[] => {
      const queueLimit = 1
      const pool = createPool(clock, {
        strategy: 'exact',
        salt: 0,
        seed: 0,
        queueLimit,
        affinityBonus,
      })
      const outcomes: Outcome[] = []
      const ask = (id: string, tags: string[]): void =>
        pool.ask(id, spec({ tags }), [], (outcome) => outcomes.push(outcome))
      const add = (provider: string, tick: number): void => {
        pool.offer(offer(provider, { tick }))
        pool.setPayable(provider, true)
      }
      add('dear', 41)
      ask('a', ['11'.repeat(8)])
      pool.free('a', 'dear/s', 'served', 1)
      add('cheap', 40)
      ask('b', ['11'.repeat(8), '22'.repeat(8)])
      return outcomes
    }
    expect(chosen(2 ** 40).at(-1)).toMatchObject({ slot: 'dear/s' })
    expect(chosen(0).at(-1)).toMatchObject({ slot: 'cheap/s' })
  })

  it('divides models among owners, and follows a slot that changes its model', () => {
    const clock = createSimulatedClock({ startMs: 0 })
    const pool = createPool(clock, {
      strategy: 'exact',
      salt: 0,
      seed: 0,
      queueLimit: 8,
      owners: 4,
    })
    const owners = new Set(['m', 'n', 'x'].map((model) => ownerNumber(model, 4)))
    expect(owners.size).toBeGreaterThan(1)
    const ask = (id: string, model: string): Outcome[] => {
      const outcomes: Outcome[] = []
      pool.ask(id, spec({ model }), [], (outcome) => outcomes.push(outcome))
      return outcomes
    }
    for (const model of ['m', 'n', 'x']) {
      pool.offer(offer(`of-${model}`, { model }))
      pool.setPayable(`of-${model}`, true)
      expect(ask(`1${model}`, model)).toMatchObject([{ slot: `of-${model}/s` }])
    }
    const waiting = ask('2m', 'm')
    expect(waiting).toMatchObject([{ type: 'queued' }])
    pool.offer(offer('of-n', { model: 'm' }))
    expect(waiting).toMatchObject([{ type: 'queued' }, { slot: 'of-n/s' }])
    expect(ask('2n', 'n')).toMatchObject([{ decision: { refused: 'no-model' } }])
    pool.cancel('3x')
    pool.stop()
  })

  it('forgets a provider that left, with its jobs, and knows the lowest tick of a model', () => {
    const { pool, add, ask } = start()
    add('p', { tick: 30 })
    add('q', { tick: 35 })
    expect(pool.lowestTick('m')).toBe(30)
    ask('a')
    pool.leave('p')
    expect(pool.lowestTick('m')).toBe(35)
    pool.free('a', 'p/s', 'served', 5)
    expect(ask('b')).toMatchObject([{ type: 'matched', slot: 'q/s' }])
    pool.leave('q')
    expect(pool.lowestTick('m')).toBeUndefined()
    expect(pool.offers()).toEqual([])
  })

  it('gives back a place that was cancelled on its way', () => {
    const { pool, add, ask } = start()
    add('p')
    ask('a')
    const waiting = ask('b')
    pool.cancel('b')
    pool.free('a', 'p/s', 'served', 1)
    expect(waiting).toHaveLength(1)
    expect(ask('c')).toMatchObject([{ type: 'matched' }])
  })
})

describe('offers', () => {
  const message = {
    $typeName: 'chrysalis.v1.Offer' as const,
    ...offer('p'),
    memoryGib: 8,
    asset: '',
  }
  const named = (field: string) =>
    expect.objectContaining({ code: 'bad-input', facts: expect.objectContaining({ field }) })

  it('are taken as they are', () => {
    expect(parseOffer(message, 'p')).toMatchObject({ model: 'm', tick: 40 })
  })

  it.each([
    ['tick', { tick: 96 }],
    ['capacity', { capacity: LIMITS.capacity + 1 }],
    ['model', { model: '../x y' }],
    ['slot', { slot: '' }],
    ['tier', { tier: 'best' }],
    ['modelHash', { modelHash: new Uint8Array(31) }],
    ['contextTokens', { contextTokens: 0 }],
  ])('with a wrong %s are refused by its name', (field, change) => {
    expect(() => parseOffer({ ...message, ...change } as typeof message, 'p')).toThrow(named(field))
  })

  it('add up to one line a model', () => {
    const lines = modelsOnOffer([offer('p'), offer('q', { tick: 30 }), offer('r', { model: 'n' })])
    expect(lines).toMatchObject([
      { model: 'm', lowestTick: 30, places: 16, providers: 2 },
      { model: 'n', providers: 1 },
    ])
  })

  it('are told apart where other weights stand under one name, the cheapest first', () => {
    const other = new Uint8Array(32).fill(7)
    const lines = modelsOnOffer([offer('p'), offer('q', { tick: 30, modelHash: other })])
    expect(lines.map(({ model, lowestTick }) => [model, lowestTick])).toEqual([
      ['m', 30],
      ['m', expect.any(Number)],
    ])
    expect(lines[0]!.modelHash).toEqual(other)
  })
})
