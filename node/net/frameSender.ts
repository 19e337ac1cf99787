/**
 * The sending half of a frame stream: joins the frames of one turn, keeps the queue bounded, and ends
 * the stream when the network takes nothing for too long.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { checkFrame, encodeFrames, headerLength } from './framing.ts'
import type { HalfOptions } from './netLimits.ts'
import type { BytePipe } from './pipe.ts'

export interface Sender {
  send(frame: Bytes): Promise<void>
  close(): Promise<void>
  /** The pipe may take more. */
  drained(): void
  fail(reason: Error): void
  readonly queuedBytes: number
  readonly closed: boolean
}

interface Waiter {
  /** Wakes when no more than this is queued. */
  readonly atMost: number
  resolve(): void
  reject(reason: Error): void
}

export function createSender(pipe: BytePipe, options: HalfOptions): Sender {
  const { clock, limits, facts } = options
  const queue: Bytes[] = []
  let queueBytes = 0
  let acceptedBytes = 0
  let waiters: Waiter[] = []
  let cancelFlush: (() => void) | undefined
  let failure: Error | undefined
  let closing: Promise<void> | undefined
  let closed = false

  const queuedBytes = () => queueBytes + pipe.bufferedBytes
  const watch = createStallWatch(
    options,
    () => acceptedBytes - queuedBytes(),
    () => queuedBytes() > 0,
  )

  const wake = () => {
    const queued = queuedBytes()
    const ready = waiters.filter(({ atMost }) => queued <= atMost)
    waiters = waiters.filter(({ atMost }) => queued > atMost)
    for (const { resolve } of ready) resolve()
  }
  const untilAtMost = (atMost: number) => {
    if (failure) return Promise.reject(failure)
    if (queuedBytes() <= atMost) return Promise.resolve()
    return new Promise<void>((resolve, reject) => waiters.push({ atMost, resolve, reject }))
  }

  /** Hands joined frames to the pipe, a bounded piece a write, for as long as it takes them. */
  const flush = () => {
    cancelFlush?.()
    cancelFlush = undefined
    try {
      while (queue.length > 0 && pipe.writable && !failure) {
        const batch = queue.splice(0, batchLength(queue, options))
        const bytes = encodeFrames(batch, limits.frameBytes)
        queueBytes -= bytes.length
        pipe.write(bytes)
      }
    } catch (cause) {
      options.abort(new MarketError('unreachable', facts, { cause }))
      return
    }
    watch.check()
    wake()
  }

  const accept = (frame: Bytes) => {
    checkFrame(frame, limits.frameBytes)
    if (failure) throw failure
    if (closing) throw new MarketError('unreachable', { ...facts, detail: 'closed for sending' })
    if (queuedBytes() + frame.length > limits.sendMostBytes + limits.frameBytes) {
      const reason = new MarketError('limit-exceeded', { ...facts, queued: queuedBytes() })
      options.abort(reason)
      throw reason
    }
    // A copy: the caller may write to its buffer again as soon as this returns.
    queue.push(new Uint8Array(frame))
    const bytes = headerLength(frame.length) + frame.length
    queueBytes += bytes
    acceptedBytes += bytes
    if (queue.length >= limits.coalesceFrames || queueBytes >= limits.sendHighWaterBytes) flush()
    else cancelFlush ??= clock.after(0, flush)
  }

  const finish = async () => {
    flush()
    await untilAtMost(0)
    await pipe.closeWrite()
    closed = true
  }

  return {
    async send(frame) {
      accept(frame)
      await untilAtMost(limits.sendHighWaterBytes - 1)
    },
    async close() {
      if (failure) return // both directions have ended already
      closing ??= finish().catch((cause: unknown) => {
        throw failure ?? new MarketError('unreachable', facts, { cause })
      })
      await closing
    },
    drained: () => {
      if (!failure) flush()
    },
    fail(reason) {
      failure = reason
      watch.stop()
      cancelFlush?.()
      queue.length = 0
      queueBytes = 0
      for (const waiter of waiters.splice(0)) waiter.reject(reason)
    },
    get queuedBytes() {
      return failure ? 0 : queuedBytes()
    },
    get closed() {
      return closed
    },
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
