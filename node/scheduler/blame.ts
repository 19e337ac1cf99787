/**
 * When a failure of one slot counts against the others of its provider.
 *
 * A provider that has served nobody on its slots begins once, not once a slot; and one whose slots
 * fail one after another has failed, not each of them by itself: all of them begin anew. Otherwise
 * a provider with many slots draws many times the jobs that one slot would. Called by `pool.ts`.
 * @module
 */
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Belief, JobEnd } from './belief.ts'

export interface FailureStreaks {
  /** Counts the end of a job; gives the provider's failures since it last served, on any slot. */
  ended(provider: string, end: JobEnd, failed: boolean): number
  forget(provider: string): void
}

export function failureStreaks(): FailureStreaks {
  const streaks = new Map<string, number>()
  return {
    ended(provider, end, failed) {
      if (end === 'served') streaks.delete(provider)
      if (!failed) return 0
      const streak = (streaks.get(provider) ?? 0) + 1
      streaks.set(provider, streak)
      return streak
    },
    forget: (provider) => void streaks.delete(provider),
  }
}

/** The belief in a slot whose provider has failed so often in a row. */
export function blamedFor(belief: Belief, streak: number): Belief {
  if (streak < LIMITS.providerFailures) return belief
  const usable = Math.min(1, belief.usable)
  return { ...belief, usable, inRound: 0, failures: Math.max(belief.failures, streak) }
}

/** The belief in another slot of the provider: the same one where it is spared. */
export function sharedBlame(belief: Belief, blamed: Belief, streak: number): Belief {
  const turned = streak >= LIMITS.providerFailures
  const unproven = belief.measured === 0 && blamed.measured === 0
  if ((!turned && !unproven) || belief.failures >= blamed.failures) return belief
  return { ...blamedFor(belief, streak), failures: blamed.failures }
}
