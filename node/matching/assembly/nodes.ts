/**
 * AssemblyScript. The tournament trees of `../index/nodes.ts`, two lanes at a time with SIMD.
 * @module
 */
import {
  CELL,
  CELL_OPEN,
  CELL_ROOT,
  CELL_SHELF,
  CELL_WHO,
  cellAt,
  cellBits,
  cells,
  EMPTY,
  freeNode,
  FULL,
  HEAD_LEVEL,
  HEAD_NEXT,
  HEAD_PREV,
  HEAD_USED,
  headAt,
  LANES,
  MODEL_BAND,
  MODEL_BITS,
  MODEL_FREE,
  MODEL_WHO,
  modelAt,
  newNode,
  NODE_WHO,
  nodeAt,
  NONE,
  ROOT,
  TICKS,
} from './arena'

@inline
export function keyAt(lane: u32): usize {
  return nodeAt(lane >> 4) + <usize>((lane & 15) << 3)
}

/** The least of a node's sixteen keys, which is there at least once. */
@inline
function leastKey(at: usize): f64 {
  const a = f64x2.pmin(v128.load(at, 0), v128.load(at, 16))
  const b = f64x2.pmin(v128.load(at, 32), v128.load(at, 48))
  const c = f64x2.pmin(v128.load(at, 64), v128.load(at, 80))
  const d = f64x2.pmin(v128.load(at, 96), v128.load(at, 112))
  const least = f64x2.pmin(f64x2.pmin(a, b), f64x2.pmin(c, d))
  const low = f64x2.extract_lane(least, 0)
  const high = f64x2.extract_lane(least, 1)
  return high < low ? high : low
}

/** The first lane whose key it is. */
@inline
function laneOf(at: usize, key: f64): u32 {
  const wanted = f64x2.splat(key)
  let found: u32 = 0
  // Four comparisons narrow to a mask of eight lanes' answers.
  for (let half: u32 = 0; half < 2; half++) {
    const from = at + <usize>(half << 6)
    const one = v128.shuffle<u32>(
      f64x2.eq(v128.load(from, 0), wanted),
      f64x2.eq(v128.load(from, 16), wanted),
      0, 2, 4, 6,
    )
    const two = v128.shuffle<u32>(
      f64x2.eq(v128.load(from, 32), wanted),
      f64x2.eq(v128.load(from, 48), wanted),
      0, 2, 4, 6,
    )
    found |= (<u32>i16x8.bitmask(i16x8.narrow_i32x4_s(one, two))) << (half << 3)
  }
  return ctz(found)
}

export function settle(lane: u32, key: f64, row: u32, was: u32): void {
  let node = lane >> 4
  let at = nodeAt(node)
  store<f64>(at + <usize>((lane & 15) << 3), key)
  store<u32>(at + <usize>((lane & 15) << 2), row, NODE_WHO)
  let up = load<u32>(headAt(node))
  while (up < ROOT) {
    node = up >> 4
    const above = nodeAt(node)
    const keyHere = above + <usize>((up & 15) << 3)
    const whoHere = above + <usize>((up & 15) << 2)
    const holder = load<u32>(whoHere, NODE_WHO)
    if (!(key < load<f64>(keyHere))) {
      if (holder != was) return
      key = leastKey(at)
      row = load<u32>(at + <usize>(laneOf(at, key) << 2), NODE_WHO)
    }
    was = holder
    store<f64>(keyHere, key)
    store<u32>(whoHere, row, NODE_WHO)
    at = above
    up = load<u32>(headAt(node))
  }
  settleCell(up - ROOT, at, key, row, was)
}

@inline
function settleCell(cell: u32, node: usize, key: f64, row: u32, was: u32): void {
  const at = cellAt(cell)
  const holder = load<u32>(at, CELL_WHO)
  if (!(key < load<f64>(at))) {
    if (holder != was) return
    key = leastKey(node)
    row = load<u32>(node + <usize>(laneOf(node, key) << 2), NODE_WHO)
  }
  was = holder
  store<f64>(at, key)
  store<u32>(at, row, CELL_WHO)
  setBit(cellBits, cell, key < FULL)
  const shelf = load<u32>(at, CELL_SHELF)
  const model = modelAt(shelf / TICKS)
  const tick = shelf % TICKS
  const tickHere = model + <usize>(tick << 3)
  if (!(key < load<f64>(tickHere))) {
    if (load<u32>(model + <usize>(tick << 2), MODEL_WHO) != was) return
    const bits = load<u32>(model, MODEL_BITS)
    if (bits != 0) {
      settleShelf(model, tick, bits)
      return
    }
    if (key >= FULL) {
      key = FULL
      row = NONE
    }
  }
  setShelf(model, tick, key, row)
}

function settleShelf(model: usize, tick: u32, columnBits: u32): void {
  const band = load<u32>(model + <usize>(tick << 2), MODEL_BAND)
  const length: u32 = 1 << columnBits
  let key = FULL
  let who = NONE
  for (let from = band; from < band + length; from += 32) {
    let bits = load<u32>(cellBits + <usize>((from >> 5) << 2)) >> (from & 31)
    if (length < 32) bits &= (1 << length) - 1
    const base = cells + <usize>from * CELL
    while (bits != 0) {
      const at = base + <usize>ctz(bits) * CELL
      bits &= bits - 1
      const found = load<f64>(at)
      if (found >= key) continue
      key = found
      who = load<u32>(at, CELL_WHO)
    }
  }
  setShelf(model, tick, key, who)
}

@inline
function setShelf(model: usize, tick: u32, key: f64, row: u32): void {
  store<f64>(model + <usize>(tick << 3), key)
  store<u32>(model + <usize>(tick << 2), row, MODEL_WHO)
  setBit(model + MODEL_FREE, tick, key < FULL)
}

@inline
export function setBit(base: usize, index: u32, on: bool): void {
  const at = base + <usize>((index >> 5) << 2)
  const bit: u32 = 1 << (index & 31)
  const word = load<u32>(at)
  store<u32>(at, on ? word | bit : word & ~bit)
}

export function attach(cell: u32, level: u32): u32 {
  let node = load<u32>(cellAt(cell) + <usize>(level << 2), CELL_OPEN)
  if (node == NONE) {
    node = newNode(level)
    const root = load<u32>(cellAt(cell), CELL_ROOT)
    if (root == NONE) {
      setRoot(cell, node)
    } else {
      if (<u32>load<u16>(headAt(root), HEAD_LEVEL) == level) raise(cell, root)
      const up = attach(cell, level + 1)
      store<u32>(headAt(node), up)
    }
    link(cell, node)
  }
  const at = headAt(node)
  const used = <u32>load<u16>(at, HEAD_USED)
  const lane: u32 = ctz(~used)
  const now = used | (1 << lane)
  store<u16>(at, <u16>now, HEAD_USED)
  if (now == 0xffff) unlink(cell, node)
  return node * LANES + lane
}

export function detach(cell: u32, lane: u32, row: u32): void {
  settle(lane, EMPTY, NONE, row)
  release(cell, lane)
}

function release(cell: u32, lane: u32): void {
  const node = lane >> 4
  const at = headAt(node)
  const used = <u32>load<u16>(at, HEAD_USED)
  if (used == 0xffff) link(cell, node)
  const left = used & ~(1 << (lane & 15))
  store<u16>(at, <u16>left, HEAD_USED)
  if (left != 0) return
  unlink(cell, node)
  const up = load<u32>(at)
  if (up >= ROOT) store<u32>(cellAt(cell), NONE, CELL_ROOT)
  else release(cell, up)
  freeNode(node)
}

function raise(cell: u32, root: u32): void {
  const node = newNode(<u32>load<u16>(headAt(root), HEAD_LEVEL) + 1)
  store<u16>(headAt(node), <u16>1, HEAD_USED)
  const at = nodeAt(node)
  store<f64>(at, load<f64>(cellAt(cell)))
  store<u32>(at, load<u32>(cellAt(cell), CELL_WHO), NODE_WHO)
  store<u32>(headAt(root), node * LANES)
  setRoot(cell, node)
  link(cell, node)
}

function setRoot(cell: u32, node: u32): void {
  store<u32>(cellAt(cell), node, CELL_ROOT)
  store<u32>(headAt(node), ROOT + cell)
}

function link(cell: u32, node: u32): void {
  const at = headAt(node)
  const head = cellAt(cell) + <usize>(<u32>load<u16>(at, HEAD_LEVEL) << 2)
  const next = load<u32>(head, CELL_OPEN)
  store<u32>(at, next, HEAD_NEXT)
  store<u32>(at, NONE, HEAD_PREV)
  if (next != NONE) store<u32>(headAt(next), node, HEAD_PREV)
  store<u32>(head, node, CELL_OPEN)
}

function unlink(cell: u32, node: u32): void {
  const at = headAt(node)
  const next = load<u32>(at, HEAD_NEXT)
  const prev = load<u32>(at, HEAD_PREV)
  if (prev == NONE) {
    store<u32>(cellAt(cell) + <usize>(<u32>load<u16>(at, HEAD_LEVEL) << 2), next, CELL_OPEN)
  } else {
    store<u32>(headAt(prev), next, HEAD_NEXT)
  }
  if (next != NONE) store<u32>(headAt(next), prev, HEAD_PREV)
}
