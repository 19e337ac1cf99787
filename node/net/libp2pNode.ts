/**
 * Building and starting the libp2p node: which protocols it speaks and within which bounds.
 *
 * Loaded lazily, by `createLibp2pTransport` only, because it pulls in all of libp2p.
 * @module
 */
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { ComponentLogger, ConnectionGater, Libp2p, Logger } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import type { Libp2pTransportOptions } from './libp2pOptions.ts'
import { webSocketsThatClose } from './libp2pWebSockets.ts'
import type { TransportLimits } from './netLimits.ts'

/** Said to peers by identify; names no version, so that nobody can be picked out by it. */
const AGENT = 'chrysalis'
/** A dead peer is found within this, where neither side sends anything. */
const PING_INTERVAL_MS = 20_000
/** Protocols that one connection may hold `streamsPerPeer` streams of. */
const PROTOCOLS_AT_ONCE = 4

/** Starts the node. Throws `port-in-use`, `bad-config`, `bad-input`. */
export async function startNode(options: Libp2pTransportOptions, limits: TransportLimits) {
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.seed)
  const relays = options.relay === undefined ? [] : [circuitRelayTransport()]
  let connectionsOf: (peer: string) => number = () => 0
  const node: Libp2p = await createLibp2p({
    privateKey,
    start: false,
    addresses: {
      listen: checkedAddresses(options.listen),
      announce: checkedAddresses(options.announce ?? []),
    },
    transports: [tcp(), webSocketsThatClose(), ...relays],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux(muxerOptions(limits))],
    connectionGater: gater(options.clock, limits, (peer) => connectionsOf(peer)),
    connectionManager: connectionOptions(limits),
    connectionMonitor: { pingInterval: PING_INTERVAL_MS },
    logger: silent,
    nodeInfo: { name: AGENT, version: '', userAgent: AGENT },
    services: {
      identify: identify(),
      ping: ping(),
      ...(options.relay === 'server'
        ? // The default limits cut a relayed job off after 128 KiB.
          { relay: circuitRelayServer({ reservations: { applyDefaultLimit: false } }) }
        : {}),
    },
  })
  connectionsOf = (peer) => node.getConnections(peerIdFromString(peer)).length
  try {
    await node.start()
  } catch (cause) {
    await node.stop()
    const busy = String(cause).includes('EADDRINUSE')
    const listen = options.listen.join(' ')
    throw new MarketError(busy ? 'port-in-use' : 'bad-config', { listen }, { cause })
  }
  return { node, parsePeer: peerIdFromString, parseAddress: multiaddr }
}

/** yamux grants 16 MiB of window over a 4 MiB buffer by default, and buffers writes without end. */
function muxerOptions(limits: TransportLimits) {
  return {
    maxInboundStreams: PROTOCOLS_AT_ONCE * limits.streamsPerPeer,
    maxOutboundStreams: PROTOCOLS_AT_ONCE * limits.streamsPerPeer,
    streamOptions: {
      maxStreamWindowSize: limits.muxWindowBytes,
      maxReadBufferLength: limits.muxReadBytes,
      maxWriteBufferLength: limits.muxWriteBytes,
    },
  }
}

function connectionOptions(limits: TransportLimits) {
  return {
    maxConnections: limits.connections,
    maxIncomingPendingConnections: limits.pendingHandshakes,
    // Per address; a fleet behind one address is honest, so only the rate over all of them counts.
    inboundConnectionThreshold: limits.handshakesPerSecond,
    inboundUpgradeTimeout: limits.helloMs,
    inboundStreamProtocolNegotiationTimeout: limits.helloMs,
    outboundStreamProtocolNegotiationTimeout: limits.helloMs,
    dialTimeout: limits.dialMs,
    addressDialTimeout: limits.dialMs,
    maxPeerAddrsToDial: limits.dialAddresses,
    reconnectRetries: 0, // `keepConnected` does that, with jitter
  }
}

/** Refuses connections before they cost a handshake, and peers that hold too many. */
function gater(
  clock: Clock,
  limits: TransportLimits,
  connectionsOf: (peer: string) => number,
): ConnectionGater {
  const rate = limits.handshakesPerSecond
  let allowance = rate
  let filledMs = clock.monotonicMs()
  return {
    denyDialMultiaddr: () => false, // private addresses are where localnets live
    denyInboundConnection: () => {
      const nowMs = clock.monotonicMs()
      allowance = Math.min(rate, allowance + ((nowMs - filledMs) * rate) / 1_000)
      filledMs = nowMs
      if (allowance < 1) return true
      allowance -= 1
      return false
    },
    denyInboundUpgradedConnection: (peer) =>
      connectionsOf(peer.toString()) >= limits.connectionsPerPeer,
  }
}

function checkedAddresses(addresses: readonly string[]): string[] {
  for (const address of addresses) {
    try {
      multiaddr(address)
    } catch (cause) {
      throw new MarketError('bad-input', { field: 'listen', address }, { cause })
    }
  }
  return [...addresses]
}

/** libp2p's own trace goes nowhere: our log says what a reader of it needs. */
const nothing: Logger = Object.assign(() => undefined, {
  enabled: false,
  trace: () => undefined,
  error: () => undefined,
  newScope: () => nothing,
})
const silent: ComponentLogger = { forComponent: () => nothing }
