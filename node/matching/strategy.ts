/**
 * What a strategy is: who is chosen among the slots that could start a job now.
 * @module
 */
import type { Needs, Slot, SlotIndex } from './slots.ts'

export interface Strategy {
  /** False where a job that cannot start is refused instead of waiting. */
  readonly queues: boolean
  /** The slot that starts the job now, or none where none can. */
  pick(needs: Needs, index: SlotIndex, now: number): Slot | undefined
  /** The wait behind a slot as this strategy sees it, milliseconds. */
  waitOf(slot: Slot): number
  /** Told of every placing, those out of the queue too. */
  placed(slot: Slot): void
  /** Told of every job that ended, after `serviceMs`. */
  ended(slot: Slot, serviceMs: number, now: number): void
}
