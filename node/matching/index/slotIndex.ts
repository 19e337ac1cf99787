/**
 * The index over slots: which of those that could start a job now has the least score.
 *
 * Numbers only: the pool turns models, attributes and slots into small integers, so that one
 * interface stands before the plain reference (`treeIndex.ts`), the WebAssembly build
 * (`wasmIndex.ts`) and the scan of the tests, and all decide alike. README.md has the structure.
 * @module
 */

/** The longest wait that counts, milliseconds (17 minutes): with it scores stay below 2^53. */
export const MOST_WAIT = 2 ** 20 - 1
/** Tokens beyond these do not raise a score further, for the same reason. */
export const MOST_TOKENS = 65_536
/** A key is `wait * 2^32 + tie`; from here on it belongs to a slot that cannot start a job. */
export const FULL = 2 ** 52
/** The key of no slot at all. */
export const EMPTY = 2 ** 53
/** Columns that a model may have: a band of cells is kept for each tick on offer. */
export const MOST_COLUMNS = 256
/** No row: nobody can start the job. */
export const NO_ROW = -1

/** How long a job would wait behind `running` others, milliseconds. */
export function waitOf(running: number, serviceMs: number): number {
  return Math.min(MOST_WAIT, Math.round(running * serviceMs))
}

/** A slot as the index takes it in. */
export interface IndexedSlot {
  /** Number of the model, from 0; small and reused by the caller. */
  readonly model: number
  /** Number of the attribute class within the model, from 0; small and reused by the caller. */
  readonly column: number
  readonly tick: number
  /** Unsigned 32-bit, another for each slot: decides where score and wait are equal. */
  readonly tie: number
  readonly running: number
  /** Places; 0 where the slot takes no new job. Below 2^31. */
  readonly capacity: number
  readonly serviceMs: number
}

export interface SlotIndex {
  /** Takes a slot in and gives its row, by which it is named from here on; rows are reused. */
  add(slot: IndexedSlot): number
  remove(row: number): void
  /** One job more, or one less (not below 0), runs on the slot. */
  start(row: number): void
  finish(row: number): void
  setRunning(row: number, running: number): void
  setServiceMs(row: number, serviceMs: number): void
  setCapacity(row: number, capacity: number): void
  running(row: number): number
  serviceMs(row: number): number
  /** True where the slot could start a job of the right kind now. */
  isFree(row: number): boolean
  /**
   * The row with the least `prices[tick] * tokens + speedWeight * wait`, then wait, then tie, of
   * the free slots of a model with `tick <= maxTick` and a column of `columns`; `NO_ROW` where
   * there is none. `columns` has a bit a column, 32 a word, and covers every column of the model;
   * without it every column will do.
   */
  best(
    model: number,
    tokens: number,
    speedWeight: number,
    maxTick: number,
    columns?: Uint32Array,
  ): number
  /** Takes a slot out of `best` until `show`: for jobs that exclude its provider. */
  hide(row: number): void
  show(row: number): void
  /** The lowest tick at which a slot of these columns has places, free or not; -1 for none. */
  lowestTick(model: number, columns?: Uint32Array): number
  /** Slots with places, free or not, of one model, tick and column. */
  withPlaces(model: number, tick: number, column: number): number
  /** Bytes that the tables of the index take. */
  readonly bytes: number
}
