/**
 * What a strategy is: who is chosen among the slots that could start a job now.
 * @module
 */
import type { Needs, Slot } from './slots.ts'

/** All that a strategy sees of the slots. */
export interface Candidates {
  /** The slot with the least score that could start the job now. */
  best(needs: Needs): Slot | undefined
  /** Of the slots that remember a tag of the job and could start it, the one that scores least. */
  affine(needs: Needs): Slot | undefined
  /** The slots of the model, in no order that means anything. */
  all(needs: Needs): readonly Slot[]
  canStart(needs: Needs, slot: Slot): boolean
  /** Jobs on the slot, as believed. */
  running(slot: Slot): number
  serviceMs(slot: Slot): number
  /** The score of a slot whose wait is `waitMs`. */
  score(needs: Needs, slot: Slot, waitMs: number): number
}

export interface Strategy {
  /** False where a job that cannot start is refused instead of waiting. */
  readonly queues: boolean
  /** The slot that starts the job now, or none where none can. */
  pick(needs: Needs, now: number): Slot | undefined
  /** The wait behind a slot as this strategy sees it, milliseconds. */
  waitOf(slot: Slot): number
  /** Told of every placing, those out of the queue too. */
  placed(slot: Slot): void
  /** Told of every job that ended, after `serviceMs`. */
  ended(slot: Slot, serviceMs: number, now: number): void
}
