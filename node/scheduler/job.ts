/**
 * One job at the scheduler, as a pure machine: `(state, event) -> { state, effects }`.
 *
 * Prompts and answers pass through as bytes that nothing here can read. Phases: matching ->
 * leasing -> placed -> running -> ended, with `lost` between two attempts. An attempt that ends
 * without a signed receipt is charged nothing on either leg.
 *
 * Architecture invariant: every place that was matched is freed once, at most three attempts are
 * made, nothing is forwarded before the request, and after `end` there is no further effect.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { ErrorCode, Facts } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { TokenUsage } from '../../contracts/money/price.ts'
import { blameFor } from './belief.ts'
import { END, end, giveUp, still, stopTimer, stopTimers, timer } from './jobEnd.ts'
import type { JobEffect, JobEvent, JobState, Place, Step, TimerName } from './jobTypes.ts'

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
    case 'forwarded':
      return onForwarded(state)
    case 'finished':
      return onFinished(state, event.receipt, event.signature)
    case 'again':
      return onAgain(state)
    case 'abort':
      return onAbort(state, 'asked')
    case 'clientGone':
      return onAbort(state, 'gone')
    case 'timer':
      return onTimer(state, event.name)
  }
}

function onMatched(state: JobState, place: Place): Step {
  if (state.phase !== 'matching') {
    const { attempt } = state
    return { state, effects: [{ type: 'free', attempt, place, end: 'unused' }] }
  }
  return {
    state: { ...state, phase: 'leasing', place },
    effects: [timer('accept', LIMITS.acceptMs), { type: 'lease', place, attempt: state.attempt }],
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
      stopTimer('accept'),
      timer('request', LIMITS.unusedLeaseMs),
      { type: 'tellPlaced', attempt: state.attempt },
    ],
  }
}

/** The provider said busy, refused, died or was too slow. */
function onAttemptFailed(state: JobState, code: ErrorCode): Step {
  const { place, attempt, phase } = state
  if (!place || (phase !== 'leasing' && phase !== 'placed' && phase !== 'running')) {
    return still(state)
  }
  const cleared: JobEffect[] = [
    ...stopTimers,
    { type: 'dropProvider', code },
    { type: 'free', attempt, place, end: blameFor(code) },
  ]
  const next: JobState = {
    ...state,
    place: undefined,
    excluded: [...state.excluded, place.provider],
    lastFailure: code,
  }
  const spent = attempt >= LIMITS.attempts
  if (phase === 'leasing') return retryUnseen(next, cleared, spent)
  const mayRetry = !state.forwarded && !spent && !state.aborting
  const tell: JobEffect = { type: 'tellLost', attempt, code, mayRetry }
  if (!mayRetry) return end(next, [...cleared, tell])
  return {
    state: { ...next, phase: 'lost' },
    effects: [...cleared, tell, timer('again', LIMITS.unusedLeaseMs)],
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
      stopTimer('request'),
      timer('frames', LIMITS.firstFrameMs),
      timer('lease', LIMITS.leaseMs),
      { type: 'forwardRequest', bytes },
    ],
  }
}

/** While the client takes frames, it is not the provider who is slow. */
function onFrames(state: JobState, frames: readonly Bytes[], billed: TokenUsage): Step {
  if (state.phase !== 'running' || state.aborting === 'gone') return still(state)
  const forward: JobEffect = { type: 'forwardFrames', frames, billed }
  const next = { ...state, forwarded: true }
  // An aborted job has had its last deadline: frames on the way do not extend it.
  if (state.aborting) return { state: next, effects: [forward] }
  const waits = [stopTimer('frames'), timer('forward', LIMITS.forwardStallMs)]
  return { state: next, effects: [...waits, forward] }
}

function onForwarded(state: JobState): Step {
  if (state.phase !== 'running' || state.aborting) return still(state)
  return { state, effects: [stopTimer('forward'), timer('frames', LIMITS.frameGapMs)] }
}

function onFinished(state: JobState, receipt: Bytes, signature: Bytes): Step {
  const { place, attempt } = state
  if (!place || state.phase !== 'running') return still(state)
  // An answer cut short says nothing about how long answers take.
  const served = state.aborting ? 'unused' : 'served'
  return {
    state: { ...state, phase: 'ended', place: undefined },
    effects: [
      ...stopTimers,
      { type: 'free', attempt, place, end: served },
      { type: 'settle', receipt, signature },
      END,
    ],
  }
}

function onAgain(state: JobState): Step {
  if (state.phase !== 'lost') return still(state)
  return rematch(state, [stopTimer('again')])
}

function onAbort(state: JobState, aborting: 'asked' | 'gone'): Step {
  if (state.phase === 'ended') return still(state)
  if (state.phase !== 'running') return giveUp(state, 'aborted')
  if (state.aborting) return still({ ...state, aborting })
  // The provider answers with a receipt for what was delivered.
  return {
    state: { ...state, aborting },
    effects: [stopTimer('forward'), { type: 'abortProvider' }, timer('frames', LIMITS.acceptMs)],
  }
}

function onTimer(state: JobState, name: TimerName): Step {
  switch (name) {
    case 'accept':
      return state.phase === 'leasing' ? onAttemptFailed(state, 'timeout') : still(state)
    case 'request': // an unused lease costs nothing
      return state.phase === 'placed' ? giveUp(state, 'timeout') : still(state)
    case 'frames':
      return state.phase === 'running' ? onAttemptFailed(state, 'stalled') : still(state)
    case 'forward': {
      if (state.phase !== 'running' || state.aborting) return still(state)
      const { state: next, effects } = onAbort(state, 'gone')
      return { state: next, effects: [...effects, { type: 'dropClient', code: 'stalled' }] }
    }
    case 'lease':
      return state.phase === 'running' ? onAttemptFailed(state, 'timeout') : still(state)
    case 'again':
      return state.phase === 'lost' ? end(state, []) : still(state)
  }
}
