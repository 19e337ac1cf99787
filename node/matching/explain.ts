/**
 * Why a slot wins a job, and why another would not get it: the first thing that stops it, with the
 * price or state that would change the answer. Computed on demand; a decision of the past is
 * explained by replaying the events up to it.
 * @module
 */

import { bestSlot, scoreOn } from './choosing.ts'
import { FILTERS, type Filter } from './events.ts'
import { firstRefusing, type Needs, type Slot, scoreOf } from './slots.ts'
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

/** What made a slot win, or that none could start the job. Scores in millionths of a nanoTON. */
export interface Why {
  readonly slot?: string
  readonly score?: number
  /** Of the score: the price of the tokens, the wait times its weight, what affinity took off. */
  readonly price?: number
  readonly wait?: number
  readonly affinity?: number
  /** The slot that would have won without this one, and by how much less. */
  readonly next?: string
  readonly nextScore?: number
  /** Up to this tick the slot would still have won. */
  readonly winsUpToTick?: number
}

/** Why the best slot is the best for a job now, by the exact rule, whatever the strategy. */
export function why(slots: SlotTable, needs: Needs): Why {
  const best = bestSlot(slots, needs)
  if (!best) return {}
  const waitMs = waitOn(slots, best)
  const price = scoreOf(needs, slots.prices[best.tick]!, 0)
  const wait = needs.speedWeight * waitMs
  const score = scoreOn(slots, needs, best, waitMs)
  const won = { slot: best.name, score, price, wait, affinity: price + wait - score }
  slots.index.hide(best.row)
  const next = bestSlot(slots, needs)
  slots.index.show(best.row)
  if (!next) return won
  const nextScore = scoreOn(slots, needs, next, waitOn(slots, next))
  let winsUpToTick = best.tick
  const scoreAt = (tick: number) => scoreOn(slots, needs, { ...best, tick }, waitMs)
  while (winsUpToTick < needs.maxTick && scoreAt(winsUpToTick + 1) < nextScore) winsUpToTick++
  return { ...won, next: next.name, nextScore, winsUpToTick }
}

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
