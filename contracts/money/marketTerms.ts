/**
 * From the market's parameters to the terms of one model, and the parameters of a market that has
 * no registry yet.
 * @module
 */
import type { MarketParameters } from '../base/marketParameters.ts'
import { TON } from '../base/units.ts'
import { DEFAULT_PARAMETERS, type Parameters } from './price.ts'

/**
 * What a lease for a model takes from a version: the model's own multipliers where the version
 * lists it.
 *
 * @example
 * termsOf(FIRST_PARAMETERS, 'tiny-chat').window // 256
 */
export function termsOf(parameters: MarketParameters, model: string): Parameters {
  const { version, steps, window } = parameters
  const multipliers = parameters.models.get(model)?.multipliers ?? parameters.multipliers
  return { version, multipliers, steps, window }
}

/**
 * Version 1 of a new registry, and the parameters of a network without one. Providers need no stake
 * to start: work is prepaid, so what they can hurt is bounded by channels. A scheduler's stake is
 * what a contradiction costs it.
 */
export const FIRST_PARAMETERS: MarketParameters = Object.freeze({
  ...DEFAULT_PARAMETERS,
  sinceS: 0,
  leastCloseDelayS: 86_400,
  stakes: { provider: TON, scheduler: 10n * TON, gpu: TON, unbondingS: 7 * 86_400 },
  disputes: {
    verdictS: 7 * 86_400,
    appealS: 3 * 86_400,
    leastBond: 2n * TON,
    threshold: 0,
    arbiters: [],
  },
  models: new Map(),
  measurements: { version: 1, list: [] },
  assets: new Map([['ton', { scale: 1_000_000n, decimals: 9 }]]),
})
