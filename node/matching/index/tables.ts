/**
 * The tables of the tree index, all flat.
 *
 * Rows are slots; nodes hold sixteen keys, of slots or of other nodes; a cell is the tree of one
 * model, tick and column; a band is the run of cells of one model and tick; a shelf is one tick of
 * a model.
 * @module
 */
import { TICKS } from '../../../contracts/base/terms.ts'

/** Lanes of a node: two cache lines of keys. */
export const LANES = 16
/** Levels of nodes in one cell: 16^6 slots are more than a pool takes. */
export const LEVELS = 6
/** No row, node, cell or band. */
export const NONE = 0xffffffff
/** Added to a cell's number where a node's parent is that cell. */
export const ROOT = 0x80000000
/** Bits of a word. */
export const WORD = 32

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
