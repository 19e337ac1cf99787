/**
 * A queue with one reader: what a process or a socket says, for an async generator to take.
 *
 * It is bounded by its sender: the engine computes at most `LIMITS.engineAheadTokens` ahead.
 * @module
 */
import type { MarketError } from '../../contracts/base/errors.ts'
import { untilAborted } from './backend.ts'

export interface Mailbox<T> {
  push(value: T): void
  /** Every later `take` throws `error`, after what was pushed before has been read. */
  fail(error: MarketError): void
  /** The next value; undefined where the signal comes first. One call at a time. */
  take(signal: AbortSignal): Promise<T | undefined>
}

export function createMailbox<T>(): Mailbox<T> {
  const values: T[] = []
  let failure: MarketError | undefined
  let wake = () => {}
  return {
    push(value) {
      values.push(value)
      wake()
    },
    fail(error) {
      failure ??= error
      wake()
    },
    async take(signal) {
      while (values.length === 0 && !failure) {
        if (signal.aborted) return undefined
        await untilAborted(new Promise<void>((resolve) => (wake = resolve)), signal)
      }
      if (signal.aborted) return undefined
      if (values.length === 0 && failure) throw failure
      return values.shift()
    },
  }
}
