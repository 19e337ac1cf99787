/**
 * Which of the system's bounds the network room enforces. The defaults are `LIMITS`; tests narrow
 * them.
 * @module
 */
import type { Clock } from '../../contracts/base/ports.ts'

/** The bounds of one stream; a test may narrow them. */
export type StreamLimits = {
  readonly [name in
    | 'frameBytes'
    | 'frameDeadlineMs'
    | 'sendHighWaterBytes'
    | 'sendMostBytes'
    | 'readHighWaterBytes'
    | 'readLowWaterBytes'
    | 'stallMs'
    | 'coalesceFrames']: number
}

/** The bounds of a transport; a test may narrow them. */
export type TransportLimits = StreamLimits & {
  readonly [name in
    | 'muxWindowBytes'
    | 'muxReadBytes'
    | 'muxWriteBytes'
    | 'connections'
    | 'connectionsPerPeer'
    | 'handshakesPerSecond'
    | 'pendingHandshakes'
    | 'streamsPerPeer'
    | 'dialAddresses'
    | 'dialMs'
    | 'helloMs']: number
}

/** What sender and receiver are handed besides the pipe. */
export interface HalfOptions {
  readonly clock: Clock
  readonly limits: StreamLimits
  readonly facts: { readonly peer: string; readonly protocol: string }
  /** Ends the stream in both directions. */
  readonly abort: (reason: Error) => void
}
