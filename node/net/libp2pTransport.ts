/**
 * The real network: libp2p over TCP and WebSocket, encrypted with Noise, multiplexed with yamux.
 *
 * Behind the `Transport` port, built by the composition roots. There is no plaintext and no second
 * encrypter or muxer to be talked down to, and an address without a peer id is refused: who answers
 * is always who was meant. libp2p is loaded when the first transport is made, since its import
 * costs more than many commands need in all.
 * @module
 */
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, FrameStream, Logger, Transport } from '../../contracts/base/ports.ts'
import { signingKey } from '../../contracts/base/signing.ts'
import { frameStream } from './frameStream.ts'
import type { Libp2pTransportOptions } from './libp2pOptions.ts'
import { libp2pPipe } from './libp2pPipe.ts'
import type { TransportLimits } from './netLimits.ts'
import { peerIdOf } from './peerId.ts'
import { createStreamCounter, type StreamCounter } from './streamCounter.ts'

type Serve = (stream: FrameStream) => Promise<void> | void

interface Lazy {
  readonly node: Libp2p
  readonly parsePeer: (peer: string) => PeerId
  readonly parseAddress: (address: string) => Parameters<Libp2p['dial']>[0]
}

/**
 * Starts a libp2p node. Throws `port-in-use` where it cannot listen, `bad-input` on a wrong seed or
 * address.
 *
 * @example
 * const transport = await createLibp2pTransport({ seed, listen: [], clock, logger })
 * const peer = await transport.dial(['/dns4/scheduler.example/tcp/4001/p2p/12D3Koo...'])
 * const stream = await transport.open(peer, '/chrysalis/hello/1')
 */
export async function createLibp2pTransport(options: Libp2pTransportOptions): Promise<Transport> {
  const limits: TransportLimits = { ...LIMITS, ...options.limits }
  const key = signingKey(options.seed)
  const { startNode } = await import('./libp2pNode.ts')
  const lazy = await startNode(options, limits)
  return new Libp2pTransport(lazy, key.publicKey, options, limits)
}

class Libp2pTransport implements Transport {
  readonly peerId: string
  readonly peerKey: Bytes
  readonly #lazy: Lazy
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #limits: TransportLimits
  readonly #counter: StreamCounter
  #stopped: Promise<void> | undefined

  constructor(lazy: Lazy, key: Bytes, options: Libp2pTransportOptions, limits: TransportLimits) {
    this.peerKey = key
    this.peerId = peerIdOf(key)
    this.#lazy = lazy
    this.#clock = options.clock
    this.#logger = options.logger.child({ room: 'net', peer: this.peerId })
    this.#limits = limits
    this.#counter = createStreamCounter(limits.streamsPerPeer)
  }

  addresses(): readonly string[] {
    return this.#lazy.node.getMultiaddrs().map((address) => address.toString())
  }

  async handle(protocol: string, serve: Serve): Promise<void> {
    const accept = (stream: Stream, connection: Connection) => {
      this.#accept(stream, connection.remotePeer.toString(), protocol, serve)
    }
    await this.#lazy.node.handle(protocol, accept, {
      // One above ours, so that the count that answers is the one over all connections of the peer.
      maxInboundStreams: this.#limits.streamsPerPeer + 1,
      maxOutboundStreams: this.#limits.streamsPerPeer,
      runOnLimitedConnection: true,
    })
  }

  async dial(addresses: readonly string[], signal?: AbortSignal): Promise<string> {
    this.#checkRunning()
    let cause: unknown
    for (const address of addresses.slice(0, this.#limits.dialAddresses)) {
      signal?.throwIfAborted()
      try {
        return await this.#dialOne(address, signal)
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (error instanceof MarketError && error.code === 'bad-input') throw error
        cause = error
      }
    }
    throw new MarketError('unreachable', { address: addresses.join(' ').slice(0, 300) }, { cause })
  }

  async open(peer: string, protocol: string, signal?: AbortSignal): Promise<FrameStream> {
    this.#checkRunning()
    signal?.throwIfAborted()
    const connection = this.#connectionTo(peer)
    if (!connection) throw new MarketError('unreachable', { peer, protocol })
    try {
      const stream = await this.#within(this.#limits.helloMs, signal, (within) =>
        connection.newStream(protocol, {
          signal: within,
          runOnLimitedConnection: true,
          maxOutboundStreams: this.#limits.streamsPerPeer,
        }),
      )
      return this.#frames(stream, peer, protocol)
    } catch (cause) {
      if (signal?.aborted) throw signal.reason
      throw new MarketError('unreachable', { peer, protocol }, { cause })
    }
  }

  onGone(listener: (peer: string) => void): () => void {
    const onDisconnect = (event: CustomEvent<PeerId>) => listener(event.detail.toString())
    this.#lazy.node.addEventListener('peer:disconnect', onDisconnect)
    return () => this.#lazy.node.removeEventListener('peer:disconnect', onDisconnect)
  }

  async hangUp(peer: string): Promise<void> {
    const id = this.#parsePeer(peer)
    // `abort`, not `close`: closing waits for streams that the other side may never end.
    const reason = new MarketError('unreachable', { peer, detail: 'hung up' })
    if (id) for (const connection of this.#lazy.node.getConnections(id)) connection.abort(reason)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const reason = new MarketError('unreachable', { detail: 'this side stopped' })
    for (const connection of this.#lazy.node.getConnections()) connection.abort(reason)
    await this.#lazy.node.stop()
  }

  #accept(stream: Stream, peer: string, protocol: string, serve: Serve): void {
    const release = this.#counter.enter(peer, protocol)
    if (!release) {
      const most = this.#limits.streamsPerPeer
      stream.abort(new MarketError('limit-exceeded', { peer, protocol, streamsPerPeer: most }))
      return
    }
    const frames = this.#frames(stream, peer, protocol, release)
    // Not awaited by libp2p: a stream is served for as long as a job or a connection lasts.
    void (async () => serve(frames))().catch((error: unknown) => {
      this.#logger.debug({ peer, protocol, error }, 'a stream ended with an error')
      frames.abort(asMarketError(error))
    })
  }

  #frames(stream: Stream, peer: string, protocol: string, onEnd?: () => void): FrameStream {
    const options = { peer, protocol, clock: this.#clock, limits: this.#limits, onEnd }
    return frameStream(libp2pPipe(stream), options)
  }

  async #dialOne(address: string, signal?: AbortSignal): Promise<string> {
    const wanted = /\/p2p\/([^/]+)$/.exec(address)?.[1]
    if (!wanted)
      throw new MarketError('bad-input', { field: 'address', expected: '.../p2p/PEER_ID' })
    const target = this.#parseAddress(address)
    const connection = await this.#within(this.#limits.dialMs, signal, (within) =>
      this.#lazy.node.dial(target, { signal: within }),
    )
    const peer = connection.remotePeer.toString()
    if (peer !== wanted) {
      connection.abort(new MarketError('unreachable', { wanted, answered: peer }))
      throw new MarketError('unreachable', { wanted, answered: peer })
    }
    return peer
  }

  /** Runs `work` with a signal that fires after `limitMs` on our clock, or with `signal`. */
  async #within<T>(
    limitMs: number,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController()
    const forward = () => controller.abort(signal?.reason)
    const cancel = this.#clock.after(limitMs, () => {
      controller.abort(new MarketError('timeout', { limitMs }))
    })
    signal?.addEventListener('abort', forward, { once: true })
    try {
      return await work(controller.signal)
    } finally {
      cancel()
      signal?.removeEventListener('abort', forward)
    }
  }

  #connectionTo(peer: string): Connection | undefined {
    const id = this.#parsePeer(peer)
    const open = id ? this.#lazy.node.getConnections(id) : []
    const usable = open.filter(({ status }) => status === 'open')
    return usable.find(({ limits }) => limits === undefined) ?? usable[0]
  }

  #parsePeer(peer: string): PeerId | undefined {
    try {
      return this.#lazy.parsePeer(peer)
    } catch {
      return undefined // no such peer can be connected
    }
  }

  #parseAddress(address: string) {
    try {
      return this.#lazy.parseAddress(address)
    } catch (cause) {
      throw new MarketError('bad-input', { field: 'address', address }, { cause })
    }
  }

  #checkRunning(): void {
    if (this.#stopped) throw new MarketError('unreachable', { detail: 'the transport has stopped' })
  }
}
