/**
 * How the tables of the tree index grow, and how what is freed is used again. Called by `nodes.ts`
 * and `treeIndex.ts` only.
 * @module
 */
import { TICKS } from '../../../contracts/base/terms.ts'
import { EMPTY, FULL } from './slotIndex.ts'
import {
  type Cells,
  LANES,
  LEVELS,
  NONE,
  type Nodes,
  type Rows,
  type Shelves,
  TICK_WORDS,
  WORD,
} from './tables.ts'

/** A row nobody has; its fields are the caller's to fill. */
export function newRow(rows: Rows): number {
  const row = rows.freed
  if (row !== NONE) {
    rows.freed = rows.lane[row]!
    return row
  }
  if (rows.count === rows.lane.length) {
    const room = roomier(rows.count)
    rows.running = grown(rows.running, room)
    rows.capacity = grown(rows.capacity, room)
    rows.serviceMs = grown(rows.serviceMs, room)
    rows.lane = grown(rows.lane, room)
  }
  return rows.count++
}

export function freeRow(rows: Rows, row: number): void {
  rows.lane[row] = rows.freed
  rows.freed = row
}

/** A node with no lane in use. */
export function newNode(nodes: Nodes, level: number): number {
  let node = nodes.freed
  if (node !== NONE) nodes.freed = nodes.parent[node]!
  else {
    if (nodes.count === nodes.parent.length) {
      const room = roomier(nodes.count)
      nodes.key = grown(nodes.key, room * LANES)
      nodes.who = grown(nodes.who, room * LANES)
      nodes.parent = grown(nodes.parent, room)
      nodes.used = grown(nodes.used, room)
      nodes.level = grown(nodes.level, room)
      nodes.next = grown(nodes.next, room)
      nodes.prev = grown(nodes.prev, room)
    }
    node = nodes.count++
  }
  const first = node * LANES
  nodes.key.fill(EMPTY, first, first + LANES)
  nodes.used[node] = 0
  nodes.level[node] = level
  return node
}

export function freeNode(nodes: Nodes, node: number): void {
  nodes.parent[node] = nodes.freed
  nodes.freed = node
}

/** A run of `2 ** bits` empty cells for one model and tick, aligned to its length. */
export function newBand(cells: Cells, bits: number, shelf: number): number {
  const length = 1 << bits
  let band = cells.freed[bits] ?? NONE
  if (band !== NONE) cells.freed[bits] = cells.shelf[band]!
  else {
    // Aligned, so that the bits of a band are whole words, or one part of a word.
    band = Math.ceil(cells.count / length) * length
    cells.count = band + length
    if (cells.count > cells.key.length) {
      const room = Math.ceil(Math.max(cells.count, roomier(cells.key.length)) / WORD) * WORD
      cells.key = grown(cells.key, room)
      cells.who = grown(cells.who, room)
      cells.root = grown(cells.root, room)
      cells.open = grown(cells.open, room * LEVELS)
      cells.shelf = grown(cells.shelf, room)
      cells.live = grown(cells.live, room)
      cells.free = grown(cells.free, room / WORD)
    }
  }
  const end = band + length
  cells.key.fill(FULL, band, end)
  cells.who.fill(NONE, band, end)
  cells.root.fill(NONE, band, end)
  cells.open.fill(NONE, band * LEVELS, end * LEVELS)
  cells.shelf.fill(shelf, band, end)
  cells.live.fill(0, band, end)
  return band
}

/** Gives a band back. Its cells are empty, so none of its bits is set. */
export function freeBand(cells: Cells, bits: number, band: number): void {
  cells.shelf[band] = cells.freed[bits] ?? NONE
  cells.freed[bits] = band
}

/** Makes room for the shelves of models up to this one. */
export function reserveModel(shelves: Shelves, model: number): void {
  if (model < shelves.models) return
  const from = shelves.models * TICKS
  shelves.models = model + 1
  if (shelves.models > shelves.columnBits.length) {
    const room = Math.max(shelves.models, roomier(shelves.columnBits.length))
    shelves.key = grown(shelves.key, room * TICKS)
    shelves.who = grown(shelves.who, room * TICKS)
    shelves.band = grown(shelves.band, room * TICKS)
    shelves.size = grown(shelves.size, room * TICKS)
    shelves.columnBits = grown(shelves.columnBits, room)
    shelves.free = grown(shelves.free, room * TICK_WORDS)
  }
  const end = shelves.models * TICKS
  shelves.key.fill(FULL, from, end)
  shelves.who.fill(NONE, from, end)
  shelves.band.fill(NONE, from, end)
}

/** An eighth more: little is idle, and each record is copied eight times at most on the whole. */
function roomier(count: number): number {
  return count + Math.max(1, count >>> 3)
}

function grown<A extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(
  from: A,
  length: number,
): A {
  const make = from.constructor as new (length: number) => A
  const to = new make(length)
  to.set(from)
  return to
}
