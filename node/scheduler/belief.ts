/**
 * What the scheduler believes of a slot: declared figures are priors, measured ones count.
 *
 * Usable capacity starts at 1, doubles with each full round of jobs completed, and halves on failure,
 * so that a newcomer with a lying offer cannot draw everything (DESIGN "Matching", the role). The
 * service time is the declared one corrected by an exponential mean of what was measured.
 * @module
 */

/** Belief in one slot. Times in milliseconds. */
export interface Belief {
  readonly declaredCapacity: number
  /** Places used at most, never above the declared capacity. */
  readonly usable: number
  /** Jobs completed in the current round; a round is `usable` jobs. */
  readonly inRound: number
  readonly serviceMs: number
  readonly measured: number
}

/** Weight of the newest measurement in the mean. */
const NEWEST = 0.2

/** The belief in a slot never seen. */
export function newcomer(declaredCapacity: number, declaredServiceMs: number): Belief {
  return {
    declaredCapacity,
    usable: Math.min(1, declaredCapacity),
    inRound: 0,
    serviceMs: declaredServiceMs,
    measured: 0,
  }
}

/** The same slot with a new offer: earned capacity stays, within what is declared now. */
export function redeclared(belief: Belief, capacity: number): Belief {
  const usable = Math.min(Math.max(belief.usable, Math.min(1, capacity)), capacity)
  return { ...belief, declaredCapacity: capacity, usable }
}

/** After a job that was served: a full round doubles the usable capacity. */
export function succeeded(belief: Belief, tookMs: number): Belief {
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
  }
}

/** After a failure: half the usable capacity, at least one place while any is declared. */
export function failed(belief: Belief): Belief {
  const usable = Math.min(Math.max(1, Math.floor(belief.usable / 2)), belief.declaredCapacity)
  return { ...belief, usable, inRound: 0 }
}
