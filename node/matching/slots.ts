/**
 * Slots as the matcher knows them, what jobs need of them, the filters in their order, the score.
 *
 * How many jobs run on a slot, its places and its service time are the index's to keep; the rest is
 * here. `FILTERS` in `events.ts` names the filters.
 * @module
 */

import { FILTERS } from './events.ts'

export interface Slot {
  readonly name: string
  /** Counts first appearances; never reused. The slot index of the rule. */
  readonly appearance: number
  /** `appearance XOR salt`, unsigned: the last word in a tie. */
  readonly tie: number
  provider: string
  model: string
  tick: number
  capacity: number
  /** Position in `TIERS`. */
  tier: number
  region: string
  gpu: string
  memoryGiB: number
  draining: boolean
  /** Its row in the index. */
  row: number
  /** Its attribute class among those of the model. */
  column: number
  /** Its position among the slots of its model. */
  position: number
  /** The other slots of its provider. */
  previous?: Slot
  next?: Slot
  /** The last of the jobs that were placed here and have not ended. */
  lastJob?: Running
  /** How many those are: all jobs of ours in flight, whatever a report of load says. */
  inFlight: number
  /** Jobs ever placed here. */
  placed: number
  /** Jobs ended by `done`. */
  completed: number
  /** Tags of the prompts it lately served, the latest last, where affinity counts. */
  tags?: Set<string>
}

/** A job placed and not yet ended, in the chain of its slot. */
export interface Running {
  readonly id: string
  readonly slot: Slot
  readonly startedAt: number
  previous?: Running
  next?: Running
}

/** What a job needs of a slot, decoded. Empty lists accept anything. */
export interface Needs {
  readonly model: string
  /** 95 where the job names none. */
  readonly maxTick: number
  /** `min(expectedTokens, 65536)`. */
  readonly tokens: number
  readonly speedWeight: number
  readonly minTier: number
  readonly regions: readonly string[]
  readonly gpus: readonly string[]
  readonly minMemoryGiB: number
  readonly exclude: readonly string[]
  /** Of the prompt's prefix, the whole first: see `affinity.ts`. */
  readonly tags: readonly string[]
}

/** What a slot is, of its price and load apart: slots that share it share a column of the index. */
export type Attributes = Pick<Slot, 'tier' | 'region' | 'gpu' | 'memoryGiB'>

/** Lowest wins: price of the tokens and price of the wait, in millionths of a nanoTON. */
export function scoreOf(needs: Needs, price: number, waitMs: number): number {
  return price * needs.tokens + needs.speedWeight * waitMs
}

/** Position in `FILTERS` of the first that refuses the slot; their number where none does. */
export function firstRefusing(needs: Needs, slot: Slot): number {
  if (slot.draining) return 0
  if (slot.capacity <= 0) return 1
  const refusing = attributeRefusing(needs, slot)
  if (refusing < FILTERS.length) return refusing
  if (needs.exclude.includes(slot.provider)) return 6
  return FILTERS.length
}

/** The same of the filters that look at attributes only. */
export function attributeRefusing(needs: Needs, what: Attributes): number {
  if (what.tier < needs.minTier) return 2
  if (needs.regions.length > 0 && !needs.regions.includes(what.region)) return 3
  if (needs.gpus.length > 0 && !needs.gpus.includes(what.gpu)) return 4
  if (what.memoryGiB < needs.minMemoryGiB) return 5
  return FILTERS.length
}

/** True where the slot, of the right model, would start the job if it had a free place. */
export function suits(needs: Needs, slot: Slot): boolean {
  return slot.tick <= needs.maxTick && firstRefusing(needs, slot) === FILTERS.length
}
