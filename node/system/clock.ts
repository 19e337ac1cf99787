/**
 * The real clock, and the sleep that every clock shares.
 *
 * The only place of the running system that reads the machine's time or sets its timers; everything
 * else is handed a `Clock`. A delay of zero means the end of this turn of the event loop.
 * @module
 */
import type { Clock } from '../../contracts/base/ports.ts'

/** Longest delay that setTimeout takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * The clock of this machine.
 *
 * @example
 * const clock = createClock()
 * await clock.sleep(100, AbortSignal.timeout(50)) // rejects with the signal's reason
 */
export function createClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    after,
    sleep: (delayMs, signal) => sleepOn(after, delayMs, signal),
  }
}

/** `Clock.sleep` over `after`: rejects with the signal's reason, leaves no timer behind. */
export function sleepOn(after: Clock['after'], delayMs: number, signal?: AbortSignal) {
  return new Promise<void>((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function after(delayMs: number, task: () => void): () => void {
  if (delayMs <= 0) {
    const turn = setImmediate(task)
    return () => clearImmediate(turn)
  }
  if (delayMs <= MAX_TIMER_MS) {
    const timer = setTimeout(task, delayMs)
    return () => clearTimeout(timer)
  }
  let cancel = after(MAX_TIMER_MS, () => {
    cancel = after(delayMs - MAX_TIMER_MS, task)
  })
  return () => cancel()
}
