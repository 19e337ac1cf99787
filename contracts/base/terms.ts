/**
 * The words of a bill: tokens by class, steps, multipliers, and the terms that a lease pins.
 *
 * Types only, and the number of ticks: records and messages carry them, `contracts/money` computes
 * with them.
 * @module
 */
import type { Address } from '@ton/core'

/** Number of price ticks: 0 to 95. */
export const TICKS = 96

/** Which price table an asset uses: TON's, or that of a jetton with 6 decimals. */
export type PriceAsset = 'ton' | 'jetton'

/** What is paid with: TON, or the jetton of this minter. */
export type Asset = 'ton' | Address

/** Tokens of a job by class. `prompt` does not include the cached ones. */
export interface TokenUsage {
  readonly prompt: number
  readonly cachedPrompt: number
  readonly completion: number
  readonly reasoning: number
}

/** Tokens that are billed together; `completion` counts completion and reasoning as one. */
export interface Steps {
  readonly prompt: number
  readonly cachedPrompt: number
  readonly completion: number
}

/** Price of a class, parts per 10,000 of the tick's price. */
export type Multipliers = TokenUsage

/** What a lease pins about money. `fee` is parts per 10,000 on top; `window` completion tokens. */
export interface Terms {
  /** Absent: TON. */
  readonly asset?: Asset
  readonly tick: number
  readonly fee: number
  readonly multipliers: Multipliers
  readonly steps: Steps
  readonly window: number
}
