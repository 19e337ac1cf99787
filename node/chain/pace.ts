/**
 * The pace of requests to an endpoint that limits their rate (HTTP 429), shared by all requests of
 * one chain: toncenter takes one a second of whoever has no key.
 *
 * Nothing waits until the endpoint refuses. From then on each request takes the next free place, a
 * second and a tenth (one may be longer on its way than the next) or more after the one before it,
 * so that requests that were refused together do not come back together; a while after the last
 * refusal the pace is free again.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Random } from '../../contracts/base/ports.ts'

export interface Pace {
  /**
   * Resolves when the request that began at `sinceMs` (monotonic) may go out. Throws
   * `chain-unavailable` where that is later than `LIMITS.chainRateWaitMs` after its beginning, and
   * the signal's reason.
   */
  turn(sinceMs: number, signal?: AbortSignal): Promise<void>
  /** The endpoint refused a request for its rate, and said to wait this long, if it said so. */
  refused(retryAfterMs?: number): void
}

/** Added to `LIMITS.chainRateMs` at most, where there is randomness. */
export const RATE_JITTER_MS = 250
/** The pace is free again this long after a refusal: a key's owner is not slowed for one burst. */
export const RATE_MEMORY_MS = 10_000
const ACTION =
  'Set CHRYSALIS_TONCENTER_KEY to an API key of this endpoint, name another endpoint in ' +
  'network.json, or wait a minute.'

export function createPace({ clock, random }: { clock: Clock; random?: Random }): Pace {
  // Several processes behind one address must not keep step.
  const jitterMs = () => ((random?.bytes(1)[0] ?? 0) / 256) * RATE_JITTER_MS
  let nextMs = 0
  let pacedUntilMs = Number.NEGATIVE_INFINITY
  return {
    async turn(sinceMs, signal) {
      const nowMs = clock.monotonicMs()
      if (nowMs >= pacedUntilMs) return
      const atMs = Math.max(nowMs, nextMs)
      if (atMs - sinceMs > LIMITS.chainRateWaitMs) {
        const facts = { status: 429, limit: 'chainRateWaitMs' }
        throw new MarketError('chain-unavailable', facts, { action: ACTION })
      }
      nextMs = atMs + LIMITS.chainRateMs + jitterMs()
      if (atMs > nowMs) await clock.sleep(atMs - nowMs, signal)
    },
    refused(retryAfterMs = 0) {
      const waitMs = Math.max(LIMITS.chainRateMs, retryAfterMs) + jitterMs()
      nextMs = Math.max(nextMs, clock.monotonicMs() + waitMs)
      pacedUntilMs = nextMs + RATE_MEMORY_MS
    },
  }
}
