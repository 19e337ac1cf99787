/**
 * AssemblyScript. The question of the index, as `../index/treeIndex.ts` answers it: which free slot
 * has the least score.
 * @module
 */
import {
  CELL,
  CELL_LIVE,
  CELL_WHO,
  cellAt,
  cellBits,
  cells,
  COLUMNS,
  EMPTY,
  MODEL_BAND,
  MODEL_BITS,
  MODEL_FREE,
  MODEL_WHO,
  modelAt,
  modelCount,
  NONE,
  PER_32,
  PRICES,
  TICKS,
} from './arena'

/** The best row over all columns, or -1. */
export function bestOfAll(model: u32, tokens: f64, speedWeight: f64, maxTick: u32): i32 {
  if (model >= modelCount) return -1
  const at = modelAt(model)
  let best = NONE
  let bestScore: f64 = Infinity
  let bestKey = EMPTY
  for (let from: u32 = 0; from < TICKS && from <= maxTick; from += 32) {
    let bits = load<u32>(at + <usize>(from >> 3), MODEL_FREE)
    while (bits != 0) {
      const tick = from + <u32>ctz(bits)
      bits &= bits - 1
      const cost = load<f64>(PRICES + <usize>(tick << 3)) * tokens
      if (tick > maxTick || cost > bestScore) return <i32>best
      const key = load<f64>(at + <usize>(tick << 3))
      const score = cost + speedWeight * floor(key * PER_32)
      if (score > bestScore || (score == bestScore && key > bestKey)) continue
      best = load<u32>(at + <usize>(tick << 2), MODEL_WHO)
      if (speedWeight == 0 && cost > 0) return <i32>best
      bestScore = score
      bestKey = key
    }
  }
  return <i32>best
}

/** The best row over the columns of `COLUMNS`, or -1. */
export function bestOfColumns(model: u32, tokens: f64, speedWeight: f64, maxTick: u32): i32 {
  if (model >= modelCount) return -1
  const at = modelAt(model)
  const length: u32 = 1 << load<u32>(at, MODEL_BITS)
  let best = NONE
  let bestScore: f64 = Infinity
  let bestKey = EMPTY
  for (let from: u32 = 0; from < TICKS && from <= maxTick; from += 32) {
    let bits = load<u32>(at + <usize>(from >> 3), MODEL_FREE)
    while (bits != 0) {
      const tick = from + <u32>ctz(bits)
      bits &= bits - 1
      const cost = load<f64>(PRICES + <usize>(tick << 3)) * tokens
      if (tick > maxTick || cost > bestScore) return <i32>best
      const least = cost + speedWeight * floor(load<f64>(at + <usize>(tick << 3)) * PER_32)
      if (least > bestScore) continue
      const here = leastOfColumns(load<u32>(at + <usize>(tick << 2), MODEL_BAND), length)
      if (here == 0) continue
      const key = load<f64>(here)
      const score = cost + speedWeight * floor(key * PER_32)
      if (score > bestScore || (score == bestScore && key > bestKey)) continue
      best = load<u32>(here, CELL_WHO)
      if (speedWeight == 0 && cost > 0) return <i32>best
      bestScore = score
      bestKey = key
    }
  }
  return <i32>best
}

/** Address of the cell with the least key among the free ones of `COLUMNS`, or 0. */
@inline
function leastOfColumns(band: u32, length: u32): usize {
  let key = EMPTY
  let least: usize = 0
  for (let from: u32 = 0; from < length; from += 32) {
    let some =
      (load<u32>(cellBits + <usize>(((band + from) >> 5) << 2)) >> (band & 31)) &
      load<u32>(COLUMNS + <usize>((from >> 5) << 2))
    if (length < 32) some &= (1 << length) - 1
    const base = cells + <usize>(band + from) * CELL
    while (some != 0) {
      const at = base + <usize>ctz(some) * CELL
      some &= some - 1
      const found = load<f64>(at)
      if (found >= key) continue
      key = found
      least = at
    }
  }
  return least
}

/** The lowest tick with a slot that has places, of `COLUMNS` or of all columns; -1 for none. */
export function lowestTick(model: u32, constrained: bool): i32 {
  if (model >= modelCount) return -1
  const at = modelAt(model)
  const length: u32 = 1 << load<u32>(at, MODEL_BITS)
  for (let tick: u32 = 0; tick < TICKS; tick++) {
    const band = load<u32>(at + <usize>(tick << 2), MODEL_BAND)
    if (band == NONE) continue
    for (let column: u32 = 0; column < length; column++) {
      const word = load<u32>(COLUMNS + <usize>((column >> 5) << 2))
      if (constrained && ((word >> (column & 31)) & 1) == 0) continue
      if (load<u32>(cellAt(band + column), CELL_LIVE) > 0) return <i32>tick
    }
  }
  return -1
}
