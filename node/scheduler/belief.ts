/**
 * What the scheduler believes of a slot: declared figures are priors, measured ones count.
 *
 * Usable capacity starts at 1, doubles with each full round of jobs completed, and halves on
 * failure, so that a newcomer with a lying offer cannot draw everything (README.md here, the
 * role). A slot that fails again and again at its last place rests, longer each time: halving
 * cannot go below 1, and the cheapest liar would win every job. The service time is the declared
 * one corrected by an exponential mean of what was measured.
 * @module
 */
import type { ErrorCode } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'

/**
 * How a place was given back. `served`: with a receipt, to the end. `failed`: the provider's fault.
 * `suspect`: a failure that the client can cause too. `unused`: says nothing about the provider.
 */
export type JobEnd = 'served' | 'failed' | 'suspect' | 'unused'

/** Belief in one slot. Times in milliseconds. */
export interface Belief {
  readonly declaredCapacity: number
  /** Places used at most, never above the declared capacity. */
  readonly usable: number
  /** Jobs completed in the current round; a round is `usable` jobs. */
  readonly inRound: number
  readonly serviceMs: number
  readonly measured: number
  /** Failures since the last job that was served. */
  readonly failures: number
}

/** Weight of the newest measurement in the mean. */
const NEWEST = 0.2

/** The scheduler's own leg could not pay, or was ended by the client: no fault of the provider. */
const OWN: readonly ErrorCode[] = [
  'no-funds',
  'exposure',
  'channel-closing',
  'limit-exceeded',
  'aborted',
  'account-conflict',
]

/** What the end of an attempt says about its provider. */
export function blameFor(code: ErrorCode): JobEnd {
  if (OWN.includes(code)) return 'unused'
  return code === 'cannot-open' ? 'suspect' : 'failed'
}

/** The belief in a slot never seen. */
export function newcomer(declaredCapacity: number, declaredServiceMs: number): Belief {
  return {
    declaredCapacity,
    usable: Math.min(1, declaredCapacity),
    inRound: 0,
    serviceMs: declaredServiceMs,
    measured: 0,
    failures: 0,
  }
}

/** The same slot with a new offer: earned capacity stays, within what is declared now. */
export function redeclared(belief: Belief, capacity: number): Belief {
  const usable = Math.min(Math.max(belief.usable, Math.min(1, capacity)), capacity)
  return { ...belief, declaredCapacity: capacity, usable }
}

/** After a job: a full round served doubles the usable capacity, a failure halves it. */
export function revised(belief: Belief, end: JobEnd, tookMs: number): Belief {
  switch (end) {
    case 'served':
      return succeeded(belief, tookMs)
    case 'failed':
      return failed(belief)
    case 'suspect': // counted only against a slot that has served nobody yet
      return belief.measured === 0 ? failed(belief) : belief
    case 'unused':
      return belief
  }
}

/**
 * How long a slot gets no job after its last failure; 0 where it need not rest. One that has served
 * nobody rests longer in the end: where jobs are few, one a minute would be many of them.
 */
export function restMs({ failures, usable, measured }: Belief): number {
  if (failures < 2 || usable > 1) return 0
  const most = measured === 0 ? LIMITS.restUnprovenMaxMs : LIMITS.restMaxMs
  return Math.min(most, LIMITS.restMinMs * 2 ** Math.min(failures - 2, 30))
}

function succeeded(belief: Belief, tookMs: number): Belief {
  const inRound = belief.inRound + 1
  const full = inRound >= belief.usable
  const serviceMs =
    belief.measured === 0 ? tookMs : Math.round(belief.serviceMs * (1 - NEWEST) + tookMs * NEWEST)
  return {
    ...belief,
    inRound: full ? 0 : inRound,
    usable: full ? Math.min(belief.usable * 2, belief.declaredCapacity) : belief.usable,
    serviceMs,
    measured: belief.measured + 1,
    failures: 0,
  }
}

function failed(belief: Belief): Belief {
  const usable = Math.min(Math.max(1, Math.floor(belief.usable / 2)), belief.declaredCapacity)
  return { ...belief, usable, inRound: 0, failures: belief.failures + 1 }
}
