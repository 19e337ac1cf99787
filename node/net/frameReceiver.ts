/**
 * The receiving half of a frame stream: takes bytes apart, keeps the queue of whole frames bounded
 * by pausing the pipe, and holds every frame to its deadline.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { createFrameDecoder, type FrameDecoder } from './framing.ts'
import type { HalfOptions } from './netLimits.ts'
import type { BytePipe } from './pipe.ts'

interface Reader {
  resolve(result: IteratorResult<Bytes>): void
  reject(reason: Error): void
}

const DONE: IteratorResult<Bytes> = { done: true, value: undefined }

export class FrameReceiver {
  readonly frames: AsyncIterable<Bytes>
  readonly #pipe: BytePipe
  readonly #options: HalfOptions
  readonly #decoder: FrameDecoder
  readonly #queue: Bytes[] = []
  readonly #readers: Reader[] = []
  #queueBytes = 0
  #paused = false
  #ended = false
  #failure: Error | undefined
  #cancelDeadline: (() => void) | undefined

  constructor(pipe: BytePipe, options: HalfOptions) {
    this.#pipe = pipe
    this.#options = options
    this.#decoder = createFrameDecoder(options.limits.frameBytes)
    const iterator: AsyncIterator<Bytes> = {
      next: () => this.#next(),
      // Leaving a loop ends nothing: the same reader may go on with the next frame.
      return: () => Promise.resolve(DONE),
    }
    this.frames = { [Symbol.asyncIterator]: () => iterator }
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Bytes came. */
  take(bytes: Bytes): void {
    if (this.#ended || this.#failure) return
    const before = this.#queue.length
    let failure: unknown
    try {
      this.#decoder.push(bytes, this.#queue)
    } catch (error) {
      failure = error
    }
    for (const frame of this.#queue.slice(before)) this.#queueBytes += frame.length
    if (failure) {
      this.#options.abort(asMarketError(failure, 'bad-frame'))
      return
    }
    const completed = this.#queue.length > before
    this.#deliver()
    this.#balance()
    this.#watchFrame(completed)
  }

  /** The peer has half-closed. */
  end(): void {
    if (this.#ended || this.#failure) return
    const { abort, facts } = this.#options
    if (this.#decoder.partial) {
      abort(new MarketError('bad-frame', { ...facts, detail: 'ended inside a frame' }))
      return
    }
    this.#ended = true
    this.#stopDeadline()
    this.#deliver()
  }

  /** The stream is broken; whole frames stay readable where `keep` is set. */
  fail(reason: Error, keep: boolean): void {
    if (this.#failure) return
    this.#stopDeadline()
    if (!keep) {
      this.#queue.length = 0
      this.#queueBytes = 0
    }
    // What ended cleanly before stays a clean end for a reader that has yet to see it.
    if (this.#ended && keep) return
    this.#failure = reason
    this.#deliver()
  }

  #next(): Promise<IteratorResult<Bytes>> {
    const result = new Promise<IteratorResult<Bytes>>((resolve, reject) =>
      this.#readers.push({ resolve, reject }),
    )
    this.#deliver()
    this.#balance()
    return result
  }

  #deliver(): void {
    while (this.#readers.length > 0 && this.#queue.length > 0) {
      const value = this.#queue.shift()!
      this.#queueBytes -= value.length
      this.#readers.shift()!.resolve({ done: false, value })
    }
    if (this.#queue.length > 0 || !(this.#ended || this.#failure)) return
    for (const reader of this.#readers.splice(0)) {
      if (this.#failure) reader.reject(this.#failure)
      else reader.resolve(DONE)
    }
  }

  /** Pauses or resumes the peer as the queue demands. */
  #balance(): void {
    if (this.#ended || this.#failure) return
    const { readHighWaterBytes, readLowWaterBytes } = this.#options.limits
    if (!this.#paused && this.#queueBytes > readHighWaterBytes) {
      this.#paused = true
      this.#stopDeadline()
      this.#pipe.pause()
    } else if (this.#paused && this.#queueBytes <= readLowWaterBytes) {
      this.#paused = false
      this.#pipe.resume()
      this.#watchFrame(false)
    }
  }

  /** One deadline a frame, from its first byte: the next frame gets a new one. */
  #watchFrame(completed: boolean): void {
    if (completed) this.#stopDeadline()
    // While we pause the pipe, it is not the sender who is slow.
    if (!this.#decoder.partial || this.#paused || this.#failure || this.#cancelDeadline) return
    const { clock, limits, facts, abort } = this.#options
    this.#cancelDeadline = clock.after(limits.frameDeadlineMs, () => {
      abort(new MarketError('timeout', { ...facts, frameDeadlineMs: limits.frameDeadlineMs }))
    })
  }

  #stopDeadline(): void {
    this.#cancelDeadline?.()
    this.#cancelDeadline = undefined
  }
}
