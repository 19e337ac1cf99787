/**
 * A time that no clock can set back: this machine's, and at least what a chain was seen to say.
 *
 * The client judges evidence by it, the provider renews by it. What the chain said moves on with
 * the monotonic clock, so that it is asked seldom.
 * @module
 */
import type { Clock } from './ports.ts'

export interface ChainTime {
  /** Unix milliseconds. */
  nowMs(): number
  /** A block of this time, Unix seconds, was seen. */
  seen(atS: number): void
}

export function chainTime(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>): ChainTime {
  /** What the monotonic clock showed at 1970 by the chain. */
  let startMs = Number.POSITIVE_INFINITY
  return {
    nowMs: () => Math.max(clock.nowMs(), clock.monotonicMs() - startMs),
    seen(atS) {
      startMs = Math.min(startMs, clock.monotonicMs() - atS * 1_000)
    },
  }
}
