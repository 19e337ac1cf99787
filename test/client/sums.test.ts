/**
 * The client's sums: paying ahead, recounting, quoting, and what a request may say.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  charge,
  firstGrant,
  NOTHING_PAID,
  nextGrant,
  promptBound,
  worstCase,
} from '../../client/payAhead.ts'
import { settlePolicy } from '../../client/policy.ts'
import { continuation, prepareJob } from '../../client/prepare.ts'
import { quoteJob } from '../../client/quote.ts'
import { isImplausible, recount } from '../../client/recount.ts'
import type { JobRequest, OfferedModel } from '../../client/types.ts'
import { parseNetwork } from '../../contracts/base/network.ts'
import {
  affordable,
  DEFAULT_PARAMETERS,
  NO_USAGE,
  type Terms,
} from '../../contracts/money/price.ts'
import { tinyChatTokenizer } from '../../contracts/money/tinyChatTokenizer.ts'
import { bytesTokenizer } from '../../contracts/money/tokenizer.ts'
import { checkRequest, prompt } from '../../node/backends/backend.ts'

const SEED = 20_261_122
const { steps } = DEFAULT_PARAMETERS
const terms = fc.record({
  tick: fc.integer({ min: 0, max: 95 }),
  fee: fc.integer({ min: 0, max: 1_000 }),
  multipliers: fc.constantFrom(DEFAULT_PARAMETERS.multipliers, {
    ...DEFAULT_PARAMETERS.multipliers,
    reasoning: 30_000,
  }),
  steps: fc.constant(steps),
  window: fc.constantFrom(32, 256, 1_024),
})
const bounds = fc.record({
  promptTokens: fc.constantFrom(64, 128, 4_096),
  maxTokens: fc.integer({ min: 1, max: 5_000 }),
})

describe('paying ahead', () => {
  it('lets the provider work on, stays a window or two ahead, never above the worst case', () => {
    fc.assert(
      fc.property(terms, bounds, fc.boolean(), (terms: Terms, bounds, thinks) => {
        let paid = firstGrant(NOTHING_PAID, bounds, terms)
        const usage = { ...NO_USAGE, prompt: bounds.promptTokens }
        for (let tokens = 0; tokens < bounds.maxTokens; tokens++) {
          const covered = affordable(paid.granted, usage, terms, true)
          // The stream never has to stop for a payment that was due.
          expect(covered).toBeGreaterThan(tokens)
          const sofar = thinks
            ? { ...usage, reasoning: tokens + 1 }
            : { ...usage, completion: tokens + 1 }
          paid = nextGrant(paid, sofar, bounds, terms)
          expect(paid.paidTokens - tokens).toBeLessThanOrEqual(2 * terms.window + 1)
          expect(paid.granted).toBeLessThanOrEqual(worstCase(bounds, terms))
        }
        expect(paid.granted).toBeGreaterThanOrEqual(
          charge({ ...usage, completion: bounds.maxTokens }, terms),
        )
      }),
      { seed: SEED, numRuns: 25 },
    )
  })

  it('keeps below the cap of the caller, and gives nothing where it buys nothing', () => {
    const at = { ...DEFAULT_PARAMETERS, tick: 40, fee: 500 }
    const all = { promptTokens: 64, maxTokens: 1_000 }
    const maxCost = worstCase(all, at) / 2n
    let paid = firstGrant(NOTHING_PAID, { ...all, maxCost }, at)
    for (let completion = 1; completion <= 1_000; completion++) {
      paid = nextGrant(paid, { ...NO_USAGE, prompt: 20, completion }, { ...all, maxCost }, at)
    }
    expect(paid.granted).toBe(maxCost)
    expect(() => firstGrant(NOTHING_PAID, { ...all, maxCost: 1n }, at)).toThrow(
      expect.objectContaining({ code: 'no-funds' }),
    )
  })

  it('adds nothing for a second attempt at the same price, the difference at a higher one', () => {
    const at = { ...DEFAULT_PARAMETERS, tick: 40, fee: 500 }
    const all = { promptTokens: 64, maxTokens: 1_000 }
    const first = firstGrant(NOTHING_PAID, all, at)
    expect(firstGrant(first, all, at).granted).toBe(first.granted)
    const dearer = firstGrant(first, all, { ...at, tick: 41 })
    expect(dearer.granted).toBe(firstGrant(NOTHING_PAID, all, { ...at, tick: 41 }).granted)
  })

  it('bounds a prompt by bytes, padded to a size class', () => {
    const of = (content: string) => promptBound([{ role: 'user', content }], bytesTokenizer.count)
    expect(of('')).toBe(64)
    expect(of('x'.repeat(32))).toBe(64)
    expect(of('x'.repeat(33))).toBe(128)
    expect(of('é'.repeat(33))).toBe(128)
    expect(() => of('x'.repeat(600_000))).toThrow(expect.objectContaining({ code: 'too-large' }))
    const text = 'Say hello to the world of small models'
    expect(tinyChatTokenizer.count(text)).toBeLessThanOrEqual(bytesTokenizer.count(text))
  })
})

describe('recount', () => {
  const received = {
    text: 'x'.repeat(100),
    reasoning: '',
    usage: { ...NO_USAGE, prompt: 60, completion: 100 },
    promptTokens: 64,
  }
  const bill = { ...NO_USAGE, prompt: 64, completion: 128 }

  it('countersigns within one step, disputes beyond', () => {
    expect(recount(received, bill, steps, bytesTokenizer)).toMatchObject({
      counted: 'bytes',
      beyond: false,
      own: bill,
    })
    const more = (tokens: number) => ({ ...bill, completion: bill.completion + tokens })
    expect(recount(received, more(32), steps, bytesTokenizer).beyond).toBe(false)
    expect(recount(received, more(64), steps, bytesTokenizer).beyond).toBe(true)
    const prompt = { ...bill, prompt: 64 + 128 }
    expect(recount(received, prompt, steps, bytesTokenizer).beyond).toBe(true)
    const cached = { ...bill, cachedPrompt: 128 }
    expect(recount(received, cached, steps, bytesTokenizer).beyond).toBe(true)
  })

  it('does not bill reasoning that nobody saw', () => {
    const hidden = { ...received, usage: { ...received.usage, reasoning: 500 } }
    const thought = { ...bill, reasoning: 512 }
    expect(recount(hidden, thought, steps, bytesTokenizer).beyond).toBe(true)
  })

  it('says when it counted with the tokenizer, which is stricter than bytes', () => {
    const text = 'the quick brown fox '.repeat(40)
    const claimed = { ...received, text, usage: { ...received.usage, completion: 700 } }
    const lie = { ...bill, completion: 704 }
    expect(recount(claimed, lie, steps, bytesTokenizer).beyond).toBe(false)
    const exact = recount(claimed, lie, steps, tinyChatTokenizer)
    expect(exact).toMatchObject({ counted: 'tokenizer', beyond: true })
  })

  it('knows a claim that cannot be', () => {
    const usage = { ...NO_USAGE, prompt: 60, completion: 42 }
    expect(isImplausible({ bytes: 10, usage, promptTokens: 64 }, steps)).toBe(false)
    expect(isImplausible({ bytes: 9, usage, promptTokens: 64 }, steps)).toBe(true)
    expect(isImplausible({ bytes: 99, usage, promptTokens: 59 }, steps)).toBe(true)
  })
})

const network = parseNetwork({
  id: 77,
  name: 'n',
  toncenter: 'http://127.0.0.1:1',
  schedulers: [],
  development: true,
})
const policy = settlePolicy({}, network)
const messages = [{ role: 'user' as const, content: 'Hi' }]
const prepare = (request: Partial<JobRequest>) =>
  prepareJob({ model: 'm', messages, ...request }, policy, bytesTokenizer.count, () =>
    new Uint8Array(16).fill(1),
  )

describe('affinity', () => {
  it('is asked for by name: without it no tag leaves the client', () => {
    const tagged = (request: Partial<JobRequest>) =>
      prepareJob(
        { model: 'm', messages, ...request },
        policy,
        bytesTokenizer.count,
        () => new Uint8Array(16),
        () => ['00'.repeat(8)],
      ).spec.tags
    expect(tagged({})).toEqual([])
    expect(tagged({ affinity: false })).toEqual([])
    expect(tagged({ affinity: true })).toEqual(['00'.repeat(8)])
  })
})

describe('a request', () => {
  it('gets the defaults of the policy', () => {
    expect(prepare({}).spec).toMatchObject({
      jobId: '01'.repeat(16),
      minTier: 'simulated',
      maxTick: 60,
      maxTokens: 512,
      deadlineMs: 60_000,
    })
    expect(settlePolicy({}, { ...network, development: false }).minTier).toBe('gpu-tee')
    expect(prepare({ minTier: 'open', maxTick: 10 }).spec).toMatchObject({
      minTier: 'open',
      maxTick: 10,
    })
  })

  const wrong: [string, object][] = [
    ['an unknown key', { maxtick: 10 }],
    ['no messages', { messages: [] }],
    ['an unknown role', { messages: [{ role: 'tool', content: '' }] }],
    ['a model that is a path', { model: '../../etc/passwd' }],
    ['a tick beyond the table', { maxTick: 96 }],
    ['no tokens', { maxTokens: 0 }],
    ['too many tokens', { maxTokens: 65_537 }],
    ['a tier that is none', { minTier: 'tee' }],
    ['a number as money', { maxCost: 5 }],
    ['no money', { maxCost: 0n }],
    ['a short job id', { jobId: 'ab' }],
    ['a region that is no name', { regions: ['e u'] }],
    ['a provider that is no identity', { exclude: ['ab'] }],
    ['too long a wait', { deadlineMs: 600_001 }],
    ['a priority beyond its bounds', { priority: 101 }],
    ['a speed weight that is no whole number', { speedWeight: 0.5 }],
  ]
  it.each(wrong)('is refused with %s', (_, request) => {
    expect(() => prepare(request as Partial<JobRequest>)).toThrow(
      expect.objectContaining({ code: 'bad-input' }),
    )
  })

  it('continues with what was delivered, as a new job', () => {
    const request = { model: 'm', messages, maxTokens: 100, jobId: 'ab'.repeat(16) }
    const next = continuation(request, 'so far', 30)
    expect(next).toMatchObject({ maxTokens: 70, jobId: undefined })
    expect(next.messages.slice(0, -1)).toEqual([
      ...messages,
      { role: 'assistant', content: 'so far' },
    ])
  })

  it('continues with a request that every backend takes', () => {
    const { messages: asked } = continuation({ model: 'm', messages, maxTokens: 100 }, 'so far', 30)
    const weightsHash = new Uint8Array(32)
    const served = { id: 'm', weightsHash, contextTokens: 512, places: 1, demo: true }
    const request = { model: 'm', messages: prompt(asked), maxTokens: 70 }
    expect(checkRequest(request, [served])).toBe(served)
  })
})

describe('a policy', () => {
  it('is checked', () => {
    for (const wrong of [{ maxTick: 96 }, { maxFee: -1 }, { models: { m: 'ab' } }]) {
      expect(() => settlePolicy(wrong, network)).toThrow(
        expect.objectContaining({ code: 'bad-input' }),
      )
    }
  })
})

describe('a quote', () => {
  const model: OfferedModel = {
    model: 'm',
    modelHash: '00'.repeat(32),
    lowestTick: 40,
    price: 0n,
    places: 1,
    providers: 1,
    tiers: ['open'],
    contextTokens: 512,
    demo: false,
  }
  const facts = {
    models: [model],
    fee: 500,
    closeDelayS: 86_400,
    parameters: DEFAULT_PARAMETERS,
  }

  it('names price, worst case, fee, chain fees and the longest lock', () => {
    const job = prepare({ maxTokens: 100, maxTick: 50 })
    const quote = quoteJob(job, facts)
    const at = { ...DEFAULT_PARAMETERS, fee: 500 }
    expect(quote).toMatchObject({ tick: 40, maxTick: 50, longestLockS: 86_400, promptTokens: 64 })
    expect(quote.worstCase).toBe(worstCase(job.bounds, { ...at, tick: 50 }))
    expect(quote.likely).toBe(worstCase(job.bounds, { ...at, tick: 40 }))
    const free = quoteJob(job, { ...facts, fee: 0 })
    expect(quote.worstCase - quote.fee).toBe(free.worstCase)
    expect(quote.chainFees.openChannel).toBeGreaterThan(0n)
  })

  it('never exceeds the cap of the caller', () => {
    expect(quoteJob(prepare({ maxCost: 7n }), facts).worstCase).toBe(7n)
  })

  it('refuses a model that nobody serves, and a price that nobody asks', () => {
    const refusal = (request: Partial<JobRequest>) => () => quoteJob(prepare(request), facts)
    expect(refusal({ model: 'other' })).toThrow(expect.objectContaining({ code: 'no-model' }))
    expect(refusal({ maxTick: 39 })).toThrow(
      expect.objectContaining({ code: 'price', facts: { lowestTick: 40, maxTick: 39 } }),
    )
  })
})
