/**
 * One peer of the simulated network, and the link between two of them.
 * @module
 */
import { type Bytes, toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Clock, FrameStream, Logger, Transport } from '../../contracts/base/ports.ts'
import { frameStream } from './frameStream.ts'
import type { StreamLimits } from './netLimits.ts'
import { peerIdOf } from './peerId.ts'
import { createPipePair, type SimulatedEnd } from './simulatedPipe.ts'
import { createStreamCounter } from './streamCounter.ts'

export type SimulatedLimits = StreamLimits & {
  readonly [name in
    | 'muxWindowBytes'
    | 'streamsPerPeer'
    | 'dialAddresses'
    | 'dialMs'
    | 'connections'
    | 'handshakesPerSecond']: number
}

/** What the peers of one network share. */
export interface Ether {
  readonly clock: Clock
  readonly logger: Logger | undefined
  readonly peers: Map<string, SimulatedTransport>
  readonly links: Set<Link>
  reachable(peerA: string, peerB: string): boolean
  /** The delay of the next message; undefined where it is lost. */
  delayMs(): number | undefined
  /** A delay without loss, for what is retried below our notice: connecting. */
  roundTripPartMs(): number
}

type Serve = (stream: FrameStream) => Promise<void> | void

/** An address: where, and who must answer there. */
const ADDRESS = /^\/memory\/([0-9a-f]{16})\/p2p\/([^/]+)$/

export class SimulatedTransport implements Transport {
  readonly peerId: string
  readonly peerKey: Bytes
  readonly limits: SimulatedLimits
  readonly location: string
  readonly links = new Map<string, Link>()
  readonly #ether: Ether
  readonly #handlers = new Map<string, Serve>()
  readonly #listeners = new Set<(peer: string) => void>()
  readonly #counter: ReturnType<typeof createStreamCounter>
  #stopped = false

  constructor(ether: Ether, peerKey: Bytes, limits: SimulatedLimits) {
    this.#ether = ether
    this.peerId = peerIdOf(peerKey)
    this.peerKey = peerKey
    this.limits = limits
    this.location = toHex(peerKey.subarray(0, 8))
    this.#counter = createStreamCounter(limits.streamsPerPeer)
  }

  addresses(): readonly string[] {
    return this.#stopped ? [] : [`/memory/${this.location}/p2p/${this.peerId}`]
  }

  async handle(protocol: string, serve: Serve): Promise<void> {
    if (this.#handlers.has(protocol)) throw new MarketError('internal', { handled: protocol })
    this.#handlers.set(protocol, serve)
  }

  async dial(addresses: readonly string[], signal?: AbortSignal): Promise<string> {
    this.#checkRunning()
    for (const address of addresses.slice(0, this.limits.dialAddresses)) {
      signal?.throwIfAborted()
      const peer = /\/p2p\/([^/]+)$/.exec(address)?.[1]
      if (!peer)
        throw new MarketError('bad-input', { field: 'address', expected: '.../p2p/PEER_ID' })
      if (this.links.has(peer)) return peer
      await this.#ether.clock.sleep(2 * this.#ether.roundTripPartMs(), signal)
      this.#checkRunning()
      if (this.links.has(peer)) return peer // two dials at once share a connection
      const target = this.#ether.peers.get(peer)
      const there = target?.location === ADDRESS.exec(address)?.[1]
      if (!target?.accepts(this) || !there) continue
      new Link(this.#ether, this, target).join()
      return peer
    }
    throw new MarketError('unreachable', { address: addresses.join(' ').slice(0, 300) })
  }

  async open(peer: string, protocol: string, signal?: AbortSignal): Promise<FrameStream> {
    this.#checkRunning()
    signal?.throwIfAborted()
    const link = this.links.get(peer)
    const target = link?.other(this)
    if (!link || !target) throw new MarketError('unreachable', { peer, protocol })
    // The round trip in which the protocol is agreed upon.
    await this.#ether.clock.sleep(2 * this.#ether.roundTripPartMs(), signal)
    if (!link.up || !target.#handlers.has(protocol)) {
      throw new MarketError('unreachable', { peer, protocol })
    }
    const ends = link.openPipe()
    target.#accept(ends[1], this.peerId, protocol)
    return this.#frames(ends[0], peer, protocol)
  }

  onGone(listener: (peer: string) => void): () => void {
    // Wrapped: the same function given twice is two listeners.
    const own = (peer: string) => listener(peer)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  async hangUp(peer: string): Promise<void> {
    this.links.get(peer)?.lose()
  }

  async stop(): Promise<void> {
    this.vanish('told')
  }

  /** Ends this peer and its connections; a crashed one does not even hear of it. */
  vanish(how: 'told' | 'silent'): void {
    this.#stopped = true
    if (how === 'silent') this.#listeners.clear()
    if (this.#ether.peers.get(this.peerId) === this) this.#ether.peers.delete(this.peerId)
    for (const link of [...this.links.values()]) link.lose()
    this.#listeners.clear()
    this.#handlers.clear()
  }

  accepts(from: SimulatedTransport): boolean {
    const room = this.links.size < this.limits.connections
    return (
      !this.#stopped && room && from !== this && this.#ether.reachable(this.peerId, from.peerId)
    )
  }

  lost(peer: string): void {
    this.links.delete(peer)
    for (const listener of [...this.#listeners]) listener(peer)
  }

  #accept(end: SimulatedEnd, peer: string, protocol: string): void {
    const serve = this.#handlers.get(protocol)
    const release = this.#counter.enter(peer, protocol)
    if (!serve || !release) {
      release?.()
      end.abort(new MarketError('limit-exceeded', { peer, protocol }))
      return
    }
    const frames = this.#frames(end, peer, protocol, release)
    void (async () => serve(frames))().catch((error: unknown) => {
      this.#ether.logger?.debug({ peer, protocol, error }, 'a stream ended with an error')
      frames.abort(asMarketError(error))
    })
  }

  #frames(end: SimulatedEnd, peer: string, protocol: string, onEnd?: () => void): FrameStream {
    const { clock } = this.#ether
    return frameStream(end, { peer, protocol, clock, limits: this.limits, onEnd })
  }

  #checkRunning(): void {
    if (this.#stopped) throw new MarketError('unreachable', { detail: 'the transport has stopped' })
  }
}

/** A connection between two peers, with the streams it carries. */
export class Link {
  readonly a: SimulatedTransport
  readonly b: SimulatedTransport
  readonly #ether: Ether
  readonly #pipes = new Set<readonly [SimulatedEnd, SimulatedEnd]>()
  up = true

  constructor(ether: Ether, a: SimulatedTransport, b: SimulatedTransport) {
    this.#ether = ether
    this.a = a
    this.b = b
  }

  join(): void {
    this.#ether.links.add(this)
    this.a.links.set(this.b.peerId, this)
    this.b.links.set(this.a.peerId, this)
  }

  other(transport: SimulatedTransport): SimulatedTransport {
    return transport === this.a ? this.b : this.a
  }

  openPipe(): readonly [SimulatedEnd, SimulatedEnd] {
    const ether = this.#ether
    const path = {
      clock: ether.clock,
      windowBytes: this.a.limits.muxWindowBytes,
      delayMs: () => ether.delayMs(),
      lose: () => this.lose(),
    }
    const ends = createPipePair(path, () => this.#pipes.delete(ends))
    this.#pipes.add(ends)
    return ends
  }

  /** Breaks it: every stream fails on both sides, and both peers learn that the other is gone. */
  lose(): void {
    if (!this.up) return
    this.up = false
    this.#ether.links.delete(this)
    const cause = new MarketError('unreachable', { detail: 'connection lost' })
    for (const ends of [...this.#pipes]) for (const end of ends) end.breakOff(cause)
    this.a.lost(this.b.peerId)
    this.b.lost(this.a.peerId)
  }
}
