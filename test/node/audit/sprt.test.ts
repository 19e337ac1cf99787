/**
 * The sequential test keeps its promises: its error rates by simulation over many plans, its
 * boundaries by a slow twin, and it ends.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LOGPROB_PLAN, TEXT_PLAN } from '../../../node/audit/auditModel.ts'
import {
  checkPlan,
  type Decision,
  decide,
  logRatio,
  observe,
  SPRT_START,
  type SprtPlan,
} from '../../../node/audit/sprt.ts'

const SEED = 20_261_126
console.log(`seed ${SEED}`)

/** Uniform in [0, 1), by seed: splitmix32, which a million draws need to be fast. */
function uniform(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}

/** Observations at `rate` until the test decides: what it said, and after how many. */
function play(plan: SprtPlan, rate: number, draw: () => number) {
  let state = SPRT_START
  let decision: Decision = 'undecided'
  while (decision === 'undecided' && state.observations < 100_000) {
    state = observe(state, draw() < rate)
    decision = decide(plan, state)
  }
  return { decision, count: state.observations }
}

/** The share of `runs` that end in `wrong`, and the mean number of observations. */
function errorRate(plan: SprtPlan, rate: number, wrong: Decision, runs: number) {
  const draw = uniform(SEED)
  let errors = 0
  let total = 0
  for (let i = 0; i < runs; i++) {
    const { decision, count } = play(plan, rate, draw)
    errors += Number(decision === wrong)
    total += count
  }
  return { share: errors / runs, mean: total / runs }
}

/** Four standard deviations above what Wald's bound allows: 1 in 30,000 false alarms. */
const allowed = (bound: number, runs: number) =>
  bound + 4 * Math.sqrt((bound * (1 - bound)) / runs) + 4 / runs

const plans: fc.Arbitrary<SprtPlan> = fc
  .record({
    sameRate: fc.double({ min: 0.01, max: 0.3, noNaN: true }),
    gap: fc.double({ min: 0.15, max: 0.6, noNaN: true }),
    alpha: fc.double({ min: 0.01, max: 0.1, noNaN: true }),
    beta: fc.double({ min: 0.01, max: 0.1, noNaN: true }),
  })
  .map(({ gap, ...plan }) => ({ ...plan, differentRate: plan.sameRate + gap }))

describe('error rates, by simulation', () => {
  it('are within their bounds for any plan, at and beyond its rates', () => {
    const runs = 1_000
    fc.assert(
      fc.property(plans, fc.double({ min: 0, max: 1, noNaN: true }), (plan, part) => {
        const { sameRate, differentRate, alpha, beta } = plan
        const falseAlarm = allowed(alpha / (1 - beta), runs)
        const missed = allowed(beta / (1 - alpha), runs)
        const more = differentRate + part * (1 - differentRate)
        expect(errorRate(plan, sameRate, 'different', runs).share).toBeLessThan(falseAlarm)
        expect(errorRate(plan, part * sameRate, 'different', runs).share).toBeLessThan(falseAlarm)
        expect(errorRate(plan, differentRate, 'same', runs).share).toBeLessThan(missed)
        expect(errorRate(plan, more, 'same', runs).share).toBeLessThan(missed)
      }),
      { seed: SEED, numRuns: 25 },
    )
  })

  it('of the plans in use: figures', () => {
    const runs = 20_000
    for (const [name, plan] of Object.entries({ text: TEXT_PLAN, logprobs: LOGPROB_PLAN })) {
      const { alpha, beta } = plan
      const alarm = errorRate(plan, plan.sameRate, 'different', runs)
      const missed = errorRate(plan, plan.differentRate, 'same', runs)
      const equal = errorRate(plan, 0, 'different', runs)
      console.log(
        `${name}: false alarms ${alarm.share} (bound ${(alpha / (1 - beta)).toExponential(2)}), ` +
          `missed ${missed.share} (bound ${(beta / (1 - alpha)).toExponential(2)}); ` +
          `observations: equal ${equal.mean}, at the same rate ${alarm.mean.toFixed(1)}, ` +
          `at the different rate ${missed.mean.toFixed(1)}`,
      )
      expect(alarm.share).toBeLessThan(allowed(alpha / (1 - beta), runs))
      expect(missed.share).toBeLessThan(allowed(beta / (1 - alpha), runs))
      expect(equal.share).toBe(0)
    }
  })

  it('are seen to be broken where the boundary is: the control', () => {
    const hasty = { ...LOGPROB_PLAN, alpha: 0.2 }
    const { share } = errorRate(hasty, hasty.sameRate, 'different', 2_000)
    expect(share).toBeGreaterThan(allowed(LOGPROB_PLAN.alpha, 2_000))
  })
})

describe('the ratio', () => {
  it('is the product of likelihoods, one by one', () => {
    fc.assert(
      fc.property(plans, fc.array(fc.boolean(), { maxLength: 60 }), (plan, outcomes) => {
        let product = 1
        for (const deviates of outcomes) {
          product *= deviates
            ? plan.differentRate / plan.sameRate
            : (1 - plan.differentRate) / (1 - plan.sameRate)
        }
        const state = outcomes.reduce(observe, SPRT_START)
        expect(logRatio(plan, state)).toBeCloseTo(Math.log(product), 8)
      }),
      { seed: SEED },
    )
  })

  it('refuses plans that are none', () => {
    checkPlan(TEXT_PLAN)
    const wrong: Partial<SprtPlan>[] = [
      { sameRate: 0 },
      { differentRate: 1 },
      { differentRate: TEXT_PLAN.sameRate },
      { alpha: 0 },
      { beta: 0.5 },
      { alpha: Number.NaN },
    ]
    for (const change of wrong) {
      expect(() => checkPlan({ ...TEXT_PLAN, ...change })).toThrow(/setting/)
    }
  })
})
