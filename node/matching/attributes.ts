/**
 * The attribute classes of one model: which columns of the index a job's requirements accept.
 *
 * Slots with the same tier, region, GPU class and memory share a column; a requirement is a set of
 * columns, as bits (`columnSets.ts`). Classes beyond the columns of the index share the last one,
 * `MIXED`, whose slots are looked at one by one.
 * @module
 */
import { columnSets } from './columnSets.ts'
import { MOST_COLUMNS } from './index/slotIndex.ts'
import { type Attributes, attributeRefusing, type Needs, type Slot } from './slots.ts'

/** The column of all classes that have none of their own. */
export const MIXED = MOST_COLUMNS - 1

interface Column extends Attributes {
  readonly number: number
  slots: number
  /** Slots with places that are not draining. */
  live: number
}

export interface AttributeClasses {
  /** Counts a slot in and gives its column. */
  enter(slot: Slot): number
  leave(slot: Slot): void
  /** Counts a slot's coming to have places, or ceasing to. */
  live(slot: Slot, change: number): void
  /**
   * The columns whose slots pass the attribute filters, nothing where all do; `MIXED` is among them
   * where it is in use. The same array at each call.
   */
  accepted(needs: Needs): Uint32Array | undefined
  /** The columns of slots with places, each with the filter that refuses it. */
  refusing(needs: Needs, told: (column: number, filter: number) => void): void
  /** Slots without a column of their own. */
  readonly mixed: ReadonlySet<Slot>
}

/** The classes of a model without slots. */
export function attributeClasses(): AttributeClasses {
  const columns: (Column | undefined)[] = []
  const byKey = new Map<string, Column>()
  const mixed = new Set<Slot>()
  const sets = columnSets()
  const keyOf = ({ tier, region, gpu, memoryGiB }: Attributes): string =>
    JSON.stringify([tier, region, gpu, memoryGiB])

  function add(slot: Slot): Column | undefined {
    let number = columns.indexOf(undefined)
    if (number === -1) number = columns.length
    if (number === MIXED) return undefined
    const { tier, region, gpu, memoryGiB } = slot
    const column: Column = { number, tier, region, gpu, memoryGiB, slots: 0, live: 0 }
    columns[number] = column
    byKey.set(keyOf(slot), column)
    sets.add(number, column)
    return column
  }

  function drop(column: Column): void {
    byKey.delete(keyOf(column))
    columns[column.number] = undefined
    while (columns.length > 0 && columns.at(-1) === undefined) columns.pop()
    sets.remove(column.number, column)
  }

  return {
    mixed,
    enter(slot) {
      const column = byKey.get(keyOf(slot)) ?? add(slot)
      if (!column) {
        mixed.add(slot)
        if (mixed.size === 1) sets.always(MIXED, true)
        return MIXED
      }
      column.slots++
      return column.number
    },
    leave(slot) {
      if (mixed.delete(slot)) {
        if (mixed.size === 0) sets.always(MIXED, false)
        return
      }
      const column = columns[slot.column]!
      column.slots--
      if (column.slots === 0) drop(column)
    },
    live(slot, change) {
      if (slot.column !== MIXED) columns[slot.column]!.live += change
    },
    accepted: (needs) => sets.accepted(needs),
    refusing(needs, told) {
      for (const column of columns) {
        if (column && column.live > 0) told(column.number, attributeRefusing(needs, column))
      }
    },
  }
}
