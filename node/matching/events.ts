/**
 * The words of the matching core: what it is told, what it decides, and the options of a pool.
 *
 * Events and decisions are the lines of `chrysalis match`; the README of this folder says what the
 * optional fields default to. Times are milliseconds on a clock that only the caller reads.
 * @module
 */
import type { Tier } from '../../contracts/base/tier.ts'
import type { SlotIndex } from './index/slotIndex.ts'

/** Strategies by name; a scheduler names its own in every lease. */
export const STRATEGIES = ['exact', 'p2c', 'cocoon', 'reserve'] as const
export type StrategyName = (typeof STRATEGIES)[number]

/** Filters after the model, in the order they are applied and named in refusals. */
export const FILTERS = [
  'draining',
  'capacity',
  'tier',
  'regions',
  'gpus',
  'memory',
  'exclude',
] as const
export type Filter = (typeof FILTERS)[number]

interface Timed {
  /** Milliseconds, never decreasing; absent means the time of the event before. */
  readonly at?: number
}

/**
 * A slot appears or changes. A new slot needs `model`, `tick` and `capacity`; of a known one,
 * fields that are absent stay what they were.
 */
export interface OfferEvent extends Timed {
  readonly type: 'offer'
  readonly slot: string
  readonly provider?: string
  readonly model?: string
  readonly tick?: number
  readonly capacity?: number
  readonly serviceMs?: number
  readonly tier?: Tier
  readonly region?: string
  readonly gpu?: string
  readonly memoryGiB?: number
}

export interface LoadEvent extends Timed {
  readonly type: 'load'
  readonly slot: string
  readonly running: number
  /**
   * How many of them the report counts as ours. What has changed of those since is known better
   * here: then `running - own` others run, and our own jobs in flight.
   */
  readonly own?: number
}

export interface ServiceEvent extends Timed {
  readonly type: 'service'
  readonly slot: string
  readonly serviceMs: number
}

export interface SlotEvent extends Timed {
  readonly type: 'drain' | 'leave'
  readonly slot: string
}

/** A job and what it requires; absent and empty requirements accept anything. */
export interface JobEvent extends Timed {
  readonly type: 'job'
  readonly id: string
  readonly model: string
  readonly tenant?: string
  readonly maxTick?: number
  readonly expectedTokens?: number
  readonly speedWeight?: number
  readonly minTier?: Tier | ''
  readonly regions?: readonly string[]
  readonly gpus?: readonly string[]
  readonly minMemoryGiB?: number
  readonly exclude?: readonly string[]
  readonly priority?: number
  /** Tags of the prompt's prefix, shortest first, under the client's own secret. */
  readonly tags?: readonly string[]
  /** The time at which waiting ends, on the clock of `at`. */
  readonly deadline?: number
}

export interface EndEvent extends Timed {
  readonly type: 'done' | 'fail' | 'cancel'
  readonly id: string
}

export type MatchEvent = OfferEvent | LoadEvent | ServiceEvent | SlotEvent | JobEvent | EndEvent

export type Refusal =
  | { readonly refused: 'no-model' | 'queue-full' | 'duplicate-job' }
  | { readonly refused: 'price'; readonly lowestTick: number }
  | { readonly refused: 'requirements'; readonly first: Filter }

/** One line of output. `score` is in millionths of a nanoTON, an integer below 2^53. */
export type Decision =
  | { readonly job: string; readonly slot: string; readonly score: number }
  | { readonly job: string; readonly queued: true }
  | { readonly job: string; readonly expired: true }
  | ({ readonly job: string } & Refusal)

export interface MatcherOptions {
  /** Base units per million completion tokens, by tick: the table of `contracts/money`. */
  readonly prices: readonly bigint[]
  readonly strategy?: StrategyName
  /** Unsigned 32-bit, mixed into ties so that schedulers do not all prefer the same slot. */
  readonly salt?: number
  /** Unsigned 32-bit seed of the strategies that draw. */
  readonly seed?: number
  /** Jobs that may wait; `LIMITS.queuedJobs` by default. */
  readonly queueLimit?: number
  /** What a remembered tag takes off a slot's score, millionths of a nanoTON; 0 by default. */
  readonly affinityBonus?: number
  /** The index to use; the quickest one that the runtime has by default. All decide alike. */
  readonly index?: (prices: Float64Array) => SlotIndex
}
