/**
 * What a libp2p transport is made from.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import type { TransportLimits } from './netLimits.ts'

export interface Libp2pTransportOptions {
  /** Ed25519 seed of the peer key, 32 bytes. */
  readonly seed: Bytes
  /** Multiaddrs to listen on, such as `/ip4/0.0.0.0/tcp/4001` or `/ip4/0.0.0.0/tcp/4002/ws`. */
  readonly listen: readonly string[]
  /** Multiaddrs to tell others instead of those that were bound. */
  readonly announce?: readonly string[]
  /** `client` may dial and listen through relays, `server` also is one. Default: none. */
  readonly relay?: 'client' | 'server'
  readonly clock: Clock
  readonly logger: Logger
  readonly limits?: Partial<TransportLimits>
}
