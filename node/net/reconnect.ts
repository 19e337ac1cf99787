/**
 * Holding a connection to one of several addresses: dial, use, and after a loss dial again, with
 * full jitter, so that a thousand nodes do not come back in the same second.
 *
 * Used by providers and clients towards their schedulers. The ceiling of the wait doubles with each
 * failure from `reconnectMinMs` to `reconnectMaxMs`; the wait is uniform between the least and the
 * ceiling ("Exponential Backoff and Jitter", AWS Architecture Blog). It starts over only after a
 * connection has lasted, or a peer that accepts and drops would be dialled without end.
 * @module
 */
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Logger, Random, Transport } from '../../contracts/base/ports.ts'

export interface KeepConnectedOptions {
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Addresses of one peer, or of several that will do; asked anew before each dial. */
  addresses(): readonly string[] | Promise<readonly string[]>
  /** Runs on each new connection; the connection is given up where it throws. */
  readonly onConnected: (peer: string) => Promise<void> | void
  /** Runs after each loss of a connection that `onConnected` had accepted. */
  readonly onLost?: (peer: string) => void
  readonly signal: AbortSignal
}

/**
 * Runs until `signal` aborts, then resolves; the connection is then left to the caller. Throws
 * `bad-input` for addresses that no retry can help.
 *
 * @example
 * await keepConnected({ ...deps, addresses: () => list, signal, onConnected: announce })
 */
export async function keepConnected(options: KeepConnectedOptions): Promise<void> {
  const { clock, random, logger, signal } = options
  let failures = 0
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs()
    try {
      await connectOnce(options)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof MarketError && error.code === 'bad-input') throw error
      logger.info({ error: asMarketError(error), failures }, 'no connection')
    }
    if (signal.aborted) return
    const lasted = clock.monotonicMs() - startedMs >= LIMITS.reconnectMaxMs
    failures = lasted ? 1 : failures + 1
    await clock.sleep(backoffMs(failures, random), signal).catch(() => undefined)
  }
}

/** Wait before the next dial after `failures` (1 or more) in a row, in milliseconds. */
export function backoffMs(failures: number, random: Random): number {
  const { reconnectMinMs, reconnectMaxMs } = LIMITS
  const ceilingMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(failures, 30))
  const fraction = Buffer.from(random.bytes(4)).readUInt32BE() / 2 ** 32
  return reconnectMinMs + fraction * (ceilingMs - reconnectMinMs)
}

/** One connection: resolves when it is lost or `signal` aborts; throws where there was none. */
async function connectOnce(options: KeepConnectedOptions): Promise<void> {
  const { transport, addresses, onConnected, onLost, logger, signal } = options
  const gone = new Set<string>()
  let wake: () => void = () => undefined
  // Listening before dialling, so that no loss is missed in between.
  const stopListening = transport.onGone((peer) => {
    gone.add(peer)
    wake()
  })
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const peer = await transport.dial(await addresses(), signal)
    try {
      await onConnected(peer)
    } catch (error) {
      await transport.hangUp(peer)
      throw error
    }
    while (!gone.has(peer) && !signal.aborted) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    if (signal.aborted) return
    logger.info({ peer }, 'connection lost')
    onLost?.(peer)
  } finally {
    stopListening()
    signal.removeEventListener('abort', onAbort)
  }
}
