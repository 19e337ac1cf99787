/**
 * A clock of real time, for tests of adapters that wait for real processes and sockets.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../contracts/base/ports.ts'

export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs)
    return () => clearTimeout(timer)
  },
  sleep: (delayMs, signal) => delay(delayMs, undefined, { signal }),
}
