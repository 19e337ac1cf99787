/**
 * Prices: the committed table, steps, cost rounded once, windows that add up, grants that cover.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import {
  affordable,
  billed,
  charge,
  cost,
  DEFAULT_PARAMETERS,
  feeOn,
  NO_USAGE,
  renewalDue,
  type Terms,
  TICKS,
  type TokenUsage,
  tickPrice,
  windowFor,
} from '../../../contracts/money/price.ts'
import { exactTick, JETTON_TICKS, TON_TICKS } from '../../../contracts/money/ticks.ts'

const { multipliers, steps, window } = DEFAULT_PARAMETERS
const TERMS: Terms = { tick: 40, fee: 250, multipliers, steps, window }
const SEED = 7

const part = fc.nat(20_000)
const anyTerms: fc.Arbitrary<Terms> = fc.record({
  tick: fc.nat(95),
  fee: fc.nat(10_000),
  multipliers: fc.record({ prompt: part, cachedPrompt: part, completion: part, reasoning: part }),
  steps: fc.record({
    prompt: fc.integer({ min: 1, max: 128 }),
    cachedPrompt: fc.integer({ min: 1, max: 128 }),
    completion: fc.integer({ min: 1, max: 64 }),
  }),
  window: fc.constant(256),
})
const count = fc.nat(100_000)
const anyUsage: fc.Arbitrary<TokenUsage> = fc.record({
  prompt: count,
  cachedPrompt: count,
  completion: count,
  reasoning: count,
})

describe('the price table', () => {
  it('is the rule in exact rational arithmetic', () => {
    expect([TON_TICKS.length, JETTON_TICKS.length]).toEqual([TICKS, TICKS])
    for (let tick = 0; tick < TICKS; tick++) {
      expect(TON_TICKS[tick]).toBe(exactTick(1_000_000n, tick))
      expect(JETTON_TICKS[tick]).toBe(exactTick(1_000n, tick))
    }
    expect(tickPrice(95)).toBe(47_392_776_623n)
    expect(tickPrice(1, 'jetton')).toBe(1_120n)
  })

  it.each([-1, 96, 1.5, Number.NaN])('has no tick %s', (tick) => {
    expect(() => tickPrice(tick)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })
})

describe('billed usage', () => {
  it('rounds prompt and cached apart, completion and reasoning together', () => {
    expect(billed({ prompt: 65, cachedPrompt: 1, completion: 5, reasoning: 20 }, steps)).toEqual({
      prompt: 128,
      cachedPrompt: 64,
      completion: 0,
      reasoning: 32,
    })
    expect(billed({ ...NO_USAGE, completion: 33 }, steps).completion).toBe(64)
    expect(billed(NO_USAGE, steps)).toEqual(NO_USAGE)
  })

  it('adds less than a step to what was generated, and is its own bill', () => {
    const property = fc.property(anyUsage, anyTerms, (usage, terms) => {
      const bill = billed(usage, terms.steps)
      const added = bill.completion + bill.reasoning - usage.completion - usage.reasoning
      expect(added >= 0 && added < terms.steps.completion).toBe(true)
      expect(bill.completion).toBeGreaterThanOrEqual(0)
      expect(billed(bill, terms.steps)).toEqual(bill)
    })
    fc.assert(property, { seed: SEED })
  })

  it.each([-1, 0.5, 2 ** 32])('refuses %s tokens', (completion) => {
    const usage = { ...NO_USAGE, completion }
    expect(() => billed(usage, steps)).toThrow(expect.objectContaining({ code: 'bad-input' }))
    expect(() => cost(usage, TERMS)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })
})

describe('cost', () => {
  it('is the sum over the classes, rounded up once', () => {
    const usage = { prompt: 64, cachedPrompt: 64, completion: 32, reasoning: 32 }
    const weighted = 64n * 2_500n + 64n * 500n + 64n * 10_000n
    const exact = weighted * TON_TICKS[40]!
    expect(cost(usage, TERMS)).toBe(exact / 10_000_000_000n + 1n)
    expect(cost({ ...NO_USAGE, completion: 1_000_000 }, TERMS)).toBe(TON_TICKS[40])
    expect(cost({ ...NO_USAGE, completion: 1_000_000 }, TERMS, 'jetton')).toBe(JETTON_TICKS[40])
    expect(cost(NO_USAGE, TERMS)).toBe(0n)
  })

  it('bears a fee, rounded up', () => {
    expect(feeOn(1n, TERMS)).toBe(1n)
    expect(feeOn(10_000n, TERMS)).toBe(250n)
    expect(feeOn(10_001n, TERMS)).toBe(251n)
    expect(feeOn(5n, { fee: 0 })).toBe(0n)
  })
})

describe('what a grant covers', () => {
  it('is never over, and a step more would be', () => {
    const property = fc.property(
      fc.bigInt(0n, 10n ** 12n),
      anyUsage,
      anyTerms,
      fc.boolean(),
      fc.constantFrom('ton' as const, 'jetton' as const),
      (granted, prompt, terms, withFee, asset) => {
        const dearest = terms.multipliers.completion >= terms.multipliers.reasoning
        const at = (tokens: number) => {
          const generated = dearest ? { completion: tokens } : { reasoning: tokens }
          const usage = { ...prompt, completion: 0, reasoning: 0, ...generated }
          return charge(billed(usage, terms.steps), terms, withFee, asset)
        }
        const tokens = affordable(granted, prompt, terms, withFee, asset)
        expect(tokens % terms.steps.completion).toBe(0)
        if (tokens > 0) expect(at(tokens) <= granted).toBe(true)
        const more = tokens + terms.steps.completion
        if (more < 2 ** 32) expect(at(more) > granted).toBe(true)
      },
    )
    fc.assert(property, { seed: SEED, numRuns: 1_000 })
  })

  it('is nothing where the prompt is not covered, and bounded where tokens are free', () => {
    const prompt = { ...NO_USAGE, prompt: 10_000 }
    expect(affordable(1n, prompt, TERMS, true)).toBe(0)
    const free = { ...TERMS, multipliers: { ...multipliers, completion: 0, reasoning: 0 } }
    expect(affordable(0n, NO_USAGE, free, true)).toBe(2 ** 32 - 32)
  })
})

describe('windows', () => {
  it('start small, double with each one delivered, and stop at the lease', () => {
    const sizes = [0, 1, 2, 3, 4, 1_000].map((delivered) => windowFor(delivered, 256))
    expect(sizes).toEqual([LIMITS.firstWindowTokens, 64, 128, 256, 256, 256])
    expect(windowFor(0, 16)).toBe(16)
  })

  it('are renewed at half', () => {
    expect(renewalDue(127, 256, 256)).toBe(false)
    expect(renewalDue(128, 256, 256)).toBe(true)
  })
})
