/**
 * The timers of one job, by name: setting one again replaces it.
 * @module
 */
import type { Clock } from '../contracts/base/ports.ts'
import type { TimerName } from './jobTypes.ts'

export interface Timers {
  set(name: TimerName, ms: number): void
  cancel(name: TimerName): void
  cancelAll(): void
}

/** Timers that tell `onTimer` their name when they are due. */
export function createTimers(clock: Clock, onTimer: (name: TimerName) => void): Timers {
  const running = new Map<TimerName, () => void>()
  const cancel = (name: TimerName) => {
    running.get(name)?.()
    running.delete(name)
  }
  return {
    set(name, ms) {
      cancel(name)
      running.set(
        name,
        clock.after(ms, () => onTimer(name)),
      )
    },
    cancel,
    cancelAll() {
      for (const name of [...running.keys()]) cancel(name)
    },
  }
}
