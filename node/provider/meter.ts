/**
 * What a running job has delivered, what that costs, and how far the grant reaches.
 *
 * Pure. The provider works only within what it holds vouchers for: `covers` is asked before each
 * token, `bill` says what the receipt will charge, never more than was granted.
 * @module
 */
import type { NanoTon } from '../../contracts/base/units.ts'
import {
  affordable,
  billed,
  cost,
  NO_USAGE,
  type Terms,
  type TokenUsage,
} from '../../contracts/money/price.ts'

/** The meter of one job. `delivered` is what has been handed to the stream. */
export interface Meter {
  readonly terms: Terms
  readonly granted: NanoTon
  readonly delivered: TokenUsage
}

/** A meter that has delivered nothing and holds nothing. */
export function startMeter(terms: Terms): Meter {
  return { terms, granted: 0n, delivered: NO_USAGE }
}

/** True where the grant covers `tokens` completion and reasoning tokens after `prompt`. */
export function covers(meter: Meter, prompt: TokenUsage, tokens: number): boolean {
  const { terms, granted } = meter
  const promptOnly = { ...prompt, completion: 0, reasoning: 0 }
  if (cost(billed(promptOnly, terms.steps), terms) > granted) return false
  return tokens <= affordable(granted, promptOnly, terms, false)
}

/** Billed usage and cost so far: whole steps, within the grant. */
export function bill(meter: Meter): { readonly billed: TokenUsage; readonly cost: NanoTon } {
  const { terms, granted, delivered } = meter
  const usage = billed(delivered, terms.steps)
  const amount = cost(usage, terms)
  if (amount <= granted) return { billed: usage, cost: amount }
  // Only where something was handed over unpaid: the loss is ours, and the sum still has to hold.
  return { billed: NO_USAGE, cost: 0n }
}
