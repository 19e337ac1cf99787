/**
 * How a job at the scheduler ends, and the small steps that the machine in `job.ts` is made of.
 * @module
 */
import type { ErrorCode } from '../../contracts/base/errors.ts'
import { type JobEffect, type JobState, type Step, TIMERS, type TimerName } from './jobTypes.ts'

/** Ends a job that has not begun to run, leaving no place taken. */
export function giveUp(state: JobState, code: ErrorCode): Step {
  const { place, attempt } = state
  const undo: JobEffect[] = []
  if (state.phase === 'matching') undo.push({ type: 'cancelMatch', attempt })
  else if (place) {
    undo.push({ type: 'dropProvider', code }, { type: 'free', attempt, place, end: 'unused' })
  }
  return end(state, [...undo, { type: 'tellRefused', code, facts: {} }])
}

export const END: JobEffect = { type: 'end' }
export const stopTimers: readonly JobEffect[] = TIMERS.map((name) => stopTimer(name))

export function timer(name: TimerName, afterMs: number): JobEffect {
  return { type: 'timer', name, afterMs }
}

export function stopTimer(name: TimerName): JobEffect {
  return { type: 'stopTimer', name }
}

export function end(state: JobState, effects: readonly JobEffect[]): Step {
  return {
    state: { ...state, phase: 'ended', place: undefined },
    effects: [...stopTimers, ...effects, { type: 'forgiveJob' }, END],
  }
}

export function still(state: JobState): Step {
  return { state, effects: [] }
}
