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

/** Billed usage, and what it costs. */
export interface Bill {
  readonly billed: TokenUsage
  readonly cost: NanoTon
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

/**
 * Billed usage and cost so far: whole steps, within the grant. Where something was handed over
 * beyond the grant, as a prompt longer than was paid for, the bill is what the grant covers, in
 * whole steps, prompt first: the rest is the provider's loss.
 */
export function bill(meter: Meter): Bill {
  const { terms, granted, delivered } = meter
  const usage = billed(delivered, terms.steps)
  const amount = cost(usage, terms)
  if (amount <= granted) return { billed: usage, cost: amount }
  let within: TokenUsage = NO_USAGE
  for (const name of ['cachedPrompt', 'prompt', 'reasoning', 'completion'] as const) {
    const step = name === 'reasoning' ? terms.steps.completion : terms.steps[name]
    within = { ...within, [name]: mostOf(name, usage[name] / step, step, within, meter) }
  }
  return { billed: within, cost: cost(within, terms) }
}

/** The most tokens of one class, in whole steps, that the grant covers beside `within`. */
function mostOf(
  name: keyof TokenUsage,
  steps: number,
  step: number,
  within: TokenUsage,
  { terms, granted }: Meter,
): number {
  let [least, most] = [0, Math.floor(steps)]
  while (least < most) {
    const middle = Math.ceil((least + most) / 2)
    if (cost({ ...within, [name]: middle * step }, terms) <= granted) least = middle
    else most = middle - 1
  }
  return least * step
}
