/**
 * One job at the scheduler, as a pure machine: `(state, event) -> { state, effects }`.
 *
 * `jobRunner.ts` turns effects into messages, matching and accounts, and everything that happens into
 * events. Prompts and answers pass through as bytes that nothing here can read.
 *
 * Phases: matching -> leasing -> placed -> running -> ended, with `lost` between two attempts. An
 * attempt that ends without a signed receipt is charged nothing on either leg.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { ErrorCode, Facts } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { TokenUsage } from '../../contracts/money/price.ts'

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
  /** Why the last attempt ended. */
  readonly lastFailure?: ErrorCode
}

export type TimerName = 'accept' | 'request' | 'frames' | 'again' | 'lease'

export type JobEvent =
  | { readonly type: 'matched'; readonly place: Place }
  | { readonly type: 'queued' }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly facts: Facts }
  | { readonly type: 'accepted' }
  | { readonly type: 'attemptFailed'; readonly code: ErrorCode }
  | { readonly type: 'request'; readonly bytes: Bytes }
  | { readonly type: 'frames'; readonly frames: readonly Bytes[]; readonly billed: TokenUsage }
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
  | { readonly type: 'dropProvider'; readonly code: ErrorCode }
  | { readonly type: 'free'; readonly attempt: number; readonly place: Place; readonly ok: boolean }
  | { readonly type: 'settle'; readonly receipt: Bytes; readonly signature: Bytes }
  | { readonly type: 'forgiveAttempt'; readonly place: Place }
  | { readonly type: 'forgiveJob' }
  | { readonly type: 'timer'; readonly name: TimerName; readonly afterMs: number }
  | { readonly type: 'stopTimer'; readonly name: TimerName }
  | { readonly type: 'end' }

export interface Step {
  readonly state: JobState
  readonly effects: readonly JobEffect[]
}

/** A job that has been admitted: ask the pool for a place. */
export function startJob(excluded: readonly string[]): Step {
  return {
    state: { phase: 'matching', attempt: 1, excluded, forwarded: false },
    effects: [{ type: 'match', attempt: 1, excluded }],
  }
}

/** Takes one event. An event that does not fit the phase changes nothing. */
export function stepJob(state: JobState, event: JobEvent): Step {
  switch (event.type) {
    case 'matched':
      return onMatched(state, event.place)
    case 'queued':
      return state.phase === 'matching'
        ? { state, effects: [{ type: 'tellQueued' }] }
        : still(state)
    case 'refused':
      return onRefused(state, event.code, event.facts)
    case 'accepted':
      return onAccepted(state)
    case 'attemptFailed':
      return onAttemptFailed(state, event.code)
    case 'request':
      return onRequest(state, event.bytes)
    case 'frames':
      return onFrames(state, event.frames, event.billed)
    case 'finished':
      return onFinished(state, event.receipt, event.signature)
    case 'again':
      return onAgain(state)
    case 'abort':
      return onAbort(state)
    case 'clientGone':
      return onClientGone(state)
    case 'timer':
      return onTimer(state, event.name)
  }
}

function onMatched(state: JobState, place: Place): Step {
  if (state.phase !== 'matching') {
    return { state, effects: [{ type: 'free', attempt: state.attempt, place, ok: true }] }
  }
  return {
    state: { ...state, phase: 'leasing', place },
    effects: [
      { type: 'lease', place, attempt: state.attempt },
      { type: 'timer', name: 'accept', afterMs: LIMITS.acceptMs },
    ],
  }
}

function onRefused(state: JobState, code: ErrorCode, facts: Facts): Step {
  if (state.phase !== 'matching') return still(state)
  // After a lost attempt, "nobody else fits" is not the reason: the loss is.
  const lost = state.attempt > 1 ? 'no-provider' : code
  const known = state.attempt > 1 ? { attempts: state.attempt - 1, last: state.lastFailure } : facts
  return end(state, [{ type: 'tellRefused', code: lost, facts: known }])
}

function onAccepted(state: JobState): Step {
  if (state.phase !== 'leasing') return still(state)
  return {
    state: { ...state, phase: 'placed' },
    effects: [
      { type: 'stopTimer', name: 'accept' },
      { type: 'timer', name: 'request', afterMs: LIMITS.unusedLeaseMs },
      { type: 'tellPlaced', attempt: state.attempt },
    ],
  }
}

/** The provider said busy, refused, died or was too slow. */
function onAttemptFailed(state: JobState, code: ErrorCode): Step {
  const { place } = state
  if (!place || state.phase === 'ended' || state.phase === 'lost' || state.phase === 'matching') {
    return still(state)
  }
  const cleared: JobEffect[] = [
    ...stopTimers,
    { type: 'dropProvider', code },
    { type: 'free', attempt: state.attempt, place, ok: false },
    { type: 'forgiveAttempt', place },
  ]
  const next: JobState = {
    ...state,
    place: undefined,
    excluded: [...state.excluded, place.provider],
    lastFailure: code,
  }
  const spent = state.attempt >= LIMITS.attempts
  if (state.phase === 'leasing') return retryUnseen(next, cleared, spent)
  const mayRetry = !state.forwarded && !spent
  const tell: JobEffect = { type: 'tellLost', attempt: state.attempt, code, mayRetry }
  if (!mayRetry) return end(next, [...cleared, tell])
  return {
    state: { ...next, phase: 'lost' },
    effects: [...cleared, tell, { type: 'timer', name: 'again', afterMs: LIMITS.unusedLeaseMs }],
  }
}

/** The client has not seen this attempt: try the next provider by ourselves. */
function retryUnseen(state: JobState, cleared: readonly JobEffect[], spent: boolean): Step {
  if (spent) {
    const facts = { attempts: state.attempt, last: state.lastFailure }
    return end(state, [...cleared, { type: 'tellRefused', code: 'no-provider', facts }])
  }
  return rematch(state, cleared)
}

function rematch(state: JobState, before: readonly JobEffect[]): Step {
  const attempt = state.attempt + 1
  return {
    state: { ...state, phase: 'matching', attempt },
    effects: [...before, { type: 'match', attempt, excluded: state.excluded }],
  }
}

function onRequest(state: JobState, bytes: Bytes): Step {
  if (state.phase !== 'placed') return still(state)
  return {
    state: { ...state, phase: 'running' },
    effects: [
      { type: 'stopTimer', name: 'request' },
      { type: 'timer', name: 'frames', afterMs: LIMITS.firstFrameMs },
      { type: 'timer', name: 'lease', afterMs: LIMITS.leaseMs },
      { type: 'forwardRequest', bytes },
    ],
  }
}

function onFrames(state: JobState, frames: readonly Bytes[], billed: TokenUsage): Step {
  if (state.phase !== 'running') return still(state)
  return {
    state: { ...state, forwarded: true },
    effects: [
      { type: 'timer', name: 'frames', afterMs: LIMITS.frameGapMs },
      { type: 'forwardFrames', frames, billed },
    ],
  }
}

function onFinished(state: JobState, receipt: Bytes, signature: Bytes): Step {
  const { place } = state
  if (!place || (state.phase !== 'running' && state.phase !== 'placed')) return still(state)
  const effects: JobEffect[] = [
    { type: 'free', attempt: state.attempt, place, ok: true },
    { type: 'settle', receipt, signature },
  ]
  return { state: { ...state, phase: 'ended' }, effects: [...stopTimers, ...effects, END] }
}

function onAgain(state: JobState): Step {
  if (state.phase !== 'lost') return still(state)
  return rematch(state, [{ type: 'stopTimer', name: 'again' }])
}

function onAbort(state: JobState): Step {
  switch (state.phase) {
    case 'running': // the provider answers with a receipt for what was delivered
      return {
        state,
        effects: [
          { type: 'abortProvider' },
          { type: 'timer', name: 'frames', afterMs: LIMITS.acceptMs },
        ],
      }
    case 'ended':
      return still(state)
    default:
      return giveUp(state, 'aborted')
  }
}

function onClientGone(state: JobState): Step {
  if (state.phase === 'ended') return still(state)
  return state.phase === 'running' ? onAbort(state) : giveUp(state, 'aborted')
}

function onTimer(state: JobState, name: TimerName): Step {
  switch (name) {
    case 'accept':
      return state.phase === 'leasing' ? onAttemptFailed(state, 'timeout') : still(state)
    case 'request': // an unused lease costs nothing
      return state.phase === 'placed' ? giveUp(state, 'timeout') : still(state)
    case 'frames':
      return state.phase === 'running' ? onAttemptFailed(state, 'stalled') : still(state)
    case 'lease':
      return state.phase === 'running' ? onAttemptFailed(state, 'timeout') : still(state)
    case 'again':
      return state.phase === 'lost' ? end(state, []) : still(state)
  }
}

/** Ends a job that has not begun to run, leaving no place taken. */
function giveUp(state: JobState, code: ErrorCode): Step {
  const { place } = state
  const undo: JobEffect[] =
    state.phase === 'matching'
      ? [{ type: 'cancelMatch', attempt: state.attempt }]
      : place
        ? [
            { type: 'dropProvider', code },
            { type: 'free', attempt: state.attempt, place, ok: true },
            { type: 'forgiveAttempt', place },
          ]
        : []
  return end(state, [...undo, { type: 'tellRefused', code, facts: {} }])
}

const END: JobEffect = { type: 'end' }
const stopTimers: readonly JobEffect[] = (
  ['accept', 'request', 'frames', 'again', 'lease'] as const
).map((name) => ({ type: 'stopTimer', name }))

function end(state: JobState, effects: readonly JobEffect[]): Step {
  return {
    state: { ...state, phase: 'ended', place: undefined },
    effects: [...stopTimers, ...effects, { type: 'forgiveJob' }, END],
  }
}

function still(state: JobState): Step {
  return { state, effects: [] }
}
