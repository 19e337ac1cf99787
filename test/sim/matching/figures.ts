/**
 * Figures over the outcome of a simulation, and their spread over seeds.
 * @module
 */

import type { JobRecord } from './plan.ts'
import { NANO } from './role.ts'

/** Jobs that arrive in this first share of the time fill the fleet and are not counted. */
const WARM_UP = 0.15

/** The records whose jobs arrived after the fleet had filled. */
export function measured(records: readonly JobRecord[]): readonly JobRecord[] {
  const last = Math.max(0, ...records.slice(-1).map(({ job }) => job.request.atMs))
  return records.filter(({ job }) => job.request.atMs >= last * WARM_UP)
}

export const served = (records: readonly JobRecord[]): readonly JobRecord[] =>
  records.filter(({ end }) => end === 'served')

/** Seconds from arrival to start of the served jobs. */
export function waits(records: readonly JobRecord[]): number[] {
  return served(records).map(({ job, startedMs }) => (startedMs - job.request.atMs) / 1000)
}

/** Mean price of what was served, in nanoTON per million tokens. */
export function meanPrice(records: readonly JobRecord[]): number {
  let tokens = 0
  let paid = 0
  for (const { job, slot } of served(records)) {
    tokens += job.request.outputTokens
    paid += job.request.outputTokens * NANO[slot!.tick]!
  }
  return paid / tokens
}

/** Share of the jobs that ended in a way, or were refused for a reason. */
export function share(records: readonly JobRecord[], how: (record: JobRecord) => boolean): number {
  return records.filter(how).length / Math.max(1, records.length)
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const even = sorted.length % 2 === 0
  const median = even ? (sorted[middle - 1]! + sorted[middle]!) / 2 : sorted[middle]!
  return { median, least: sorted[0]!, most: sorted.at(-1)! }
}
