/**
 * The client's own count of what it received, compared with what it is billed.
 *
 * With the model's tokenizer the count is exact; without it bytes bound it from above, since a
 * token is at least one byte. Within one step the client countersigns; beyond, the receipt is
 * disputed (contracts/wire/README.md, "Billing").
 * @module
 */
import { billed, type Steps, type TokenUsage } from '../contracts/money/price.ts'
import type { Tokenizer } from '../contracts/money/tokenizer.ts'

/** What was received, and what the provider said of it while it came. */
export interface Received {
  readonly text: string
  readonly reasoning: string
  readonly usage: TokenUsage
  /** The bound on the prompt that was paid for. */
  readonly promptTokens: number
}

export interface Recount {
  readonly counted: 'tokenizer' | 'bytes'
  /** Most that may be billed, in whole steps, before the step of tolerance. */
  readonly own: TokenUsage
  /** The bill is more than one step beyond it. */
  readonly beyond: boolean
}

/** Compares a bill (in whole steps) with what was received. */
export function recount(
  received: Received,
  bill: TokenUsage,
  steps: Steps,
  counter: Tokenizer,
): Recount {
  const { text, reasoning, usage, promptTokens } = received
  const prompt = Math.min(usage.prompt, promptTokens)
  const own = billed(
    {
      prompt,
      cachedPrompt: Math.min(usage.cachedPrompt, promptTokens - prompt),
      // A count below the provider's own stands; the provider's below ours costs us less.
      completion: Math.min(usage.completion, counter.count(text)),
      reasoning: Math.min(usage.reasoning, counter.count(reasoning)),
    },
    steps,
  )
  const generated = bill.completion + bill.reasoning - own.completion - own.reasoning
  const beyond =
    generated > steps.completion ||
    bill.reasoning > own.reasoning + steps.completion ||
    bill.prompt > own.prompt + steps.prompt ||
    bill.cachedPrompt > own.cachedPrompt + steps.cachedPrompt
  return { counted: counter.kind === 'exact' ? 'tokenizer' : 'bytes', own, beyond }
}

/**
 * True where the tokens claimed so far cannot be in the bytes received, whatever the tokenizer: pay
 * no further. One step of tolerance: tokens that end a message have no bytes.
 */
export function isImplausible(
  received: { readonly bytes: number; readonly usage: TokenUsage; readonly promptTokens: number },
  steps: Steps,
): boolean {
  const { bytes, usage, promptTokens } = received
  const generated = usage.completion + usage.reasoning
  return generated > bytes + steps.completion || usage.prompt + usage.cachedPrompt > promptTokens
}
