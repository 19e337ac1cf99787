/**
 * What is played and what comes of it: the words of the simulated world.
 * @module
 */
import type { MatcherOptions, StrategyName } from '../../../node/matching/events.ts'
import type { SlotSpec } from './fleet.ts'
import type { SimJob } from './jobs.ts'

export interface Plan {
  readonly seed: number
  readonly strategy: StrategyName
  readonly fleet: readonly SlotSpec[]
  readonly jobs: readonly SimJob[]
  /** One by default, which knows the loads because it made them. */
  readonly schedulers?: number
  /** Where set, loads are known from reports only, beside what a scheduler placed itself. */
  readonly reports?: Reports
  /** True by default: the role's beliefs are in the loop. */
  readonly believes?: boolean
  readonly changes?: readonly Change[]
  readonly matcher?: Partial<MatcherOptions>
}

/** How machines report their loads to every scheduler. */
export interface Reports {
  /** Each machine reports so often, at a phase of its own; at 0 after every change. */
  readonly everyMs: number
  /** How long a report is on its way. */
  readonly lateMs: number
  /** True where a report tells each scheduler how many of the jobs are its own. */
  readonly own?: boolean
}

/** A report of a machine, on its way from `atMs` on. */
export interface Report {
  readonly atMs: number
  readonly slot: string
  readonly load: number
  /** How many of those are of each scheduler, where reports say so. */
  readonly own?: readonly number[]
}

/** A slot comes, unknown to anybody, or goes. */
export type Change =
  | { readonly atMs: number; readonly join: SlotSpec }
  | { readonly atMs: number; readonly leave: string }

export type End = 'served' | 'expired' | 'refused' | 'failed'

/** What became of a job. Times in milliseconds. */
export interface JobRecord {
  readonly job: SimJob
  end?: End
  /** Why it was refused. */
  refusal?: string
  attempts: number
  /** Attempts that went with a slot that left. */
  lost: number
  /** Ends it has had: one, where the simulation is right. */
  ends: number
  /** When the attempt that counts started, and where. */
  startedMs: number
  slot?: SlotSpec
  endedMs: number
  cachedBlocks: number
  /** Order of its waiting and its placing, among all decisions; the last ones. */
  queuedAt?: number
  placedAt?: number
}

export interface Start {
  readonly atMs: number
  readonly slot: string
}

export interface Outcome {
  readonly plan: Plan
  readonly records: readonly JobRecord[]
  /** Every attempt that started, in order. */
  readonly starts: readonly Start[]
}
