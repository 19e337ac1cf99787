/**
 * Paying ahead, the client's side: how much a job must have been granted by now.
 *
 * Pure sums over the money room (contracts/wire/README.md, "Pay ahead"): the bound on the prompt
 * and a first window before anything is sent, then window after window, each when half of the last
 * is delivered; never above what `maxTokens` can cost, never above the caller's own cap.
 * @module
 */
import { MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import {
  billed,
  charge as chargeBilled,
  renewalDue,
  type Terms,
  type TokenUsage,
  windowFor,
} from '../contracts/money/price.ts'
import type { ChatMessage } from '../contracts/wire/request.ts'

/** What a job may use at most, in tokens, and what it may cost. */
export interface JobBounds {
  readonly promptTokens: number
  readonly maxTokens: number
  /** Most that the job may cost, fee included, in base units; absent: what the tokens can cost. */
  readonly maxCost?: bigint
}

/** Progress of paying ahead. `paidTokens` are completion and reasoning tokens together. */
export interface PaidAhead {
  readonly windows: number
  readonly paidTokens: number
  /** Total of the grants, fee included. */
  readonly granted: bigint
}

export const NOTHING_PAID: PaidAhead = { windows: 0, paidTokens: 0, granted: 0n }

/** Prompt size classes start here; each is twice the one below, so a submit tells little. */
const LEAST_SIZE_CLASS = 64
/** Tokens that a chat template puts round a message, and round the whole; generous. */
const TEMPLATE_TOKENS_PER_MESSAGE = 16

/** What counted usage costs the client: the provider's cost and the scheduler's fee on it. */
export function charge(usage: TokenUsage, terms: Terms): bigint {
  return chargeBilled(billed(usage, terms.steps), terms, true)
}

/** The lesser of two amounts. */
export function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}

/**
 * An upper bound on the prompt's tokens, padded to a size class: a token is at least one byte, so
 * bytes bound it for any tokenizer; `count`, where the model's tokenizer is known, is tighter.
 */
export function promptBound(
  messages: readonly ChatMessage[],
  count: (text: string) => number,
): number {
  const tokens = messages.reduce(
    (sum, { content }) => sum + count(content) + TEMPLATE_TOKENS_PER_MESSAGE,
    TEMPLATE_TOKENS_PER_MESSAGE,
  )
  let sizeClass = LEAST_SIZE_CLASS
  while (sizeClass < tokens) sizeClass *= 2
  const bound = Math.min(sizeClass, LIMITS.requestBytes)
  if (tokens > bound) throw new MarketError('too-large', { tokens, most: LIMITS.requestBytes })
  return bound
}

/**
 * The first grant of an attempt: prompt bound and first window. A later attempt keeps what was
 * granted before, and adds only what is missing at its own terms.
 *
 * Throws `no-funds` where the caller's cap does not even cover the prompt and one step.
 */
export function firstGrant(before: PaidAhead, bounds: JobBounds, terms: Terms): PaidAhead {
  const paidTokens = Math.min(windowFor(0, terms.window), bounds.maxTokens)
  const usage = { prompt: bounds.promptTokens, cachedPrompt: 0, completion: 0, reasoning: 0 }
  const least = charge({ ...usage, completion: Math.min(1, paidTokens) }, terms)
  if (bounds.maxCost !== undefined && bounds.maxCost < least) {
    throw new MarketError('no-funds', { maxCost: bounds.maxCost, needed: least })
  }
  return grantUpTo({ ...before, windows: 0 }, paidTokens, usage, bounds, terms)
}

/**
 * The next grant, or the same object where none is due: the last window is at most half
 * undelivered.
 * `delivered` is usage so far; its prompt figures, once known, replace the bound.
 */
export function nextGrant(
  before: PaidAhead,
  delivered: TokenUsage,
  bounds: JobBounds,
  terms: Terms,
): PaidAhead {
  const deliveredTokens = delivered.completion + delivered.reasoning
  let { windows, paidTokens } = before
  while (paidTokens < bounds.maxTokens) {
    if (!renewalDue(deliveredTokens, paidTokens, windowFor(windows, terms.window))) break
    windows++
    paidTokens = Math.min(paidTokens + windowFor(windows, terms.window), bounds.maxTokens)
  }
  if (paidTokens === before.paidTokens) return before
  return grantUpTo({ ...before, windows }, paidTokens, delivered, bounds, terms)
}

/** The most that a job can cost at `terms`: the prompt bound split unluckily, and every token. */
export function worstCase(bounds: JobBounds, terms: Terms): bigint {
  const usage = {
    prompt: bounds.promptTokens,
    // A prompt that is partly cached is rounded up twice.
    cachedPrompt: 1,
    ...dearest(bounds.maxTokens, terms),
  }
  return lesser(charge(usage, terms), bounds.maxCost ?? charge(usage, terms))
}

function grantUpTo(
  before: PaidAhead,
  paidTokens: number,
  delivered: TokenUsage,
  bounds: JobBounds,
  terms: Terms,
): PaidAhead {
  const promptKnown = delivered.prompt + delivered.cachedPrompt > 0
  const target = charge(
    {
      prompt: promptKnown ? delivered.prompt : bounds.promptTokens,
      cachedPrompt: delivered.cachedPrompt,
      ...dearest(paidTokens, terms),
    },
    terms,
  )
  const capped = lesser(target, worstCase(bounds, terms))
  // What an earlier attempt was granted stays granted.
  if (capped <= before.granted) return { ...before, paidTokens }
  return { ...before, paidTokens, granted: capped }
}

/**
 * Generated tokens as the dearer of the two classes: the payee cannot know which will come, and
 * counts what a grant covers in the same way (`affordable`).
 */
function dearest(tokens: number, terms: Terms): Pick<TokenUsage, 'completion' | 'reasoning'> {
  return terms.multipliers.reasoning > terms.multipliers.completion
    ? { completion: 0, reasoning: tokens }
    : { completion: tokens, reasoning: 0 }
}
