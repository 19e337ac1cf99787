/**
 * Prices: from token counts to money, in one place, rounded once.
 *
 * Used by the client (quotes, windows, checking receipts), the scheduler (admission, its own leg)
 * and the provider (what a grant covers). README.md here is the rule. Usage comes in two kinds:
 * counted (exact) and billed (rounded up to steps by `billed`); `cost` takes billed usage.
 * @module
 */
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import {
  type Asset,
  type Multipliers,
  type PriceAsset,
  type Steps,
  type Terms,
  TICKS,
  type TokenUsage,
} from '../base/terms.ts'
import type { NanoTon } from '../base/units.ts'
import { JETTON_TICKS, TON_TICKS } from './ticks.ts'

export type { Multipliers, PriceAsset, Steps, Terms, TokenUsage } from '../base/terms.ts'
export { TICKS }

/** The parameters of a model that a registry has not set otherwise. */
export interface Parameters {
  readonly version: number
  readonly multipliers: Multipliers
  readonly steps: Steps
  readonly window: number
}

/** No usage. */
export const NO_USAGE: TokenUsage = { prompt: 0, cachedPrompt: 0, completion: 0, reasoning: 0 }

/**
 * Version 1. A tick is the price of completion tokens, so completion is 10,000. A prompt token is
 * computed in parallel with others, at about a quarter of the time per token of generation on the
 * hardware that home providers own; a cached one is read, not computed, but holds memory: a
 * twentieth. Reasoning is the same work as completion.
 */
export const DEFAULT_PARAMETERS: Parameters = {
  version: 1,
  multipliers: { prompt: 2_500, cachedPrompt: 500, completion: 10_000, reasoning: 10_000 },
  steps: { prompt: 64, cachedPrompt: 64, completion: 32 },
  window: 256,
}

const PER_10K = 10_000n
/** Multipliers are parts per 10,000 and prices are per million tokens. */
const COST_DIVISOR = PER_10K * 1_000_000n
/** Token counts are 32 bits wide in records. */
const MOST_TOKENS = 2 ** 32 - 1

/**
 * Base units per million completion tokens at a tick. Throws `bad-input` outside 0 to 95.
 *
 * @example
 * tickPrice(0, 'ton') // 1_000_000n
 */
export function tickPrice(tick: number, asset: PriceAsset | Asset = 'ton'): bigint {
  const price = (asset === 'ton' ? TON_TICKS : JETTON_TICKS)[tick]
  if (price === undefined) throw new MarketError('bad-input', { field: 'tick', most: TICKS - 1 })
  return price
}

/**
 * Counted usage as billed usage: prompt and cached prompt each rounded up to their step, completion
 * and reasoning together to theirs. Within that total, reasoning is rounded up to the step and the
 * rest is completion, so that no billed figure is exact to the token (it would leak lengths), and
 * one partial step is billed, not two. Billing billed usage changes nothing.
 *
 * @example
 * billed({ prompt: 65, cachedPrompt: 0, completion: 5, reasoning: 20 }, DEFAULT_PARAMETERS.steps)
 * // { prompt: 128, cachedPrompt: 0, completion: 0, reasoning: 32 }
 */
export function billed(usage: TokenUsage, steps: Steps): TokenUsage {
  checkTokens(usage)
  const generated = roundUp(usage.completion + usage.reasoning, steps.completion)
  const reasoning = roundUp(usage.reasoning, steps.completion)
  return {
    prompt: roundUp(usage.prompt, steps.prompt),
    cachedPrompt: roundUp(usage.cachedPrompt, steps.cachedPrompt),
    completion: generated - reasoning,
    reasoning,
  }
}

/**
 * Cost of billed usage over a whole job, without fee, rounded up once, in base units of the asset.
 * Throws `bad-input` on counts that are no tokens.
 */
export function cost(
  billedUsage: TokenUsage,
  terms: Pick<Terms, 'tick' | 'multipliers' | 'asset'>,
  asset: PriceAsset | Asset = terms.asset ?? 'ton',
): NanoTon {
  checkTokens(billedUsage)
  const { multipliers } = terms
  const weighted =
    BigInt(billedUsage.prompt) * BigInt(multipliers.prompt) +
    BigInt(billedUsage.cachedPrompt) * BigInt(multipliers.cachedPrompt) +
    BigInt(billedUsage.completion) * BigInt(multipliers.completion) +
    BigInt(billedUsage.reasoning) * BigInt(multipliers.reasoning)
  return divideUp(weighted * tickPrice(terms.tick, asset), COST_DIVISOR)
}

/** The scheduler's fee on a cost: parts per 10,000, rounded up. */
export function feeOn(costNano: NanoTon, terms: Pick<Terms, 'fee'>): NanoTon {
  return divideUp(costNano * BigInt(terms.fee), PER_10K)
}

/** What the payer of a leg owes for billed usage: the cost, and the fee where the leg bears one. */
export function charge(
  billedUsage: TokenUsage,
  terms: Terms,
  withFee: boolean,
  asset: PriceAsset | Asset = terms.asset ?? 'ton',
): NanoTon {
  const amount = cost(billedUsage, terms, asset)
  return withFee ? amount + feeOn(amount, terms) : amount
}

/**
 * The most completion tokens, in whole steps, that a grant covers beside this prompt: never one
 * that it does not, by whichever of completion and reasoning is dearer. 0 where it does not cover
 * the prompt. Only the prompt classes of `prompt` count.
 */
export function affordable(
  granted: NanoTon,
  prompt: TokenUsage,
  terms: Terms,
  withFee: boolean,
  asset: PriceAsset | Asset = terms.asset ?? 'ton',
): number {
  const base = billed({ ...prompt, completion: 0, reasoning: 0 }, terms.steps)
  // c + ceil(c * fee / 10k) <= granted exactly where c * (10k + fee) <= granted * 10k.
  const most = withFee ? (granted * PER_10K) / (PER_10K + BigInt(terms.fee)) : granted
  const { multipliers, steps } = terms
  const weight =
    BigInt(base.prompt) * BigInt(multipliers.prompt) +
    BigInt(base.cachedPrompt) * BigInt(multipliers.cachedPrompt)
  const rest = (most * COST_DIVISOR) / tickPrice(terms.tick, asset) - weight
  if (most < 0n || rest < 0n) return 0
  const mostSteps = Math.floor(MOST_TOKENS / steps.completion)
  const dearest = Math.max(multipliers.completion, multipliers.reasoning)
  if (dearest === 0) return mostSteps * steps.completion
  const affordableSteps = rest / BigInt(dearest * steps.completion)
  const bounded = affordableSteps > BigInt(mostSteps) ? mostSteps : Number(affordableSteps)
  return bounded * steps.completion
}

/**
 * Completion tokens of the next window after `deliveredWindows` were delivered: strangers start
 * at `LIMITS.firstWindowTokens`; each window delivered doubles it, up to `window`.
 */
export function windowFor(deliveredWindows: number, window: number): number {
  return Math.min(window, LIMITS.firstWindowTokens * 2 ** Math.min(deliveredWindows, 30))
}

/**
 * True where the next window should be paid now: half of the last one, or less, is left. Waiting
 * longer would stop the stream for a round trip.
 */
export function renewalDue(
  deliveredTokens: number,
  coveredTokens: number,
  windowTokens: number,
): boolean {
  return 2 * (coveredTokens - deliveredTokens) <= windowTokens
}

function roundUp(tokens: number, step: number): number {
  return Math.ceil(tokens / step) * step
}

function divideUp(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor
}

function checkTokens(usage: TokenUsage): void {
  for (const field of ['prompt', 'cachedPrompt', 'completion', 'reasoning'] as const) {
    const tokens = usage[field]
    if (!Number.isSafeInteger(tokens) || tokens < 0 || tokens > MOST_TOKENS) {
      throw new MarketError('bad-input', { field, expected: 'a count of tokens' })
    }
  }
}
