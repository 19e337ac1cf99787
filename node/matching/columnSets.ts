/**
 * Sets of columns by attribute, as bits: what a job requires is their intersection.
 *
 * Called by `attributes.ts`.
 * @module
 */
import { TIERS } from '../../contracts/base/tier.ts'
import { MOST_COLUMNS } from './index/slotIndex.ts'
import type { Attributes, Needs } from './slots.ts'

export interface ColumnSets {
  add(column: number, what: Attributes): void
  remove(column: number, what: Attributes): void
  /** Puts a column into every set that is asked for, or takes it out. */
  always(column: number, on: boolean): void
  /** The columns that pass the attribute filters, the same array each time; nothing for all. */
  accepted(needs: Needs): Bits | undefined
}

type Bits = Uint32Array
const WORDS = MOST_COLUMNS / 32

/** No columns yet. */
export function columnSets(): ColumnSets {
  /** By tier: the columns of that tier or a higher one. */
  const tiers = TIERS.map(() => new Uint32Array(WORDS))
  const regions = new Map<string, Bits>()
  const gpus = new Map<string, Bits>()
  const memories = new Map<number, Bits>()
  const always = new Uint32Array(WORDS)
  /** No column is below it; after some have left it may be lower than need be. */
  let lowestTier: number = TIERS.length
  const mask = new Uint32Array(WORDS)
  const some = new Uint32Array(WORDS)

  /** Leaves in the mask what is of one of the names too. */
  function keep(byName: ReadonlyMap<string, Bits>, names: readonly string[]): void {
    if (names.length === 0) return
    clearAll(some)
    for (const name of names) join(some, byName.get(name))
    meet(mask, some)
  }

  return {
    add(column, { tier, region, gpu, memoryGiB }) {
      lowestTier = Math.min(lowestTier, tier)
      for (let least = 0; least <= tier; least++) set(tiers[least]!, column)
      set(bitsOf(regions, region), column)
      set(bitsOf(gpus, gpu), column)
      set(bitsOf(memories, memoryGiB), column)
    },
    remove(column, { region, gpu, memoryGiB }) {
      for (const bits of tiers) clear(bits, column)
      forget(regions, region, column)
      forget(gpus, gpu, column)
      forget(memories, memoryGiB, column)
    },
    always(column, on) {
      if (on) set(always, column)
      else clear(always, column)
    },
    accepted({ minTier, regions: inRegions, gpus: onGpus, minMemoryGiB }) {
      const asked = minTier > lowestTier || minMemoryGiB > 0
      if (!asked && inRegions.length === 0 && onGpus.length === 0) return undefined
      clearAll(mask)
      join(mask, tiers[minTier])
      keep(regions, inRegions)
      keep(gpus, onGpus)
      if (minMemoryGiB > 0) {
        clearAll(some)
        for (const [memoryGiB, bits] of memories) if (memoryGiB >= minMemoryGiB) join(some, bits)
        meet(mask, some)
      }
      join(mask, always)
      return mask
    },
  }
}

function set(bits: Bits, column: number): void {
  bits[column >>> 5]! |= 1 << (column & 31)
}

function clear(bits: Bits, column: number): void {
  bits[column >>> 5]! &= ~(1 << (column & 31))
}

// A loop over eight words costs less than a call of `fill` or `set`.
function clearAll(bits: Bits): void {
  for (let word = 0; word < WORDS; word++) bits[word] = 0
}

function bitsOf<Name>(byName: Map<Name, Bits>, name: Name): Bits {
  const bits = byName.get(name) ?? new Uint32Array(WORDS)
  byName.set(name, bits)
  return bits
}

function forget<Name>(byName: Map<Name, Bits>, name: Name, column: number): void {
  const bits = byName.get(name)!
  clear(bits, column)
  if (bits.every((word) => word === 0)) byName.delete(name)
}

function join(to: Bits, bits: Bits | undefined): void {
  if (bits) for (let word = 0; word < WORDS; word++) to[word]! |= bits[word]!
}

function meet(to: Bits, bits: Bits): void {
  for (let word = 0; word < WORDS; word++) to[word]! &= bits[word]!
}
