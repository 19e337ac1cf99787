/**
 * The baseline: how the proxy of Telegram's Cocoon chooses a worker, for comparison.
 *
 * Workers in the order they connected; price is a cap only; a worker weighs its running jobs times
 * its mean service time, and strictly less wins, so that ties go to the lowest. The mean is the
 * quotient of two counters that decay over ten minutes, and counts as nothing while the worker ends
 * at most one job in ten seconds. Failures add their (short) time. Nobody waits: a job that finds
 * no place is refused.
 * @module
 */
import { waitOf } from './index/slotIndex.ts'
import type { Slot } from './slots.ts'
import type { Candidates, Strategy } from './strategy.ts'

/** Time constant of the decay, seconds. */
const DECAY_S = 600
/** Ended jobs a second, decayed, up to which the mean counts as 0. */
const LEAST_RATE = 0.1

interface Mean {
  jobs: number
  totalMs: number
  atMs: number
}

/** A strategy with that rule. The filters before it are the market's own. */
export function cocoon(slots: Candidates): Strategy {
  const means = new WeakMap<Slot, Mean>()

  function mean(slot: Slot, now: number): Mean {
    const known = means.get(slot) ?? { jobs: 0, totalMs: 0, atMs: now }
    means.set(slot, known)
    const kept = Math.exp(-(now - known.atMs) / (1000 * DECAY_S))
    known.jobs *= kept
    known.totalMs *= kept
    known.atMs = now
    return known
  }

  return {
    queues: false,
    pick(needs, now) {
      let best: Slot | undefined
      let least = Number.POSITIVE_INFINITY
      for (const slot of slots.all(needs)) {
        if (!slots.canStart(needs, slot)) continue
        const { jobs, totalMs } = mean(slot, now)
        const meanMs = jobs / DECAY_S <= LEAST_RATE ? 0 : totalMs / jobs
        const weight = slots.running(slot) * meanMs
        const before = best !== undefined && slot.appearance > best.appearance
        if (weight > least || (weight === least && before)) continue
        best = slot
        least = weight
      }
      return best
    },
    waitOf: (slot) => waitOf(slots.running(slot), slots.serviceMs(slot)),
    placed() {},
    ended(slot, serviceMs, now) {
      const known = mean(slot, now)
      known.jobs += 1
      known.totalMs += serviceMs
    },
  }
}
