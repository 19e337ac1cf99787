/**
 * The tables of the tree index, all flat, and how they grow and are reused.
 *
 * Rows are slots; nodes hold sixteen keys, of slots or of other nodes; a cell is the tree of one
 * model, tick and column; a band is the run of cells of one model and tick; a shelf is the 96 ticks
 * of a model. Called by `nodes.ts` and `treeIndex.ts` only.
 * @module
 */
import { TICKS } from '../../../contracts/base/terms.ts'
import { EMPTY, FULL } from './slotIndex.ts'

/** Lanes of a node: two cache lines of keys. */
export const LANES = 16
/** Levels of nodes in one cell: 16^6 slots are more than a pool takes. */
export const LEVELS = 6
/** No row, node, cell or band. */
export const NONE = 0xffffffff
/** Added to a cell's number where a node's parent is that cell. */
export const ROOT = 0x80000000
/** Columns of a new model; they double as more come. */
const WORD = 32

/** Everything the index knows. Typed arrays are replaced as they grow. */
export interface Arena {
  readonly rows: Rows
  readonly nodes: Nodes
  readonly cells: Cells
  readonly shelves: Shelves
}

/** A pool of numbered records: those below `count` have been used, freed ones are chained. */
interface Records {
  count: number
  /** Head of the chain of freed numbers. */
  freed: number
}

export interface Rows extends Records {
  running: Uint32Array
  capacity: Uint32Array
  serviceMs: Float64Array
  /** Lane of the slot's key; of a freed row, the next freed one. */
  lane: Uint32Array
}

export interface Nodes extends Records {
  /** By lane (`node * LANES + lane`): the least key below, and whose it is. */
  key: Float64Array
  who: Uint32Array
  /** Lane of the parent, or `ROOT + cell`; of a freed node, the next freed one. */
  parent: Uint32Array
  /** One bit a lane in use. */
  used: Uint16Array
  level: Uint8Array
  /** Nodes of one cell and level that have an unused lane, doubly chained. */
  next: Uint32Array
  prev: Uint32Array
}

export interface Cells {
  count: number
  /** Heads of freed bands, by the logarithm of their length. */
  readonly freed: number[]
  /** The least key of the cell, and whose it is. */
  key: Float64Array
  who: Uint32Array
  root: Uint32Array
  /** Heads of the chains of nodes with room, by level. */
  open: Uint32Array
  /** `model * TICKS + tick`; of a freed band's first cell, the next freed band. */
  shelf: Uint32Array
  /** Slots with places. */
  live: Uint32Array
  /** One bit a cell whose least key can start a job. */
  free: Uint32Array
}

/** By `model * TICKS + tick`, but for `columnBits`, `free` and `bands` of a model. */
export interface Shelves {
  models: number
  key: Float64Array
  who: Uint32Array
  /** First cell of the band. */
  band: Uint32Array
  /** Slots of the band. */
  size: Uint32Array
  /** Logarithm of the columns of a model. */
  columnBits: Uint8Array
  /** Three words a model: one bit a tick with a free cell. */
  free: Uint32Array
}

/** Words of tick bits a model. */
export const TICK_WORDS = TICKS / WORD

export function emptyArena(): Arena {
  return {
    rows: {
      count: 0,
      freed: NONE,
      running: new Uint32Array(),
      capacity: new Uint32Array(),
      serviceMs: new Float64Array(),
      lane: new Uint32Array(),
    },
    nodes: {
      count: 0,
      freed: NONE,
      key: new Float64Array(),
      who: new Uint32Array(),
      parent: new Uint32Array(),
      used: new Uint16Array(),
      level: new Uint8Array(),
      next: new Uint32Array(),
      prev: new Uint32Array(),
    },
    cells: {
      count: 0,
      freed: [],
      key: new Float64Array(),
      who: new Uint32Array(),
      root: new Uint32Array(),
      open: new Uint32Array(),
      shelf: new Uint32Array(),
      live: new Uint32Array(),
      free: new Uint32Array(),
    },
    shelves: {
      models: 0,
      key: new Float64Array(),
      who: new Uint32Array(),
      band: new Uint32Array(),
      size: new Uint32Array(),
      columnBits: new Uint8Array(),
      free: new Uint32Array(),
    },
  }
}

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

/** Bytes of all tables. */
export function bytesOf(arena: Arena): number {
  let bytes = 0
  for (const table of Object.values(arena)) {
    for (const column of Object.values(table)) {
      if (ArrayBuffer.isView(column)) bytes += column.byteLength
    }
  }
  return bytes
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
