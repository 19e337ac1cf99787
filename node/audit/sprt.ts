/**
 * Wald's sequential probability ratio test of how often something deviates: after each observation
 * it says `same`, `different`, or that more are needed.
 *
 * Pure. H0: a deviation has at most the probability `sameRate`; H1: at least `differentRate`. The
 * log-likelihood ratio of H1 to H0 starts at 0, each observation adds its share, and the test ends
 * where the sum leaves `(ln(beta / (1 - alpha)), ln((1 - beta) / alpha))`. Then the probability of
 * `different` under H0 is at most `alpha / (1 - beta)`, and of `same` under H1 at most
 * `beta / (1 - alpha)`, whatever the number of observations (Wald 1945, "Sequential tests of
 * statistical hypotheses", section 3). Between the two rates it may take long: callers bound it.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'

export interface SprtPlan {
  /** How often the same thing deviates at most, for harmless reasons. Above 0. */
  readonly sameRate: number
  /** How often another thing deviates at least. Above `sameRate`, below 1. */
  readonly differentRate: number
  /** Probability of saying `different` of the same thing. */
  readonly alpha: number
  /** Probability of saying `same` of another thing. */
  readonly beta: number
}

export interface SprtState {
  readonly observations: number
  readonly deviations: number
}

export type Decision = 'same' | 'different' | 'undecided'

export const SPRT_START: SprtState = { observations: 0, deviations: 0 }

/** Throws `bad-config` where rates or error probabilities make no test. */
export function checkPlan({ sameRate, differentRate, alpha, beta }: SprtPlan): void {
  const rates = sameRate > 0 && differentRate > sameRate && differentRate < 1
  if (!rates) throw new MarketError('bad-config', { setting: 'rates', sameRate, differentRate })
  const errors = alpha > 0 && beta > 0 && alpha < 0.5 && beta < 0.5
  if (!errors) throw new MarketError('bad-config', { setting: 'error rates', alpha, beta })
}

/** The state after one more observation. */
export function observe(state: SprtState, deviates: boolean): SprtState {
  return {
    observations: state.observations + 1,
    deviations: state.deviations + Number(deviates),
  }
}

/** Natural logarithm of the likelihood of H1 over that of H0. */
export function logRatio(plan: SprtPlan, { observations, deviations }: SprtState): number {
  const { sameRate, differentRate } = plan
  const agreements = observations - deviations
  return (
    deviations * Math.log(differentRate / sameRate) +
    agreements * Math.log((1 - differentRate) / (1 - sameRate))
  )
}

export function decide(plan: SprtPlan, state: SprtState): Decision {
  const ratio = logRatio(plan, state)
  if (ratio >= Math.log((1 - plan.beta) / plan.alpha)) return 'different'
  return ratio <= Math.log(plan.beta / (1 - plan.alpha)) ? 'same' : 'undecided'
}
