/**
 * The provider's pure parts: the job machine in any order of events, the meter, the places and the
 * check of a lease.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signingKey } from '../../../contracts/base/signing.ts'
import { FIRST_PARAMETERS } from '../../../contracts/money/marketTerms.ts'
import { cost, DEFAULT_PARAMETERS, NO_USAGE, type Terms } from '../../../contracts/money/price.ts'
import { type Lease, lease, recordBytes, signRecord } from '../../../contracts/wire/records.ts'
import type { BackendPiece } from '../../../node/backends/backend.ts'
import { checkLease } from '../../../node/provider/accepting.ts'
import {
  type JobEffect,
  type JobEvent,
  type JobState,
  mayContinue,
  startJob,
  stepJob,
} from '../../../node/provider/job.ts'
import { bill, covers, startMeter } from '../../../node/provider/meter.ts'
import { dividePlaces, freePlace, takenBy, takePlace } from '../../../node/provider/places.ts'

const { multipliers, steps, window } = DEFAULT_PARAMETERS
const terms: Terms = { tick: 60, fee: 0, multipliers, steps, window }
const ENOUGH = 10n ** 12n
const text = (n: number): BackendPiece => ({
  type: 'text',
  text: 'x'.repeat(9),
  completionTokens: n,
})
const prompt: BackendPiece = { type: 'prompt', prompt: 10, cachedPrompt: 0 }
const end: BackendPiece = {
  type: 'end',
  finishReason: 'stop',
  usage: { prompt: 10, cachedPrompt: 0, completion: 3, reasoning: 0 },
}
const opened: JobEvent = { type: 'opened', expectedPrompt: 4 }

const anyEvent: fc.Arbitrary<JobEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<JobEvent>({ type: 'request' }, opened) },
  fc.constantFrom<JobEvent>(
    { type: 'openFailed', code: 'cannot-open' },
    { type: 'abort' },
    { type: 'gone' },
    { type: 'tick' },
    { type: 'timer', name: 'request' },
    { type: 'timer', name: 'lease' },
    { type: 'failed', code: 'backend-failed', facts: {} },
    { type: 'failed', code: 'prompt-too-long', facts: { contextTokens: 1 } },
  ),
  fc.bigInt({ min: 0n, max: ENOUGH }).map((total): JobEvent => ({ type: 'granted', total })),
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(prompt, text(1), text(2), text(40), end)
      .map((piece): JobEvent => ({ type: 'piece', piece })),
  },
)

function play(events: readonly JobEvent[]): { state: JobState; effects: JobEffect[] } {
  let state = startJob(terms)
  const effects: JobEffect[] = []
  for (const event of events) {
    const step = stepJob(state, event)
    const over = state.phase === 'ended'
    if (over) expect(step.effects).toEqual([])
    state = step.state
    effects.push(...step.effects)
  }
  return { state, effects }
}

const of = <T extends JobEffect['type']>(effects: readonly JobEffect[], type: T) =>
  effects.filter((effect): effect is Extract<JobEffect, { type: T }> => effect.type === type)

describe('the job machine, in any order of events', () => {
  const check = (rule: (events: readonly JobEvent[]) => void) =>
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 40 }), rule), { numRuns: 1_500 })

  it('ends once, in a receipt or a refusal, and gives its place back once', () => {
    check((events) => {
      const { state, effects } = play(events)
      const ends = of(effects, 'finish').length + of(effects, 'refuse').length
      expect(ends).toBe(state.phase === 'ended' ? 1 : 0)
      expect(of(effects, 'release').length).toBe(ends)
    })
  })

  it('never bills above the grant, and never more than its frames have said', () => {
    check((events) => {
      const { effects } = play(events)
      const [done] = of(effects, 'finish')
      if (!done) return
      const granted = events.flatMap((e) => (e.type === 'granted' ? [e.total] : [])).concat(0n)
      expect(done.cost).toBe(cost(done.billed, terms))
      expect(done.cost <= granted.reduce((a, b) => (a > b ? a : b))).toBe(true)
      expect(done.billed).toEqual(of(effects, 'frames').at(-1)?.billed ?? NO_USAGE)
    })
  })

  it('runs nothing before it was opened, and sends no frame before it runs', () => {
    check((events) => {
      const { effects } = play(events)
      const kinds = effects.map(({ type }) => type)
      if (kinds.includes('run')) expect(kinds.indexOf('open')).toBeLessThan(kinds.indexOf('run'))
      if (kinds.includes('frames')) {
        expect(kinds.indexOf('run')).toBeLessThan(kinds.indexOf('frames'))
      }
    })
  })
})

describe('a job', () => {
  const paid: JobEvent[] = [{ type: 'granted', total: ENOUGH }, { type: 'request' }, opened]
  const piece = (each: BackendPiece): JobEvent => ({ type: 'piece', piece: each })

  it('is billed for what was handed over', () => {
    const ticks = Array.from({ length: 9 }, (): JobEvent => ({ type: 'tick' }))
    const { effects } = play([...paid, piece(prompt), piece(text(3)), piece(end), ...ticks])
    const [done] = of(effects, 'finish')
    expect(done).toMatchObject({ outcome: 'completed', billed: { prompt: 64, completion: 32 } })
  })

  it('stops its backend at once when its scheduler is gone, with a receipt for the rest', () => {
    const { effects } = play([...paid, piece(prompt), piece(text(1)), { type: 'gone' }])
    expect(of(effects, 'stopBackend')).toHaveLength(1)
    expect(of(effects, 'finish')).toMatchObject([{ outcome: 'aborted' }])
  })

  it('evaluates no prompt that is not paid for', () => {
    const one = cost({ ...NO_USAGE, prompt: 64, completion: 32 }, terms)
    const { state } = play([{ type: 'granted', total: one }, { type: 'request' }])
    const short = stepJob(state, { type: 'opened', expectedPrompt: 64 }).state
    expect(mayContinue(short, 0)).toBe(true)
    const long = stepJob(state, { type: 'opened', expectedPrompt: 65 }).state
    expect(mayContinue(long, 0)).toBe(false)
  })

  it('may be tried elsewhere after an early failure, but not where the request broke it', () => {
    const lost = play([...paid, { type: 'failed', code: 'backend-failed', facts: {} }])
    expect(of(lost.effects, 'refuse')).toMatchObject([{ code: 'backend-failed' }])
    const told = play([...paid, { type: 'failed', code: 'prompt-too-long', facts: {} }])
    expect(of(told.effects, 'refuse')).toEqual([])
    expect(of(told.effects, 'frames').length).toBeGreaterThan(0)
  })
})

describe('the meter', () => {
  it('covers what the grant pays for, prompt included, and not a token more', () => {
    const usage = { ...NO_USAGE, prompt: 64 }
    const granted = cost({ ...usage, completion: 32 }, terms)
    const meter = { ...startMeter(terms), granted }
    expect(covers(meter, usage, 32)).toBe(true)
    expect(covers(meter, usage, 33)).toBe(false)
    expect(covers({ ...meter, granted: granted - 1n }, usage, 32)).toBe(false)
    expect(covers({ ...meter, granted: 0n }, usage, 0)).toBe(false)
  })

  it('bills whole steps within any grant, as much as it covers', () => {
    fc.assert(
      fc.property(
        fc.nat(5_000),
        fc.nat(5_000),
        fc.bigInt({ min: 0n, max: 10n ** 10n }),
        (promptTokens, completion, granted) => {
          const delivered = { ...NO_USAGE, prompt: promptTokens, completion }
          const { billed, cost: amount } = bill({ terms, granted, delivered })
          expect(amount).toBe(cost(billed, terms))
          expect(amount <= granted).toBe(true)
          expect(billed.prompt % 64).toBe(0)
          expect(billed.completion % 32).toBe(0)
          const cut = billed.prompt < promptTokens || billed.completion < completion
          const next = { ...billed, prompt: billed.prompt + 64 }
          if (cut && billed.prompt < promptTokens) expect(cost(next, terms) > granted).toBe(true)
        },
      ),
    )
  })
})

describe('places', () => {
  it('are divided so that none is sold twice', () => {
    fc.assert(
      fc.property(fc.nat(64), fc.integer({ min: 1, max: 5 }), (count, schedulers) => {
        const ids = Array.from({ length: schedulers }, (_, at) => `s${at}`)
        const places = dividePlaces(count, ids)
        const total = Object.values(places.shares).reduce((a, b) => a + b, 0)
        expect(total).toBe(count)
      }),
    )
  })

  it('end with the share, and come back', () => {
    let places = dividePlaces(3, ['a', 'b'])
    expect(places.shares).toEqual({ a: 2, b: 1 })
    places = takePlace(takePlace(places, 'a')!, 'a')!
    expect(takePlace(places, 'a')).toBeUndefined()
    expect(takePlace(places, 'stranger')).toBeUndefined()
    expect(takePlace(freePlace(places, 'a'), 'a')).toBeDefined()
    expect(takenBy(freePlace(freePlace(freePlace(places, 'a'), 'a'), 'a'), 'a')).toBe(0)
  })
})

describe('a lease', () => {
  const scheduler = signingKey(new Uint8Array(32).fill(1))
  const provider = signingKey(new Uint8Array(32).fill(2))
  const modelHash = new Uint8Array(32).fill(3)
  const nowS = 1_800_000_000
  const slot = {
    model: 'm',
    modelHash,
    tick: 40,
    tier: 'open' as const,
  }
  const good: Lease = {
    network: -7,
    jobId: new Uint8Array(16).fill(4),
    attempt: 1,
    scheduler: scheduler.publicKey,
    provider: provider.publicKey,
    clientJobKey: new Uint8Array(32).fill(5),
    modelHash,
    minTier: 'open',
    asset: 'ton',
    tick: 40,
    fee: 300,
    multipliers,
    steps,
    window,
    parameterVersion: 1,
    strategy: 'exact',
    expiryS: nowS + 600,
  }
  const version = async (number: number) => (number === 1 ? FIRST_PARAMETERS : undefined)
  const own = { network: -7, identity: provider.publicKey, slots: [slot], nowS, version }
  const check = (change: Partial<Lease> = {}, signer = scheduler) => {
    const cell = lease.encode({ ...good, ...change })
    const signed = { record: recordBytes(cell), signature: signRecord(cell, signer) }
    return checkLease(signed, { ...own, scheduler: scheduler.publicKey })
  }

  it('is accepted where it is what was offered, or pays more', async () => {
    expect((await check()).jobId).toBe('04'.repeat(16))
    expect((await check({ tick: 41 })).lease.tick).toBe(41)
  })

  it('is refused where its signature is not the scheduler’s', async () => {
    await expect(check({}, provider)).rejects.toMatchObject({ code: 'bad-signature' })
  })

  it.each<[string, string, Partial<Lease>]>([
    ['another network', 'wrong-network', { network: -8 }],
    ['another scheduler', 'bad-lease', { scheduler: provider.publicKey }],
    ['another provider', 'bad-lease', { provider: scheduler.publicKey }],
    ['a model that is not offered', 'no-model', { modelHash: new Uint8Array(32) }],
    ['a price below the offer', 'bad-lease', { tick: 39 }],
    ['a tier that is not proved', 'bad-lease', { minTier: 'cpu-tee' }],
    ['other multipliers', 'bad-lease', { multipliers: { ...multipliers, prompt: 1 } }],
    ['other steps', 'bad-lease', { steps: { ...steps, completion: 64 } }],
    ['another window', 'bad-lease', { window: 512 }],
    ['a version of the parameters that is not known', 'bad-lease', { parameterVersion: 2 }],
    ['an end in the past', 'bad-lease', { expiryS: nowS }],
    ['an end too far away', 'bad-lease', { expiryS: nowS + 10_000 }],
  ])('is refused with %s', async (_, code, change) => {
    await expect(check(change)).rejects.toMatchObject({ code })
  })
})
