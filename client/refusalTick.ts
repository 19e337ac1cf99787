/**
 * When a refusal shows: at whole ticks after its placement, to the other side and here, since how
 * far the checks have come would tell which of them failed.
 * @module
 */
import { LIMITS } from '../contracts/base/limits.ts'
import type { Clock } from '../contracts/base/ports.ts'

/** Resolves at the next whole tick since `startMs` of the monotonic clock. */
export async function refusalTick(clock: Clock, startMs: number): Promise<void> {
  const tick = LIMITS.refusalTickMs
  await clock.sleep(tick - ((clock.monotonicMs() - startMs) % tick))
}
