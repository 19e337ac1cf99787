/**
 * The ports: everything the protocol logic needs from the outside world.
 *
 * Time, randomness, network, disk, chain, key encapsulation and logs reach the roles only through
 * these interfaces, so that the whole market runs in one process under a seed. Each has a real
 * adapter and a simulated twin in `node/`, and one compliance suite that both pass.
 * @module
 */
import type { Address, Cell, StateInit, TupleItem, TupleReader } from '@ton/core'
import type { Bytes } from './bytes.ts'
import type { MarketParameters } from './marketParameters.ts'
import type { SchedulerAddress } from './network.ts'
import type { NanoTon } from './units.ts'

/** Time. `nowMs` is wall-clock Unix milliseconds; `monotonicMs` never goes back. */
export interface Clock {
  nowMs(): number
  monotonicMs(): number
  /** Runs `task` once after `delayMs`; the result cancels it. */
  after(delayMs: number, task: () => void): () => void
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/** Randomness: cryptographic in production, by seed in a simulation. */
export interface Random {
  bytes(length: number): Bytes
}

/** Structured logs. Facts never hold a prompt, an answer or a key. */
export interface Logger {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
  child(facts: object): Logger
}

/**
 * Told each event of a job as it happens in this process, for measurements: `mark` is the role and
 * the event, like `scheduler:accepted`. Never content.
 */
export type Trace = (jobId: string, mark: string) => void

/**
 * One ordered, two-way stream of whole frames to one peer. Frames are at most
 * `LIMITS.frameBytes`; a longer, empty-length-prefixed or non-minimal one aborts the stream.
 */
export interface FrameStream {
  readonly peer: string
  readonly protocol: string
  /**
   * Sends one frame. Resolves when the bytes queued here are below the high-water mark, so that
   * awaiting it is back-pressure. Throws `stalled` after `LIMITS.stallMs` without progress,
   * `unreachable` where the stream has ended.
   */
  send(frame: Bytes): Promise<void>
  /** Bytes accepted by `send` and not yet taken by the network. */
  readonly queuedBytes: number
  /** Frames in order, for one reader; ends when the peer half-closes, throws where it aborts. */
  readonly frames: AsyncIterable<Bytes>
  /** Half-closes: what was sent is delivered, nothing more is sent. */
  close(): Promise<void>
  /** Ends both directions at once; pending sends and reads reject with `reason`. */
  abort(reason: Error): void
}

/** Network access of one peer. */
export interface Transport {
  /** Own peer id. */
  readonly peerId: string
  /** Public key of the peer id, Ed25519, 32 bytes. */
  readonly peerKey: Bytes
  /** Multiaddrs that others can dial, with the peer id. */
  addresses(): readonly string[]
  /** Serves a protocol: `serve` runs once for each stream that a peer opens. */
  handle(protocol: string, serve: (stream: FrameStream) => Promise<void> | void): Promise<void>
  /** Dials until one of `addresses` answers; gives the peer id. Throws `unreachable`. */
  dial(addresses: readonly string[], signal?: AbortSignal): Promise<string>
  /** Opens a stream on an existing connection to `peer`. Throws `unreachable`. */
  open(peer: string, protocol: string, signal?: AbortSignal): Promise<FrameStream>
  /** Called whenever a peer's last connection ends; the result stops it. */
  onGone(listener: (peer: string) => void): () => void
  /** Ends the connections to one peer. */
  hangUp(peer: string): Promise<void>
  stop(): Promise<void>
}

/** One change of a store: `undefined` deletes. */
export interface Change {
  readonly table: string
  readonly key: string
  readonly value: Bytes | undefined
}

/**
 * A small durable map, in tables. Reads see every write already given to `write`; `write` resolves
 * only when its changes are on disk, all of them or none.
 */
export interface Store {
  get(table: string, key: string): Bytes | undefined
  /** Entries in ascending key order, from `after` (exclusive), at most `limit`. */
  list(table: string, options?: { after?: string; limit?: number }): [key: string, value: Bytes][]
  /** Throws `store-failed`; after that every later call throws it too. */
  write(changes: readonly Change[]): Promise<void>
  close(): Promise<void>
}

/** State of an account on chain. */
export interface ChainAccount {
  readonly status: 'none' | 'uninit' | 'active' | 'frozen'
  readonly balance: NanoTon
  readonly codeHash?: Bytes
}

/** One transaction of an account, newest first in lists. */
export interface ChainTransaction {
  readonly hash: string
  readonly lt: bigint
  readonly at: number
  readonly fees: NanoTon
  readonly exitCode: number
  readonly aborted: boolean
  /** Value and source of the inbound message; no source for an external one. */
  readonly in: { readonly value: NanoTon; readonly source?: string; readonly body?: Cell }
  readonly out: readonly { readonly value: NanoTon; readonly destination: string }[]
}

/** A masterchain block: its number, root hash (32 bytes) and time (Unix seconds). */
export interface ChainBlock {
  readonly seqno: number
  readonly hash: Bytes
  readonly atS: number
}

/** Access to a TON network. Everything here is final state of the last known block. */
export interface Chain {
  /** The network's own id (configuration parameter 19): -239 mainnet, -3 testnet. */
  readonly networkId: number
  /** Unix seconds of the last block. */
  now(signal?: AbortSignal): Promise<number>
  /**
   * The last masterchain block. Its time may be that of the newest state known with it, some
   * seconds off; `block` gives the block's own.
   */
  lastBlock(signal?: AbortSignal): Promise<ChainBlock>
  /**
   * The masterchain block of this number: what evidence names to show its age. Undefined where the
   * endpoint has none, because it was not made yet or was forgotten.
   */
  block(seqno: number, signal?: AbortSignal): Promise<ChainBlock | undefined>
  account(address: Address, signal?: AbortSignal): Promise<ChainAccount>
  /** Runs a get method. Throws `contract-failed` with its exit code. */
  getter(address: Address, method: string, args?: TupleItem[]): Promise<TupleReader>
  /** Sends an external message. Resolves when the network took it, not when it ran. */
  sendExternal(to: Address, body: Cell, init?: StateInit): Promise<void>
  transactions(address: Address, limit: number, beforeLt?: bigint): Promise<ChainTransaction[]>
}

/**
 * What a network agrees on outside its members: parameters by version, and who is registered. Read
 * from the registry contract and followed while a node runs; on a network without a registry, from
 * its network.json.
 */
export interface Directory {
  /** The registry read; absent on a network without one. */
  readonly registry?: Address
  /** The version in force, as last read. */
  current(): MarketParameters
  /**
   * A version that leases may name: the current one, or one replaced not long ago
   * (`LIMITS.parameterGraceS`). Reads again where the number is newer than what is known.
   */
  version(version: number, signal?: AbortSignal): Promise<MarketParameters | undefined>
  /** Told after each change of `current`; the result stops it. */
  onChange(listener: (parameters: MarketParameters) => void): () => void
  /** Schedulers that may be dialled: those of network.json, then the live ones of the registry. */
  schedulers(signal?: AbortSignal): Promise<readonly SchedulerAddress[]>
  /** Whether an identity is that of the live provider registered by `owner`. */
  isProvider(identity: Bytes, owner: Address | undefined, signal?: AbortSignal): Promise<boolean>
  /** Stops following. */
  stop(): void
}

/** An internal message that a wallet sends. */
export interface WalletMessage {
  readonly to: Address
  readonly value: NanoTon
  readonly body?: Cell
  readonly init?: StateInit
  readonly bounce?: boolean
}

/** A wallet of this process. */
export interface Wallet {
  readonly address: Address
  readonly publicKey: Bytes
  /** Sends 1 to 4 messages in order; resolves when the wallet's transaction is on chain. */
  send(messages: readonly WalletMessage[], signal?: AbortSignal): Promise<void>
}

/** A KEM key pair as raw bytes. */
export interface KemKeyPair {
  readonly publicKey: Bytes
  readonly secretKey: Bytes
}

/**
 * MLKEM768-X25519 key encapsulation (public key 1,216 bytes, encapsulation 1,120, secret 32). A
 * port, because native key encapsulation takes no seed and a simulation must be reproducible.
 */
export interface Kem {
  generateKeyPair(): KemKeyPair
  encapsulate(publicKey: Bytes): { readonly enc: Bytes; readonly sharedSecret: Bytes }
  decapsulate(secretKey: Bytes, enc: Bytes): Bytes
}
