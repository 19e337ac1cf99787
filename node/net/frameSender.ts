/**
 * The sending half of a frame stream: joins the frames of one turn, keeps the queue bounded, and
 * ends the stream when the network takes nothing for too long.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { checkFrame, encodeFrames, headerLength } from './framing.ts'
import type { HalfOptions } from './netLimits.ts'
import type { BytePipe } from './pipe.ts'

interface Waiter {
  /** Wakes when no more than this is queued. */
  readonly atMost: number
  resolve(): void
  reject(reason: Error): void
}

export class FrameSender {
  readonly #pipe: BytePipe
  readonly #options: HalfOptions
  readonly #queue: Bytes[] = []
  readonly #watch: { check(): void; stop(): void }
  #queueBytes = 0
  #acceptedBytes = 0
  #waiters: Waiter[] = []
  #cancelFlush: (() => void) | undefined
  #failure: Error | undefined
  #closing: Promise<void> | undefined
  #closed = false

  constructor(pipe: BytePipe, options: HalfOptions) {
    this.#pipe = pipe
    this.#options = options
    this.#watch = createStallWatch(
      options,
      () => this.#acceptedBytes - this.queuedBytes,
      () => this.queuedBytes > 0,
    )
  }

  get queuedBytes(): number {
    return this.#failure ? 0 : this.#queueBytes + this.#pipe.bufferedBytes
  }

  get closed(): boolean {
    return this.#closed
  }

  async send(frame: Bytes): Promise<void> {
    this.#accept(frame)
    await this.#untilAtMost(this.#options.limits.sendHighWaterBytes - 1)
  }

  async close(): Promise<void> {
    if (this.#failure) return // both directions have ended already
    this.#closing ??= this.#finish()
    await this.#closing
  }

  /** The pipe may take more. */
  drained(): void {
    if (!this.#failure) this.#flush()
  }

  fail(reason: Error): void {
    this.#failure = reason
    this.#watch.stop()
    this.#cancelFlush?.()
    this.#queue.length = 0
    this.#queueBytes = 0
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason)
  }

  #accept(frame: Bytes): void {
    const { clock, limits, facts, abort } = this.#options
    checkFrame(frame, limits.frameBytes)
    if (this.#failure) throw this.#failure
    if (this.#closing) throw new MarketError('unreachable', { ...facts, detail: 'closed' })
    if (this.queuedBytes + frame.length > limits.sendMostBytes + limits.frameBytes) {
      const reason = new MarketError('limit-exceeded', { ...facts, queued: this.queuedBytes })
      abort(reason)
      throw reason
    }
    // A copy: the caller may write to its buffer again as soon as this returns.
    this.#queue.push(new Uint8Array(frame))
    const bytes = headerLength(frame.length) + frame.length
    this.#queueBytes += bytes
    this.#acceptedBytes += bytes
    const enough = this.#queueBytes >= limits.sendHighWaterBytes
    if (enough || this.#queue.length >= limits.coalesceFrames) this.#flush()
    else this.#cancelFlush ??= clock.after(0, () => this.#flush())
  }

  /** Hands joined frames to the pipe, a bounded piece a write, for as long as it takes them. */
  #flush(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    const { limits, facts, abort } = this.#options
    try {
      while (this.#queue.length > 0 && this.#pipe.writable && !this.#failure) {
        const batch = this.#queue.splice(0, batchLength(this.#queue, this.#options))
        const bytes = encodeFrames(batch, limits.frameBytes)
        this.#queueBytes -= bytes.length
        this.#pipe.write(bytes)
      }
    } catch (cause) {
      abort(new MarketError('unreachable', facts, { cause }))
      return
    }
    this.#watch.check()
    this.#wake()
  }

  #wake(): void {
    const queued = this.queuedBytes
    const ready = this.#waiters.filter(({ atMost }) => queued <= atMost)
    this.#waiters = this.#waiters.filter(({ atMost }) => queued > atMost)
    for (const { resolve } of ready) resolve()
  }

  #untilAtMost(atMost: number): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.queuedBytes <= atMost) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiters.push({ atMost, resolve, reject }))
  }

  async #finish(): Promise<void> {
    try {
      this.#flush()
      await this.#untilAtMost(0)
      await this.#pipe.closeWrite()
      this.#closed = true
    } catch (cause) {
      throw this.#failure ?? new MarketError('unreachable', this.#options.facts, { cause })
    }
  }
}

/** Frames of the next write: enough to join what is small, and one alone where it is large. */
function batchLength(queue: readonly Bytes[], { limits }: HalfOptions): number {
  let bytes = 0
  let count = 0
  while (count < Math.min(queue.length, limits.coalesceFrames)) {
    bytes += queue[count]!.length
    if (count > 0 && bytes > limits.sendHighWaterBytes) break
    count += 1
  }
  return count
}

/** Ends the stream with `stalled` when `takenBytes` stands still for `stallMs` while `waiting`. */
function createStallWatch(options: HalfOptions, takenBytes: () => number, waiting: () => boolean) {
  const { clock, limits, facts } = options
  let cancel: (() => void) | undefined
  let watching = false
  let taken = 0
  let progressMs = 0

  const stop = () => {
    cancel?.()
    watching = false
  }
  const check = () => {
    if (!waiting()) {
      stop()
      return
    }
    // Only what the network took counts: more frames in the queue are no progress.
    const now = takenBytes()
    if (!watching || now !== taken) {
      taken = now
      progressMs = clock.monotonicMs()
    }
    if (watching) return
    watching = true
    arm()
  }
  const arm = () => {
    const leftMs = progressMs + limits.stallMs - clock.monotonicMs()
    cancel = clock.after(Math.max(1, leftMs), () => {
      check()
      if (!watching) return
      if (clock.monotonicMs() - progressMs < limits.stallMs) {
        arm()
        return
      }
      stop()
      options.abort(new MarketError('stalled', { ...facts, stallMs: limits.stallMs }))
    })
  }
  return { check, stop }
}
