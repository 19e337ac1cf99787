/**
 * Why a slot would not get a job: the first thing that stops it, with the price or state that would
 * change the answer. Computed on demand; a decision of the past is explained by replaying up to it.
 * @module
 */

import { bestSlot, scoreOn } from './choosing.ts'
import { FILTERS, type Filter } from './events.ts'
import { firstRefusing, type Needs, type Slot } from './slots.ts'
import { runningOn, type SlotTable, waitOn } from './slotTable.ts'

export type Reason =
  /** No such slot is known, or it serves another model, or a requirement refuses it. */
  | { readonly why: 'unknown' | 'model' | Filter }
  /** Dearer than the job's cap: it would pass at a `maxTick` of `tick`. */
  | { readonly why: 'price'; readonly tick: number; readonly maxTick: number }
  /** Every place is taken: it needs `running` below `capacity`. */
  | { readonly why: 'place'; readonly running: number; readonly capacity: number }
  /**
   * Another slot scores less (or as much, and wins the tie). `wouldWinAt` is the highest tick at
   * which this one would score strictly less, where there is one.
   */
  | {
      readonly why: 'score'
      readonly score: number
      readonly best: string
      readonly bestScore: number
      readonly wouldWinAt?: number
    }
  /** Nothing: it has the least score. */
  | { readonly why: 'best'; readonly score: number }

/** The reason for a slot and a job, by the exact rule, whatever the strategy. */
export function whyNot(slots: SlotTable, slot: Slot | undefined, needs: Needs): Reason {
  if (!slot) return { why: 'unknown' }
  if (slot.model !== needs.model) return { why: 'model' }
  const filter = FILTERS[firstRefusing(needs, slot)]
  if (filter) return { why: filter }
  const { tick, capacity } = slot
  if (tick > needs.maxTick) return { why: 'price', tick, maxTick: needs.maxTick }
  const running = runningOn(slots, slot)
  if (running >= capacity) return { why: 'place', running, capacity }
  const wait = waitOn(slots, slot)
  const score = scoreOn(slots, needs, slot, wait)
  const best = bestSlot(slots, needs)
  if (!best || best === slot) return { why: 'best', score }
  const bestScore = scoreOn(slots, needs, best, waitOn(slots, best))
  let wouldWinAt = tick - 1
  const scoreAt = (at: number) => scoreOn(slots, needs, { ...slot, tick: at }, wait)
  while (wouldWinAt >= 0 && scoreAt(wouldWinAt) >= bestScore) wouldWinAt--
  const lost = { why: 'score', score, best: best.name, bestScore } as const
  return wouldWinAt >= 0 ? { ...lost, wouldWinAt } : lost
}
