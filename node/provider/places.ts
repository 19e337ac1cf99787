/**
 * Places of a slot, divided among the schedulers it is offered to, so that none is sold twice.
 *
 * Pure. Each scheduler is told its share and may fill it without asking the others; what is taken
 * is counted per scheduler, and a lease beyond the share is answered `busy`.
 * @module
 */

/** Taken places by scheduler (identity hex), beside how many each was offered. */
export interface Places {
  readonly shares: Readonly<Record<string, number>>
  readonly taken: Readonly<Record<string, number>>
}

/** Divides `places` as evenly as it goes; the first schedulers get one more where it does not. */
export function dividePlaces(places: number, schedulers: readonly string[]): Places {
  const base = Math.floor(places / Math.max(1, schedulers.length))
  const rest = places - base * schedulers.length
  const shares = schedulers.map((id, at) => [id, base + (at < rest ? 1 : 0)] as const)
  return { shares: Object.fromEntries(shares), taken: {} }
}

/** Takes a place for a scheduler; `undefined` where its share is full. */
export function takePlace(places: Places, scheduler: string): Places | undefined {
  const taken = places.taken[scheduler] ?? 0
  if (taken >= (places.shares[scheduler] ?? 0)) return undefined
  return { ...places, taken: { ...places.taken, [scheduler]: taken + 1 } }
}

/** Gives a place back. */
export function freePlace(places: Places, scheduler: string): Places {
  const taken = Math.max(0, (places.taken[scheduler] ?? 0) - 1)
  return { ...places, taken: { ...places.taken, [scheduler]: taken } }
}

/** Places that a scheduler has taken now. */
export function takenBy(places: Places, scheduler: string): number {
  return places.taken[scheduler] ?? 0
}
