/**
 * Which of the stored blocks belong to a history: ranges of their ids.
 *
 * Blocks get ids in the order in which they are made, never twice. A history that went back to a
 * snapshot and on from there is the ids up to the snapshot and those from its return on; what lies
 * between belongs to a history that was left, and is kept only where another snapshot needs it. So
 * a snapshot is a lineage and a few figures, whatever the length of the history.
 * @module
 */

/** Ids from `first` to `last`, both inclusive. */
export interface Range {
  readonly first: number
  readonly last: number
}

/** Ranges in ascending order. The last range of the running history is open. */
export type Lineage = readonly Range[]

/** End of an open range. */
export const OPEN = Number.MAX_SAFE_INTEGER

/** The lineage of a history that begins. */
export const BEGINNING: Lineage = [{ first: 1, last: OPEN }]

/** The same history, ended at the block `id`. */
export function endedAt(lineage: Lineage, id: number): Lineage {
  return lineage
    .filter(({ first }) => first <= id)
    .map(({ first, last }) => ({ first, last: Math.min(last, id) }))
}

/** An ended history that goes on with the block `id`. */
export function continuedAt(lineage: Lineage, id: number): Lineage {
  return [...lineage, { first: id, last: OPEN }]
}

/**
 * The same lineages with fewest ranges: neighbours become one where no lineage ends or branches off
 * between them and nobody's blocks lie there.
 */
export function simplified(lineages: readonly Lineage[]): readonly Lineage[] {
  const next = new Map<number, Set<number>>()
  for (const lineage of lineages) {
    for (const [at, { last }] of lineage.entries()) {
      const set = next.get(last) ?? new Set()
      next.set(last, set.add(lineage[at + 1]?.first ?? OPEN))
    }
  }
  const isFree = (after: number, before: number) =>
    !lineages.some((lineage) => lineage.some(({ first, last }) => last > after && first < before))
  const join = (a: Range, b: Range) => next.get(a.last)?.size === 1 && isFree(a.last, b.first)
  return lineages.map((lineage) => {
    const done: Range[] = []
    for (const range of lineage) {
      const before = done.at(-1)
      if (before && join(before, range)) done[done.length - 1] = { ...before, last: range.last }
      else done.push(range)
    }
    return done
  })
}

/** The ids up to `last` that no lineage has. */
export function unreachable(lineages: readonly Lineage[], last: number): readonly Range[] {
  const ranges = lineages.flat().sort((a, b) => a.first - b.first)
  const gaps: Range[] = []
  let reached = 0
  for (const range of ranges) {
    if (range.first > reached + 1) gaps.push({ first: reached + 1, last: range.first - 1 })
    reached = Math.max(reached, range.last)
  }
  if (reached < last) gaps.push({ first: reached + 1, last })
  return gaps.filter(({ first }) => first <= last)
}
