/**
 * AssemblyScript. The tables of the index in linear memory: those of `../index/arena.ts`, the
 * fields of a record side by side, since a record is read whole and far memory is what costs time.
 * @module
 */

export const TICKS: u32 = 96
export const LANES: u32 = 16
export const LEVELS: u32 = 6
export const NONE: u32 = 0xffffffff
export const ROOT: u32 = 0x80000000
export const FULL: f64 = 4503599627370496.0 // 2^52
export const EMPTY: f64 = 9007199254740992.0 // 2^53
export const TWO_32: f64 = 4294967296.0
/** 2^-32: exact, and quicker than a division. */
export const PER_32: f64 = 1.0 / 4294967296.0
export const MOST_WAIT: f64 = 1048575.0

/** Price of each tick; written by the caller before anything else. */
export const PRICES: usize = memory.data(96 * 8, 16)
/** One bit a column that the job accepts; written by the caller before it asks by columns. */
export const COLUMNS: usize = memory.data(256 / 8, 16)

// Row: service time, running, capacity, lane.
export const ROW: usize = 20
export const ROW_RUNNING: usize = 8
export const ROW_CAPACITY: usize = 12
export const ROW_LANE: usize = 16
// Node: sixteen keys, sixteen rows: three cache lines.
export const NODE: usize = 192
export const NODE_WHO: usize = 128
// Its head, apart, so that those of many nodes stay near: parent, next, prev, used, level.
export const HEAD: usize = 16
export const HEAD_NEXT: usize = 4
export const HEAD_PREV: usize = 8
export const HEAD_USED: usize = 12
export const HEAD_LEVEL: usize = 14
// Cell: key, who, root, shelf, live, heads of the open chains.
export const CELL: usize = 48
export const CELL_WHO: usize = 8
export const CELL_ROOT: usize = 12
export const CELL_SHELF: usize = 16
export const CELL_LIVE: usize = 20
export const CELL_OPEN: usize = 24
// Model: least keys, whose, bands, sizes of its ticks; then tick bits and the columns' logarithm.
export const MODEL: usize = 96 * 8 + 3 * 96 * 4 + 4 * 4
export const MODEL_WHO: usize = 96 * 8
export const MODEL_BAND: usize = 96 * 12
export const MODEL_SIZE: usize = 96 * 16
export const MODEL_FREE: usize = 96 * 20
export const MODEL_BITS: usize = 96 * 20 + 12

// The tables lie one after another from the first free byte on, in this order, and each ends where
// the next begins: nothing is idle but the room of each to grow.
// Heads and nodes come in whole cache lines.
const FIRST: usize = (__heap_base + 63) & ~63
export let heads: usize = FIRST
export let nodes: usize = FIRST
export let models: usize = FIRST
export let cells: usize = FIRST
export let cellBits: usize = FIRST
export let rows: usize = FIRST
let end: usize = FIRST
let rowRoom: u32 = 0
let rowCount: u32 = 0
let rowFreed: u32 = NONE
let nodeRoom: u32 = 0
let nodeCount: u32 = 0
let nodeFreed: u32 = NONE
let cellRoom: u32 = 0
let cellCount: u32 = 0
let modelRoom: u32 = 0
export let modelCount: u32 = 0
/** Heads of freed bands plus 1, by the logarithm of their length. */
const FREED_BANDS: usize = memory.data(32 * 4, 16)

@inline export function rowAt(row: u32): usize { return rows + <usize>row * ROW }
@inline export function nodeAt(node: u32): usize { return nodes + <usize>node * NODE }
@inline export function headAt(node: u32): usize { return heads + <usize>node * HEAD }
@inline export function cellAt(cell: u32): usize { return cells + <usize>cell * CELL }
@inline export function modelAt(model: u32): usize { return models + <usize>model * MODEL }

/** An eighth more, at least one. */
function roomier(count: u32): u32 {
  return count + max<u32>(1, count >> 3)
}

/** Moves what lies from `at` on up by `size` bytes. */
function makeRoom(at: usize, size: usize): void {
  const needed = (end + size + 0xffff) >> 16
  const pages = <usize>memory.size()
  if (needed > pages && memory.grow(<i32>(needed - pages)) < 0) unreachable()
  memory.copy(at + size, at, end - at)
  end += size
}

export function newRow(): u32 {
  if (rowFreed != NONE) {
    const row = rowFreed
    rowFreed = load<u32>(rowAt(row), ROW_LANE)
    return row
  }
  if (rowCount == rowRoom) {
    rowRoom = (roomier(rowCount) + 3) & ~3
    makeRoom(end, <usize>(rowRoom - rowCount) * ROW)
  }
  return rowCount++
}

export function freeRow(row: u32): void {
  store<u32>(rowAt(row), rowFreed, ROW_LANE)
  rowFreed = row
}

export function newNode(level: u32): u32 {
  let node = nodeFreed
  if (node != NONE) {
    nodeFreed = load<u32>(headAt(node))
  } else {
    if (nodeCount == nodeRoom) {
      nodeRoom = (roomier(nodeCount) + 3) & ~3
      const size = <usize>(nodeRoom - nodeCount) * NODE
      const headSize = <usize>(nodeRoom - nodeCount) * HEAD
      makeRoom(models, size)
      makeRoom(nodes, headSize)
      nodes += headSize
      models += size + headSize
      cells += size + headSize
      cellBits += size + headSize
      rows += size + headSize
    }
    node = nodeCount++
  }
  const at = nodeAt(node)
  for (let lane: usize = 0; lane < <usize>LANES; lane++) store<f64>(at + lane * 8, EMPTY)
  const head = headAt(node)
  store<u16>(head, 0, HEAD_USED)
  store<u16>(head, <u16>level, HEAD_LEVEL)
  return node
}

export function freeNode(node: u32): void {
  store<u32>(headAt(node), nodeFreed)
  nodeFreed = node
}

export function newBand(bits: u32, shelf: u32): u32 {
  const length: u32 = 1 << bits
  const head = FREED_BANDS + <usize>(bits << 2)
  let band = load<u32>(head) - 1
  if (band != NONE) {
    store<u32>(head, load<u32>(cellAt(band), CELL_SHELF))
  } else {
    band = (cellCount + length - 1) & ~(length - 1)
    cellCount = band + length
    if (cellCount > cellRoom) {
      const before = cellRoom
      cellRoom = (max(cellCount, roomier(cellRoom)) + 127) & ~127
      const bitSize = <usize>((cellRoom - before) >> 3)
      makeRoom(rows, bitSize)
      memory.fill(rows, 0, bitSize)
      const size = <usize>(cellRoom - before) * CELL
      makeRoom(cellBits, size)
      cellBits += size
      rows += size + bitSize
    }
  }
  for (let cell = band; cell < band + length; cell++) {
    const at = cellAt(cell)
    store<f64>(at, FULL)
    store<u32>(at, NONE, CELL_WHO)
    store<u32>(at, NONE, CELL_ROOT)
    store<u32>(at, shelf, CELL_SHELF)
    store<u32>(at, 0, CELL_LIVE)
    for (let level: usize = 0; level < <usize>LEVELS; level++) {
      store<u32>(at + level * 4, NONE, CELL_OPEN)
    }
  }
  return band
}

export function freeBand(bits: u32, band: u32): void {
  const head = FREED_BANDS + <usize>(bits << 2)
  store<u32>(cellAt(band), load<u32>(head), CELL_SHELF)
  store<u32>(head, band + 1)
}

export function reserveModel(model: u32): void {
  if (model < modelCount) return
  const from = modelCount
  modelCount = model + 1
  if (modelCount > modelRoom) {
    const before = modelRoom
    modelRoom = max(modelCount, roomier(modelRoom))
    const size = <usize>(modelRoom - before) * MODEL
    makeRoom(cells, size)
    cells += size
    cellBits += size
    rows += size
  }
  for (let fresh = from; fresh < modelCount; fresh++) {
    const at = modelAt(fresh)
    memory.fill(at, 0, MODEL)
    for (let tick: usize = 0; tick < <usize>TICKS; tick++) {
      store<f64>(at + tick * 8, FULL)
      store<u32>(at + tick * 4, NONE, MODEL_WHO)
      store<u32>(at + tick * 4, NONE, MODEL_BAND)
    }
  }
}

/** Bytes of all tables. */
export function bytes(): usize {
  return end - FIRST
}
