/**
 * Vocabulary of the scheduler's job machine: its state, the events it takes, the effects it asks
 * for. `job.ts` is the machine, `jobRunner.ts` performs the effects and reports the events.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { ErrorCode, Facts } from '../../contracts/base/errors.ts'
import type { TokenUsage } from '../../contracts/money/price.ts'
import type { JobEnd } from './belief.ts'

/** Where an attempt runs: a slot of the pool and the identity (hex) of its provider. */
export interface Place {
  readonly slot: string
  readonly provider: string
}

export interface JobState {
  readonly phase: 'matching' | 'leasing' | 'placed' | 'running' | 'lost' | 'ended'
  /** Attempts begun, the current one included. */
  readonly attempt: number
  readonly place?: Place
  /** Identities that must not be tried again for this job. */
  readonly excluded: readonly string[]
  /** Whether the client has been given a frame: from then on there is no failover. */
  readonly forwarded: boolean
  /** The client has ended the job and its receipt is awaited; `gone`: nobody listens any more. */
  readonly aborting?: 'asked' | 'gone'
  /** Why the last attempt ended. */
  readonly lastFailure?: ErrorCode
}

/**
 * `accept`: the provider's answer. `request`: the client's sealed request. `frames`: the provider's
 * next frame. `forward`: the client's taking of one. `again`: its wish for another attempt.
 * `lease`: the end of everything.
 */
export const TIMERS = ['accept', 'request', 'frames', 'forward', 'again', 'lease'] as const
export type TimerName = (typeof TIMERS)[number]

export type JobEvent =
  | { readonly type: 'matched'; readonly place: Place }
  | { readonly type: 'queued' }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly facts: Facts }
  | { readonly type: 'accepted' }
  | { readonly type: 'attemptFailed'; readonly code: ErrorCode }
  | { readonly type: 'request'; readonly bytes: Bytes }
  | { readonly type: 'frames'; readonly frames: readonly Bytes[]; readonly billed: TokenUsage }
  /** The client has taken what was forwarded, or nobody waits for that any more. */
  | { readonly type: 'forwarded' }
  | { readonly type: 'finished'; readonly receipt: Bytes; readonly signature: Bytes }
  | { readonly type: 'again' }
  | { readonly type: 'abort' }
  | { readonly type: 'clientGone' }
  | { readonly type: 'timer'; readonly name: TimerName }

export type JobEffect =
  | { readonly type: 'match'; readonly attempt: number; readonly excluded: readonly string[] }
  | { readonly type: 'cancelMatch'; readonly attempt: number }
  | { readonly type: 'lease'; readonly place: Place; readonly attempt: number }
  | { readonly type: 'tellQueued' }
  | { readonly type: 'tellPlaced'; readonly attempt: number }
  | {
      readonly type: 'tellLost'
      readonly attempt: number
      readonly code: ErrorCode
      readonly mayRetry: boolean
    }
  | { readonly type: 'tellRefused'; readonly code: ErrorCode; readonly facts: Facts }
  | { readonly type: 'forwardRequest'; readonly bytes: Bytes }
  | {
      readonly type: 'forwardFrames'
      readonly frames: readonly Bytes[]
      readonly billed: TokenUsage
    }
  | { readonly type: 'abortProvider' }
  /** The client takes nothing: its stream ends. */
  | { readonly type: 'dropClient'; readonly code: ErrorCode }
  /** The leg is given up; work that was done on it is settled in the background. */
  | { readonly type: 'dropProvider'; readonly code: ErrorCode }
  | {
      readonly type: 'free'
      readonly attempt: number
      readonly place: Place
      readonly end: JobEnd
    }
  | { readonly type: 'settle'; readonly receipt: Bytes; readonly signature: Bytes }
  /** The job ends without a receipt: what the client granted returns to credit. */
  | { readonly type: 'forgiveJob' }
  | { readonly type: 'timer'; readonly name: TimerName; readonly afterMs: number }
  | { readonly type: 'stopTimer'; readonly name: TimerName }
  | { readonly type: 'end' }

export interface Step {
  readonly state: JobState
  readonly effects: readonly JobEffect[]
}
