/**
 * The named timers of one job: setting one again replaces it.
 * @module
 */
import type { Clock } from '../../contracts/base/ports.ts'
import type { TimerName } from './jobTypes.ts'

export interface Timers {
  set(name: TimerName, afterMs: number): void
  stop(name: TimerName): void
}

/** Timers that tell `fire` which one it was. */
export function createTimers(clock: Clock, fire: (name: TimerName) => void): Timers {
  const running = new Map<TimerName, () => void>()
  const stop = (name: TimerName) => {
    running.get(name)?.()
    running.delete(name)
  }
  return {
    set(name, afterMs) {
      stop(name)
      const cancel = clock.after(afterMs, () => {
        running.delete(name)
        fire(name)
      })
      running.set(name, cancel)
    },
    stop,
  }
}
