/**
 * Jobs by seed, as columns. Half only want the cheapest, half pay for speed, log-uniform from 10^3
 * to 10^9 a millisecond; a third carry constraints: a highest tick, classes that will do, or both.
 * @module
 */
import { type JobSpec, type Setup, TICKS } from './contender.ts'
import type { Dice } from './fleet.ts'

const MEDIAN_TOKENS = 400
const TOKENS_SIGMA = 1.2
/** One job in this many is a giant, so that the cap on tokens is exercised. */
const JOBS_PER_GIANT = 64
const MOST_TOKENS_OF_A_GIANT = 2 ** 20
/** Caps are drawn from here: lower ones would find every place taken at 60 % in flight. */
const LOWEST_CAP = 48
const HIGHEST_CAP = 70

export interface Jobs {
  readonly count: number
  readonly model: Int32Array
  readonly maxTick: Int32Array
  readonly tokens: Int32Array
  readonly speedWeight: Int32Array
  readonly eligibleLow: Int32Array
  readonly eligibleHigh: Int32Array
}

export function jobsOf(setup: Setup, count: number, roll: Dice, traced?: Int32Array): Jobs {
  const jobs: Jobs = {
    count,
    model: new Int32Array(count),
    maxTick: new Int32Array(count).fill(TICKS - 1),
    tokens: new Int32Array(count),
    speedWeight: new Int32Array(count),
    eligibleLow: new Int32Array(count).fill(-1),
    eligibleHigh: new Int32Array(count).fill(-1),
  }
  for (let i = 0; i < count; i++) {
    jobs.model[i] = roll.model(setup.models)
    jobs.tokens[i] = traced ? traced[i % traced.length]! : tokens(roll)
    if (roll.below(2) === 0) jobs.speedWeight[i] = Math.round(roll.logUniform(1e3, 1e9))
    if (roll.below(3) === 0) constrain(jobs, i, setup, roll)
  }
  return jobs
}

/** Copies a row into a record that is reused. */
export function readJob(jobs: Jobs, row: number, into: JobSpec): void {
  into.model = jobs.model[row]!
  into.maxTick = jobs.maxTick[row]!
  into.tokens = jobs.tokens[row]!
  into.speedWeight = jobs.speedWeight[row]!
  into.eligibleLow = jobs.eligibleLow[row]!
  into.eligibleHigh = jobs.eligibleHigh[row]!
}

export function blankJob(): JobSpec {
  return { model: 0, maxTick: 0, tokens: 1, speedWeight: 0, eligibleLow: 0, eligibleHigh: 0 }
}

function tokens(roll: Dice): number {
  const drawn =
    roll.below(JOBS_PER_GIANT) === 0
      ? roll.logUniform(1, MOST_TOKENS_OF_A_GIANT)
      : MEDIAN_TOKENS * Math.exp(TOKENS_SIGMA * roll.normal())
  return Math.max(1, Math.round(drawn))
}

function constrain(jobs: Jobs, row: number, { columns }: Setup, roll: Dice): void {
  const kind = columns === 1 ? 0 : roll.below(3)
  if (kind !== 1) jobs.maxTick[row] = LOWEST_CAP + roll.below(HIGHEST_CAP - LOWEST_CAP + 1)
  if (kind === 0) return
  const classes = Math.round(roll.logUniform(1, columns / 2))
  jobs.eligibleLow[row] = 0
  jobs.eligibleHigh[row] = 0
  for (let i = 0; i < classes; i++) {
    const column = roll.below(columns)
    if (column < 32) jobs.eligibleLow[row]! |= 1 << column
    else jobs.eligibleHigh[row]! |= 1 << (column - 32)
  }
}
