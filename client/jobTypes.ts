/**
 * Vocabulary of the client's job machine: its state, the events it takes, the effects it asks for.
 *
 * `job.ts` is the machine, `runJob.ts` performs the effects and reports the events.
 * @module
 */
import type { MarketError } from '../contracts/base/errors.ts'
import type { Secret } from '../contracts/base/secret.ts'
import type { Terms, TokenUsage } from '../contracts/money/price.ts'
import type { JobBounds, PaidAhead } from './payAhead.ts'

/**
 * What arrived in frames since the last event, opened. Token figures count the whole job so far.
 */
export interface Content {
  readonly text: Secret<string>
  readonly reasoning: Secret<string>
  readonly usage: TokenUsage
  /** The answer is complete, for this reason. */
  readonly finishReason?: string
  /** The provider ended the job with an error of its own, sealed. */
  readonly error?: MarketError
  /** The tokens claimed are more than the text can hold: pay no further. */
  readonly implausible?: boolean
}

/** What the driver found when it checked the receipt. */
export interface CheckedReceipt {
  readonly charge: bigint
  readonly disputed: boolean
  /** Set where the receipt is none: its own charge is then what the client counts. */
  readonly error?: MarketError
}

export type JobEvent =
  | { readonly type: 'queued' }
  | { readonly type: 'placed'; readonly attempt: number }
  /** The next three answer an effect of the attempt they name; late answers are dropped. */
  | { readonly type: 'verified'; readonly attempt: number; readonly terms: Terms }
  | { readonly type: 'granted'; readonly attempt: number }
  | { readonly type: 'sealed'; readonly attempt: number }
  /** The request was not sent, because the job had been stopped. */
  | { readonly type: 'unsent'; readonly attempt: number }
  | { readonly type: 'content'; readonly content: Content }
  | { readonly type: 'finished' }
  | { readonly type: 'receiptChecked'; readonly receipt: CheckedReceipt }
  | { readonly type: 'settled' }
  | {
      readonly type: 'lost'
      readonly attempt: number
      readonly error: MarketError
      mayRetry: boolean
    }
  | { readonly type: 'refused'; readonly error: MarketError }
  | { readonly type: 'ended' }
  /** The driver could not do what it was asked, or what came was not acceptable. */
  | { readonly type: 'broken'; readonly error: MarketError }
  | { readonly type: 'abort' }
  | { readonly type: 'timer'; readonly name: TimerName }

export type JobEffect =
  | { readonly type: 'verify' }
  | { readonly type: 'grant'; readonly amount: bigint }
  | { readonly type: 'seal' }
  | {
      readonly type: 'emit'
      readonly text: Secret<string>
      readonly reasoning: Secret<string>
      readonly tokens: number
    }
  /** Cost, fee included, of what has been delivered so far. */
  | { readonly type: 'delivered'; readonly charge: bigint }
  | { readonly type: 'again'; readonly attempt: number }
  | { readonly type: 'sendAbort' }
  | { readonly type: 'checkReceipt' }
  | { readonly type: 'settle'; readonly receipt: CheckedReceipt }
  /** The job ended without a receipt: its grant returns to credit. */
  | { readonly type: 'release' }
  | { readonly type: 'timer'; readonly name: TimerName; readonly ms: number }
  | { readonly type: 'cancel'; readonly name: TimerName }
  | { readonly type: 'finish' }
  | { readonly type: 'fail'; readonly error: MarketError }

/** `place`: waiting for a placement. `frame`: for the next frame. `receipt`: for the receipt. */
export type TimerName = 'place' | 'frame' | 'receipt'

export type JobPhase =
  | 'placing'
  | 'verifying'
  | 'paying'
  | 'sealing'
  | 'streaming'
  | 'checking'
  | 'settling'
  | 'done'
  | 'failed'

export interface JobState {
  readonly phase: JobPhase
  readonly bounds: JobBounds
  readonly deadlineMs: number
  /** The attempt under way, from 1; 0 before the first placement. */
  readonly attempt: number
  readonly terms?: Terms
  readonly paid: PaidAhead
  readonly text: Secret<string>
  readonly reasoning: Secret<string>
  readonly usage: TokenUsage
  /** A frame of any attempt has been opened: failover is over. */
  readonly begun: boolean
  readonly finishReason?: string
  readonly implausible: boolean
  /** Why the job will end in an error although its receipt is still awaited. */
  readonly ending?: MarketError
}

export interface JobStep {
  readonly state: JobState
  readonly effects: readonly JobEffect[]
}
