/**
 * What the application holds of a job: an async iterable of pieces, a result, a way to stop.
 *
 * Pieces wait here until they are read; a job delivers at most `LIMITS.maxTokens` tokens, so the
 * queue is bounded by the job. Leaving the loop early aborts the job; not iterating at all does
 * not.
 * @module
 */
import type { MarketError } from '../contracts/base/errors.ts'
import { NO_USAGE } from '../contracts/money/price.ts'
import type { ServedBy } from './servedBy.ts'
import type { Delivered, Job, JobResult, Piece } from './types.ts'

/** The producing end of a job. */
export interface JobControl {
  readonly job: Job
  /** Aborted when the application stops the job. */
  readonly signal: AbortSignal
  push(piece: Piece): void
  setPartial(partial: () => Delivered): void
  setServedBy(servedBy: ServedBy): void
  finish(result: JobResult): void
  fail(error: MarketError): void
}

/** A job handle and the end that feeds it. `signal` is the application's own, where it gave one. */
export function createHandle(id: string, signal?: AbortSignal): JobControl {
  const controller = new AbortController()
  const stop = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal
  const settled = Promise.withResolvers<JobResult>()
  // An application that only iterates learns of the failure there.
  settled.promise.catch(() => undefined)
  const queue: Piece[] = []
  let wake: (() => void) | undefined
  let partial: () => Delivered = () => ({ text: '', reasoning: '', usage: NO_USAGE })
  let servedBy: ServedBy | undefined
  let over = false

  const end = () => {
    over = true
    wake?.()
  }
  async function* pieces(): AsyncGenerator<Piece> {
    try {
      for (;;) {
        const piece = queue.shift()
        if (piece) yield piece
        else if (over) break
        else await new Promise<void>((resolve) => (wake = resolve))
      }
      await settled.promise
    } finally {
      if (!over) controller.abort()
    }
  }

  return {
    signal: stop,
    push(piece) {
      queue.push(piece)
      wake?.()
    },
    setPartial: (read) => (partial = read),
    setServedBy: (verified) => (servedBy = verified),
    finish(result) {
      settled.resolve(result)
      end()
    },
    fail(error) {
      settled.reject(error)
      end()
    },
    job: {
      id,
      result: () => settled.promise,
      partial: () => partial(),
      servedBy: () => servedBy,
      abort: () => controller.abort(),
      [Symbol.asyncIterator]: () => pieces(),
    },
  }
}
