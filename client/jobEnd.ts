/**
 * The ends of a job in the client's machine: lost, refused, cut off, stopped, late; and the small
 * steps that they share with `job.ts`.
 * @module
 */
import { MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import type { JobEffect, JobEvent, JobPhase, JobState, JobStep, TimerName } from './jobTypes.ts'
import { charge, lesser } from './payAhead.ts'

/** Beyond what the scheduler is allowed, so that its own answer wins where it gives one. */
const GRACE_MS = 5_000

/**
 * The job was stopped while the request was being sealed: its grant need not wait for a receipt.
 */
export function unsent(state: JobState): JobStep {
  if (state.phase !== 'streaming' || !state.ending || state.begun) return same(state)
  return giveUp(state, state.ending, 'release')
}

export function settled(state: JobState): JobStep {
  if (state.phase !== 'settling') return same(state)
  return state.ending
    ? to(state, 'failed', [{ type: 'fail', error: state.ending }])
    : to(state, 'done', [{ type: 'finish' }])
}

export function lost(state: JobState, event: Extract<JobEvent, { type: 'lost' }>): JobStep {
  if (isSettling(state) || event.attempt < state.attempt) return same(state)
  const again = event.mayRetry && !state.begun && !state.ending && event.attempt < LIMITS.attempts
  if (again) {
    const next = { ...state, attempt: Math.max(state.attempt, event.attempt) }
    return to(next, 'placing', [
      cancel('frame'),
      { type: 'again', attempt: next.attempt },
      placeTimer(state),
    ])
  }
  const error = state.begun
    ? new MarketError('provider-lost', delivered(state), { cause: event.error })
    : new MarketError('no-provider', { attempts: event.attempt, last: event.error.code })
  return giveUp(state, error, 'release')
}

/** The stream ended before the receipt: what was delivered is settled when the account reopens. */
export function ended(state: JobState): JobStep {
  if (isSettling(state)) return same(state)
  const error = new MarketError('scheduler-lost', delivered(state))
  // Without a sealed request nobody can have worked, and nothing can be charged.
  return giveUp(state, error, sealedOut(state) ? 'keep' : 'release')
}

export function broken(state: JobState, error: MarketError): JobStep {
  // The settlement is in the payer's own durable account by then: the answer is not withheld for
  // it.
  if (state.phase === 'settling') return settled(state)
  if (state.phase === 'checking') {
    const own = state.terms ? charge(state.usage, state.terms) : 0n
    const receipt = { charge: lesser(own, state.paid.granted), disputed: true, error }
    return to({ ...state, ending: state.ending ?? error }, 'settling', [
      { type: 'settle', receipt },
    ])
  }
  return stop(state, error)
}

export function abort(state: JobState, error: MarketError): JobStep {
  if (isSettling(state)) return same(state)
  return stop(state, error)
}

export function timer(state: JobState, name: TimerName): JobStep {
  if (name === 'place' && state.phase === 'placing') {
    return stop(state, new MarketError('timeout', { waiting: 'placement' }))
  }
  if (name === 'frame' && state.phase === 'streaming') {
    return stop(state, new MarketError('stalled', delivered(state)))
  }
  if (name === 'receipt' && state.phase === 'streaming') {
    const waiting = new MarketError('timeout', { waiting: 'receipt', ...delivered(state) })
    return giveUp(state, state.ending ?? waiting, 'keep')
  }
  return same(state)
}

/** Ends the job early: where work may have been done its receipt is awaited, and paid. */
export function stop(state: JobState, error: MarketError): JobStep {
  if (state.ending) return same(state)
  const ending = { ...state, ending: error }
  if (!sealedOut(state)) {
    const step = giveUp(ending, error, 'release')
    return { state: step.state, effects: [{ type: 'sendAbort' }, ...step.effects] }
  }
  // While sealing, the request may be on its way already: treat it as sent.
  return to(ending, 'streaming', [{ type: 'sendAbort' }, cancel('frame'), receiptTimer()])
}

export function giveUp(state: JobState, error: MarketError, money: 'release' | 'keep'): JobStep {
  const effects: JobEffect[] = [cancel('place'), cancel('frame'), cancel('receipt')]
  if (money === 'release' && state.paid.granted > 0n) effects.push({ type: 'release' })
  return to(state, 'failed', [...effects, { type: 'fail', error: state.ending ?? error }])
}

/** What was delivered, as facts of an error: counts only, never text. */
export function delivered(state: JobState): { completionTokens: number; reasoningTokens: number } {
  const { completion, reasoning } = state.usage
  return { completionTokens: completion, reasoningTokens: reasoning }
}

export function sealedOut(state: JobState): boolean {
  return state.phase === 'sealing' || state.phase === 'streaming'
}

export function isSettling(state: JobState): boolean {
  return state.phase === 'checking' || state.phase === 'settling'
}

export function placeTimer(state: JobState): JobEffect {
  const ms = state.deadlineMs + LIMITS.acceptMs * LIMITS.attempts + GRACE_MS
  return { type: 'timer', name: 'place', ms }
}

export function frameTimer(first: boolean): JobEffect {
  const ms = (first ? LIMITS.firstFrameMs : LIMITS.frameGapMs + LIMITS.unpaidMs) + GRACE_MS
  return { type: 'timer', name: 'frame', ms }
}

export function receiptTimer(): JobEffect {
  return { type: 'timer', name: 'receipt', ms: LIMITS.frameGapMs }
}

export function cancel(name: TimerName): JobEffect {
  return { type: 'cancel', name }
}

export function to(state: JobState, phase: JobPhase, effects: readonly JobEffect[]): JobStep {
  return { state: { ...state, phase }, effects }
}

export function same(state: JobState): JobStep {
  return { state, effects: [] }
}
