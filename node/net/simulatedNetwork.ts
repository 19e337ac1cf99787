/**
 * The simulated twin of the network: peers in one process, with latency, loss, partitions and
 * crashes by seed, on any clock.
 *
 * Streams are ordered and whole, as over TCP: a lost message is not a missing frame but a broken
 * connection, and its streams fail. Frames, bounds, deadlines and back-pressure are the code of the
 * real transport (`frameStream`); peer ids and keys are real ones.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Logger, Random, Transport } from '../../contracts/base/ports.ts'
import { signingKey } from '../../contracts/base/signing.ts'
import { peerIdOf } from './peerId.ts'
import {
  type Ether,
  type Link,
  type SimulatedLimits,
  SimulatedTransport,
} from './simulatedTransport.ts'

export interface SimulatedNetworkOptions {
  readonly clock: Clock
  readonly random: Random
  /** One-way delay of a message; a pair is a range that each message draws from. */
  readonly latencyMs: number | readonly [least: number, most: number]
  /** Probability that a message is lost, and its connection with it. Default 0. */
  readonly lossRate?: number
  readonly logger?: Logger
}

export interface SimulatedNetwork {
  /** A peer with the key of `seed`; after `crash` the same seed starts it anew. */
  transport(seed: Bytes, limits?: Partial<SimulatedLimits>): Transport
  /** Breaks the connections between two peers and lets none be made, until `heal`. */
  cut(peerA: string, peerB: string): void
  /** Lets only peers of the same group reach each other; peers of no group reach everyone. */
  partition(...groups: readonly (readonly string[])[]): void
  /** Ends every cut and partition. */
  heal(): void
  /** Ends one peer without a goodbye: its streams break, and nothing answers under its id. */
  crash(peer: string): void
  /** From now on messages take this long. */
  setLatency(latencyMs: SimulatedNetworkOptions['latencyMs']): void
  setLossRate(rate: number): void
  /** Connections that are up. */
  readonly connections: number
}

/**
 * A network without peers.
 *
 * @example
 * const network = createSimulatedNetwork({ clock, random, latencyMs: [5, 40] })
 * const scheduler = network.transport(seedA)
 * const provider = network.transport(seedB)
 * const dialled = provider.dial(scheduler.addresses())
 * await clock.settle(dialled, 1_000)
 */
export function createSimulatedNetwork(options: SimulatedNetworkOptions): SimulatedNetwork {
  return new World(options)
}

class World implements SimulatedNetwork, Ether {
  readonly clock: Clock
  readonly logger: Logger | undefined
  readonly peers = new Map<string, SimulatedTransport>()
  readonly links = new Set<Link>()
  readonly #random: Random
  readonly #cuts = new Set<string>()
  #groups: readonly (readonly string[])[] = []
  #latencyMs: SimulatedNetworkOptions['latencyMs']
  #lossRate: number

  constructor(options: SimulatedNetworkOptions) {
    this.clock = options.clock
    this.logger = options.logger
    this.#random = options.random
    this.#latencyMs = options.latencyMs
    this.#lossRate = options.lossRate ?? 0
  }

  transport(seed: Bytes, limits?: Partial<SimulatedLimits>): Transport {
    const { publicKey } = signingKey(seed)
    const peer = peerIdOf(publicKey)
    this.peers.get(peer)?.vanish('silent')
    const transport = new SimulatedTransport(this, publicKey, { ...LIMITS, ...limits })
    this.peers.set(peer, transport)
    return transport
  }

  cut(peerA: string, peerB: string): void {
    this.#cuts.add(pair(peerA, peerB))
    this.#breakUnreachable()
  }

  partition(...groups: readonly (readonly string[])[]): void {
    this.#groups = groups
    this.#breakUnreachable()
  }

  heal(): void {
    this.#cuts.clear()
    this.#groups = []
  }

  crash(peer: string): void {
    this.peers.get(peer)?.vanish('silent')
  }

  setLatency(latencyMs: SimulatedNetworkOptions['latencyMs']): void {
    this.#latencyMs = latencyMs
  }

  setLossRate(rate: number): void {
    this.#lossRate = rate
  }

  get connections(): number {
    return this.links.size
  }

  reachable(peerA: string, peerB: string): boolean {
    if (this.#cuts.has(pair(peerA, peerB))) return false
    const groupOf = (peer: string) => this.#groups.findIndex((group) => group.includes(peer))
    const [a, b] = [groupOf(peerA), groupOf(peerB)]
    return a === -1 || b === -1 || a === b
  }

  /** The delay of the next message; undefined where it is lost. */
  delayMs(): number | undefined {
    if (this.#lossRate > 0 && this.#draw() < this.#lossRate) return undefined
    return this.roundTripPartMs()
  }

  /** A delay without loss, for what is retried below our notice: connecting. */
  roundTripPartMs(): number {
    if (typeof this.#latencyMs === 'number') return this.#latencyMs
    const [least, most] = this.#latencyMs
    return least + this.#draw() * (most - least)
  }

  #breakUnreachable(): void {
    for (const link of [...this.links]) {
      if (!this.reachable(link.a.peerId, link.b.peerId)) link.lose()
    }
  }

  #draw(): number {
    return Buffer.from(this.#random.bytes(4)).readUInt32BE() / 2 ** 32
  }
}

const pair = (a: string, b: string) => [a, b].sort().join(' ')
