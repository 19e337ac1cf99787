/**
 * The narrow waist between frames and a network: one ordered, two-way pipe of bytes.
 *
 * `libp2pPipe` and the simulated network provide it; `frameStream` is the only user. An
 * implementation delivers nothing before `start`, and after `ended` or `broken` nothing more.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'

/** What a pipe tells its user. */
export interface PipeEvents {
  /** Bytes came. They may be a part of a frame or many frames. */
  data(bytes: Bytes): void
  /** `writable` may be true again, or `bufferedBytes` has fallen. */
  drained(): void
  /** The peer has half-closed, and everything it had sent has been delivered. */
  ended(): void
  /** The pipe is gone in both directions; something may have been lost. */
  broken(cause: unknown): void
}

export interface BytePipe {
  start(events: PipeEvents): void
  /** False: do not write before `drained`. */
  readonly writable: boolean
  /** Bytes written and not yet taken by the network. */
  readonly bufferedBytes: number
  /** Takes the bytes whole. Throws where the pipe has ended. */
  write(bytes: Bytes): void
  /** No more `data` until `resume`, and the peer is slowed down. Safe inside `data`. */
  pause(): void
  resume(): void
  /** Half-closes once everything written has been taken. */
  closeWrite(): Promise<void>
  abort(reason: Error): void
}
