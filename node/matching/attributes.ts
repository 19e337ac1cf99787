/**
 * The attribute classes of one model: which columns of the index a job's requirements accept.
 *
 * Slots with the same tier, region, GPU class and memory share a column; a requirement is a set of
 * columns, as bits. Classes beyond the columns of the index share the last one, `MIXED`, whose slots
 * are looked at one by one.
 * @module
 */
import { TIERS } from '../../contracts/base/tier.ts'
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

type Bits = Uint32Array
const WORDS = MOST_COLUMNS / 32
const set = (bits: Bits, number: number): void => {
  bits[number >>> 5]! |= 1 << (number & 31)
}
const clear = (bits: Bits, number: number): void => {
  bits[number >>> 5]! &= ~(1 << (number & 31))
}
const isEmpty = (bits: Bits): boolean => bits.every((word) => word === 0)

/** The classes of a model without slots. */
export function attributeClasses(): AttributeClasses {
  const columns: (Column | undefined)[] = []
  const byKey = new Map<string, Column>()
  const mixed = new Set<Slot>()
  /** By tier: the columns of that tier or a higher one. */
  const tiers = TIERS.map(() => new Uint32Array(WORDS))
  const regions = new Map<string, Bits>()
  const gpus = new Map<string, Bits>()
  const memories = new Map<number, Bits>()
  /** No slot of any class is below it; it may be lower than need be. */
  let lowestTier: number = TIERS.length
  const mask = new Uint32Array(WORDS)
  const some = new Uint32Array(WORDS)
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
    for (let least = 0; least <= tier; least++) set(tiers[least]!, number)
    set(bitsOf(regions, region), number)
    set(bitsOf(gpus, gpu), number)
    set(bitsOf(memories, memoryGiB), number)
    return column
  }

  function drop(column: Column): void {
    const { number, region, gpu, memoryGiB } = column
    byKey.delete(keyOf(column))
    columns[number] = undefined
    while (columns.length > 0 && columns.at(-1) === undefined) columns.pop()
    for (const bits of tiers) clear(bits, number)
    forget(regions, region, number)
    forget(gpus, gpu, number)
    forget(memories, memoryGiB, number)
  }

  /** Leaves in the mask what is of one of the names too. */
  function keep(byName: ReadonlyMap<string, Bits>, names: readonly string[]): void {
    if (names.length === 0) return
    some.fill(0)
    for (const name of names) join(some, byName.get(name))
    for (let word = 0; word < WORDS; word++) mask[word]! &= some[word]!
  }

  return {
    mixed,
    enter(slot) {
      lowestTier = Math.min(lowestTier, slot.tier)
      const column = byKey.get(keyOf(slot)) ?? add(slot)
      if (!column) {
        mixed.add(slot)
        return MIXED
      }
      column.slots++
      return column.number
    },
    leave(slot) {
      if (mixed.delete(slot)) return
      const column = columns[slot.column]!
      column.slots--
      if (column.slots === 0) drop(column)
    },
    live(slot, change) {
      if (slot.column !== MIXED) columns[slot.column]!.live += change
    },
    accepted(needs) {
      const { minTier, minMemoryGiB } = needs
      const asked = minTier > lowestTier || minMemoryGiB > 0
      if (!asked && needs.regions.length === 0 && needs.gpus.length === 0) return undefined
      mask.set(tiers[minTier]!)
      keep(regions, needs.regions)
      keep(gpus, needs.gpus)
      if (minMemoryGiB > 0) {
        some.fill(0)
        for (const [memoryGiB, bits] of memories) if (memoryGiB >= minMemoryGiB) join(some, bits)
        for (let word = 0; word < WORDS; word++) mask[word]! &= some[word]!
      }
      if (mixed.size > 0) set(mask, MIXED)
      return mask
    },
    refusing(needs, told) {
      for (const column of columns) {
        if (column && column.live > 0) told(column.number, attributeRefusing(needs, column))
      }
    },
  }
}

function bitsOf<K>(byName: Map<K, Bits>, name: K): Bits {
  const bits = byName.get(name) ?? new Uint32Array(WORDS)
  byName.set(name, bits)
  return bits
}

function forget<K>(byName: Map<K, Bits>, name: K, number: number): void {
  const bits = byName.get(name)!
  clear(bits, number)
  if (isEmpty(bits)) byName.delete(name)
}

function join(to: Bits, bits: Bits | undefined): void {
  if (bits) for (let word = 0; word < WORDS; word++) to[word]! |= bits[word]!
}
