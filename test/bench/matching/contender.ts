/**
 * What competes: an index of slots that places jobs, as numbers only.
 *
 * Records are reused by the caller: a contender copies what it keeps. Every field of a job is an
 * integer of 32 bits (masks are bit patterns, so they may be negative): nothing is boxed on the
 * way in. Slots are the numbers 0 to `slots - 1`; one that left may be offered again, as new.
 * @module
 */

export interface SlotSpec {
  model: number
  /** Class of attributes, 0 to `columns - 1`. */
  column: number
  provider: number
  tick: number
  capacity: number
  serviceMs: number
}

export interface JobSpec {
  model: number
  /** 95 where price is no object. */
  maxTick: number
  /** From 1; above 65,536 they count as that. */
  tokens: number
  speedWeight: number
  /** Classes 0 to 31 that will do, as a bit pattern. */
  eligibleLow: number
  /** Classes 32 to 63 likewise. */
  eligibleHigh: number
}

export interface Contender {
  /** A slot is new (nothing runs on it) or changed (what runs stays). The model may change too. */
  offer(slot: number, spec: SlotSpec): void
  leave(slot: number): void
  /** Sets how many jobs run. */
  load(slot: number, running: number): void
  /** Picks and starts: the slot, or -1 where none can start the job now. */
  place(job: JobSpec): number
  /** One job of the slot ends; not below 0. */
  finish(slot: number): void
  /** Bytes of its own that the heap of V8 does not show (WebAssembly memory), else 0. */
  bytes(): number
}

/**
 * What a contender answers. `exact` is the market's rule. `price-time` is an order book's: the
 * lowest tick, then who has stood there longest, without waits and classes. `cocoon` is the least
 * running jobs times mean service time.
 */
export type Rule = 'exact' | 'price-time' | 'cocoon'

export interface Setup {
  /** Most slots at a time. */
  readonly slots: number
  readonly models: number
  readonly columns: number
  /** By tick, 0 to 95. */
  readonly prices: Float64Array
  /** Unsigned; `(slot XOR salt)` unsigned is the last word in a tie. */
  readonly salt: number
}

export interface ContenderFactory {
  readonly name: string
  readonly rule: Rule
  /** Largest fleet it is asked to carry, where more would take minutes. */
  readonly mostSlots?: number
  create(setup: Setup): Contender | Promise<Contender>
}

export const TICKS = 96
/** Tokens beyond these do not raise a score. */
export const MOST_TOKENS = 65_536
/** Longest wait that counts, milliseconds. */
const MOST_WAIT = 2 ** 20 - 1

export function waitOf(running: number, serviceMs: number): number {
  return Math.min(MOST_WAIT, Math.round(running * serviceMs))
}

/** True where the class is among those of the mask. */
export function admits(job: JobSpec, column: number): boolean {
  return (((column < 32 ? job.eligibleLow : job.eligibleHigh) >>> (column & 31)) & 1) === 1
}
