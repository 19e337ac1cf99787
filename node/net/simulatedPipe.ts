/**
 * One simulated stream: two ends of a pipe of bytes with a latency and a window, like a stream of
 * the real multiplexer. Used by the simulated network only.
 *
 * The window is what makes back-pressure real: bytes that the other side has not taken yet count
 * against it, so a reader that pauses stops its sender after one window.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import type { BytePipe, PipeEvents } from './pipe.ts'

/** How the two ends reach each other. */
export interface PipePath {
  readonly clock: Clock
  readonly windowBytes: number
  /** Milliseconds that the next message takes; undefined where it is lost. */
  delayMs(): number | undefined
  /** Breaks the connection that carries this pipe. */
  lose(): void
}

type Message =
  | { readonly kind: 'data'; readonly bytes: Bytes }
  | { readonly kind: 'credit'; readonly bytes: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'reset' }

/** One end, as the network sees it. */
export interface SimulatedEnd extends BytePipe {
  /** The connection is gone: nothing more arrives. */
  breakOff(cause: Error): void
}

/** Two ends of a new pipe. `onOver` runs once, when neither side can use it any more. */
export function createPipePair(
  path: PipePath,
  onOver: () => void = () => undefined,
): readonly [SimulatedEnd, SimulatedEnd] {
  let over = false
  const endedHere = () => {
    if (over || !a.over || !b.over) return
    over = true
    onOver()
  }
  const a: PipeEnd = new PipeEnd(path, () => b, endedHere)
  const b: PipeEnd = new PipeEnd(path, () => a, endedHere)
  return [a, b]
}

class PipeEnd implements SimulatedEnd {
  readonly #path: PipePath
  readonly #peer: () => PipeEnd
  readonly #onOver: () => void
  #events: PipeEvents | undefined
  #early: (() => void)[] = []
  /** Written, and waiting for room in the window. */
  readonly #unsent: Bytes[] = []
  #unsentBytes = 0
  #credit: number
  /** On its way to us. */
  readonly #inbox: Message[] = []
  /** Arrived while paused. */
  #unread: Bytes[] = []
  #paused = false
  #peerEnded = false
  #endedTold = false
  #closing: PromiseWithResolvers<void> | undefined
  #closed = false
  #lastArrivalMs = 0
  over = false

  constructor(path: PipePath, peer: () => PipeEnd, onOver: () => void) {
    this.#path = path
    this.#peer = peer
    this.#onOver = onOver
    this.#credit = path.windowBytes
  }

  get writable(): boolean {
    return !this.over && this.#unsentBytes === 0
  }

  get bufferedBytes(): number {
    return this.#unsentBytes
  }

  start(events: PipeEvents): void {
    this.#events = events
    for (const task of this.#early.splice(0)) task()
  }

  write(bytes: Bytes): void {
    if (this.over || this.#closing)
      throw new MarketError('unreachable', { detail: 'pipe has ended' })
    this.#unsent.push(bytes)
    this.#unsentBytes += bytes.length
    this.#pump()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    // Not inside the reader's own call, as with a real stream.
    this.#path.clock.after(0, () => this.#deliver())
  }

  closeWrite(): Promise<void> {
    if (this.over) return Promise.resolve()
    if (!this.#closing) {
      this.#closing = Promise.withResolvers()
      this.#closing.promise.catch(() => undefined) // told to whoever awaits it
      this.#pump()
    }
    return this.#closing.promise
  }

  abort(_reason: Error): void {
    if (this.over) return
    this.#send({ kind: 'reset' })
    this.#finish()
  }

  breakOff(cause: Error): void {
    if (this.over) return
    this.#finish(cause)
    this.#tell((events) => events.broken(cause))
  }

  #pump(): void {
    while (this.#credit > 0 && this.#unsent.length > 0) {
      const next = this.#unsent[0]!
      const bytes = next.subarray(0, this.#credit)
      if (bytes.length === next.length) this.#unsent.shift()
      else this.#unsent[0] = next.subarray(bytes.length)
      this.#unsentBytes -= bytes.length
      this.#credit -= bytes.length
      this.#send({ kind: 'data', bytes })
      if (this.over) return
    }
    if (!this.#closing || this.#closed || this.#unsentBytes > 0) return
    this.#closed = true
    this.#send({ kind: 'end' })
    this.#closing.resolve()
    this.#checkOver()
  }

  #send(message: Message): void {
    const { clock } = this.#path
    const delayMs = this.#path.delayMs()
    if (delayMs === undefined) {
      this.#path.lose()
      return
    }
    // In order, even where a later message draws a shorter delay.
    const arrivalMs = Math.max(this.#lastArrivalMs, clock.monotonicMs() + delayMs)
    this.#lastArrivalMs = arrivalMs
    const peer = this.#peer()
    peer.#inbox.push(message)
    // Each timer delivers the oldest message: rounding of times cannot change the order.
    clock.after(arrivalMs - clock.monotonicMs(), () => peer.#arrive(peer.#inbox.shift()!))
  }

  #arrive(message: Message): void {
    if (this.over) return
    switch (message.kind) {
      case 'data':
        this.#unread.push(message.bytes)
        this.#deliver()
        return
      case 'credit':
        this.#credit += message.bytes
        this.#pump()
        this.#tell((events) => events.drained())
        return
      case 'end':
        this.#peerEnded = true
        this.#deliver()
        return
      case 'reset':
        this.breakOff(new MarketError('unreachable', { detail: 'reset by peer' }))
    }
  }

  #deliver(): void {
    while (!this.over && this.#events && !this.#paused && this.#unread.length > 0) {
      const bytes = this.#unread.shift()!
      this.#send({ kind: 'credit', bytes: bytes.length })
      this.#events.data(bytes)
    }
    if (this.over || this.#unread.length > 0) return
    if (!this.#events) {
      this.#early.push(() => this.#deliver())
      return
    }
    if (!this.#peerEnded || this.#endedTold) return
    this.#endedTold = true
    this.#events.ended()
    this.#checkOver()
  }

  #tell(what: (events: PipeEvents) => void): void {
    if (this.#events) what(this.#events)
    else this.#early.push(() => this.#events && what(this.#events))
  }

  #checkOver(): void {
    if (this.#closed && this.#endedTold) this.#finish()
  }

  #finish(cause?: Error): void {
    if (this.over) return
    this.over = true
    this.#unsent.length = 0
    this.#unsentBytes = 0
    this.#unread = []
    if (!this.#closed) this.#closing?.reject(cause)
    this.#onOver()
  }
}
