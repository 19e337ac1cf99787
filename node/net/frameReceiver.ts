/**
 * The receiving half of a frame stream: takes bytes apart, keeps the queue of whole frames bounded by
 * pausing the pipe, and holds every frame to its deadline.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { createFrameDecoder } from './framing.ts'
import type { HalfOptions } from './netLimits.ts'
import type { BytePipe } from './pipe.ts'

export interface Receiver {
  /** Bytes came. */
  take(bytes: Bytes): void
  /** The peer has half-closed. */
  end(): void
  /** The stream is broken; whole frames stay readable where `keep` is set. */
  fail(reason: Error, keep: boolean): void
  readonly ended: boolean
  readonly frames: AsyncIterable<Bytes>
}

interface Reader {
  resolve(result: IteratorResult<Bytes>): void
  reject(reason: Error): void
}

const DONE: IteratorResult<Bytes> = { done: true, value: undefined }

export function createReceiver(pipe: BytePipe, options: HalfOptions): Receiver {
  const { clock, limits, facts, abort } = options
  const decoder = createFrameDecoder(limits.frameBytes)
  const queue: Bytes[] = []
  const readers: Reader[] = []
  let queueBytes = 0
  let paused = false
  let ended = false
  let failure: Error | undefined
  let cancelDeadline: (() => void) | undefined

  const stopDeadline = () => {
    cancelDeadline?.()
    cancelDeadline = undefined
  }
  /** One deadline a frame, from its first byte: the next frame gets a new one. */
  const watchFrame = (completed: boolean) => {
    if (completed) stopDeadline()
    // While we pause the pipe, it is not the sender who is slow.
    if (!decoder.partial || paused || failure || cancelDeadline) return
    cancelDeadline = clock.after(limits.frameDeadlineMs, () => {
      abort(new MarketError('timeout', { ...facts, frameDeadlineMs: limits.frameDeadlineMs }))
    })
  }
  const deliver = () => {
    while (readers.length > 0 && queue.length > 0) {
      const value = queue.shift()!
      queueBytes -= value.length
      readers.shift()!.resolve({ done: false, value })
    }
    if (queue.length > 0 || !(ended || failure)) return
    for (const reader of readers.splice(0)) {
      if (failure) reader.reject(failure)
      else reader.resolve(DONE)
    }
  }
  const balance = () => {
    if (ended || failure) return
    if (!paused && queueBytes > limits.readHighWaterBytes) {
      paused = true
      stopDeadline()
      pipe.pause()
    } else if (paused && queueBytes <= limits.readLowWaterBytes) {
      paused = false
      pipe.resume()
      watchFrame(false)
    }
  }

  const iterator: AsyncIterator<Bytes> = {
    next() {
      const result = new Promise<IteratorResult<Bytes>>((resolve, reject) =>
        readers.push({ resolve, reject }),
      )
      deliver()
      balance()
      return result
    },
    // Leaving a loop ends nothing: the same reader may go on with the next frame.
    return: () => Promise.resolve(DONE),
  }

  return {
    take(bytes) {
      if (ended || failure) return
      const before = queue.length
      try {
        decoder.push(bytes, queue)
      } catch (error) {
        for (const frame of queue.slice(before)) queueBytes += frame.length
        abort(asMarketError(error, 'bad-frame'))
        return
      }
      const completed = queue.length > before
      for (let i = before; i < queue.length; i++) queueBytes += queue[i]!.length
      deliver()
      balance()
      watchFrame(completed)
    },
    end() {
      if (ended || failure) return
      if (decoder.partial) {
        abort(new MarketError('bad-frame', { ...facts, detail: 'ended inside a frame' }))
        return
      }
      ended = true
      stopDeadline()
      deliver()
    },
    fail(reason, keep) {
      if (failure) return
      stopDeadline()
      if (!keep) {
        queue.length = 0
        queueBytes = 0
      }
      // What ended cleanly before stays a clean end for a reader that has yet to see it.
      if (ended && keep) return
      failure = reason
      deliver()
    },
    get ended() {
      return ended
    },
    frames: { [Symbol.asyncIterator]: () => iterator },
  }
}
