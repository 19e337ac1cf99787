/**
 * The question of the index: which free slot has the least score.
 *
 * Ticks are visited cheapest first, until no dearer one can win; constrained jobs look at the cells
 * of their columns, in ticks whose least key could win. Called by `treeIndex.ts`.
 * @module
 */
import { TICKS } from '../../../contracts/base/terms.ts'
import { EMPTY } from './slotIndex.ts'
import { type Arena, NONE, TICK_WORDS } from './tables.ts'

/** 2^-32: exact, and quicker than a division. */
const PER_32 = 2 ** -32

/** The ticks of a model are visited by their bits, cheapest first. */
export function bestOfAll(
  { shelves }: Arena,
  prices: Float64Array,
  model: number,
  tokens: number,
  speedWeight: number,
  maxTick: number,
): number {
  const first = model * TICKS
  let best = NONE
  let bestScore = Number.POSITIVE_INFINITY
  let bestKey = EMPTY
  for (let from = 0; from <= maxTick && from < TICKS; from += 32) {
    let bits = shelves.free[model * TICK_WORDS + (from >>> 5)]!
    while (bits !== 0) {
      const tick = from + 31 - Math.clz32(bits & -bits)
      bits &= bits - 1
      const cost = prices[tick]! * tokens
      if (tick > maxTick || cost > bestScore) return best
      const key = shelves.key[first + tick]!
      const score = cost + speedWeight * Math.floor(key * PER_32)
      if (score > bestScore || (score === bestScore && key > bestKey)) continue
      best = shelves.who[first + tick]!
      // Without a weight on waiting, and with a price, no dearer tick can win.
      if (speedWeight === 0 && cost > 0) return best
      bestScore = score
      bestKey = key
    }
  }
  return best
}

/** The same among some columns: a tick's least key is the least that its columns can have. */
export function bestOfColumns(
  { shelves, cells }: Arena,
  prices: Float64Array,
  model: number,
  tokens: number,
  speedWeight: number,
  maxTick: number,
  columns: Uint32Array,
): number {
  const first = model * TICKS
  const length = 1 << shelves.columnBits[model]!
  let best = NONE
  let bestScore = Number.POSITIVE_INFINITY
  let bestKey = EMPTY
  for (let from = 0; from <= maxTick && from < TICKS; from += 32) {
    let bits = shelves.free[model * TICK_WORDS + (from >>> 5)]!
    while (bits !== 0) {
      const tick = from + 31 - Math.clz32(bits & -bits)
      bits &= bits - 1
      const cost = prices[tick]! * tokens
      if (tick > maxTick || cost > bestScore) return best
      const least = cost + speedWeight * Math.floor(shelves.key[first + tick]! * PER_32)
      if (least > bestScore) continue
      const band = shelves.band[first + tick]!
      let key = EMPTY
      let row = NONE
      for (let at = 0; at < length; at += 32) {
        let some = (cells.free[(band + at) >>> 5]! >>> (band & 31)) & columns[at >>> 5]!
        if (length < 32) some &= (1 << length) - 1
        while (some !== 0) {
          const cell = band + at + 31 - Math.clz32(some & -some)
          some &= some - 1
          if (cells.key[cell]! >= key) continue
          key = cells.key[cell]!
          row = cells.who[cell]!
        }
      }
      if (row === NONE) continue
      const score = cost + speedWeight * Math.floor(key * PER_32)
      if (score > bestScore || (score === bestScore && key > bestKey)) continue
      best = row
      if (speedWeight === 0 && cost > 0) return best
      bestScore = score
      bestKey = key
    }
  }
  return best
}

/** The lowest tick with a slot that has places, of some columns or of all; -1 for none. */
export function lowestTick(
  { shelves, cells }: Arena,
  model: number,
  columns?: Uint32Array,
): number {
  const length = 1 << shelves.columnBits[model]!
  for (let tick = 0; tick < TICKS; tick++) {
    const band = shelves.band[model * TICKS + tick]!
    if (band === NONE) continue
    for (let at = 0; at < length; at++) {
      const asked = !columns || ((columns[at >>> 5]! >>> (at & 31)) & 1) !== 0
      if (asked && cells.live[band + at]! > 0) return tick
    }
  }
  return -1
}
