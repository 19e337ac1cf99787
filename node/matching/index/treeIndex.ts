/**
 * The index in plain TypeScript: the reference of the WebAssembly build, and what runs without it.
 *
 * `best.ts` finds the least score, `nodes.ts` carries up what a start or an end changes, `arena.ts`
 * has the tables.
 * @module
 */
import { TICKS } from '../../../contracts/base/terms.ts'
import { freeBand, freeRow, newBand, newRow, reserveModel } from './arena.ts'
import { bestOfAll, bestOfColumns, lowestTick } from './best.ts'
import { attach, detach, settle } from './nodes.ts'
import { FULL, type IndexedSlot, NO_ROW, type SlotIndex, waitOf } from './slotIndex.ts'
import { type Arena, bytesOf, emptyArena, LEVELS, NONE, ROOT } from './tables.ts'

const TWO_32 = 2 ** 32

/**
 * An empty index. `prices` has one price a tick, rising.
 *
 * @example
 * const index = treeIndex(prices)
 * const load = { running: 0, capacity: 8, serviceMs: 90 }
 * const row = index.add({ model: 0, column: 0, tick: 40, tie: 0, ...load })
 * index.best(0, 200, 0, 95) === row // true
 */
export function treeIndex(prices: Float64Array): SlotIndex {
  const arena = emptyArena()
  const { rows, cells, shelves } = arena

  /** Puts a slot where its running jobs, places and service time say. */
  function moved(row: number): void {
    const lane = rows.lane[row]!
    settle(arena, lane, keyOf(arena, row, tieAt(arena, lane)), row, row)
  }

  return {
    add: (slot) => add(arena, slot),
    remove: (row) => remove(arena, row),
    start(row) {
      rows.running[row]!++
      moved(row)
    },
    finish(row) {
      if (rows.running[row] === 0) return
      rows.running[row]!--
      moved(row)
    },
    setRunning(row, running) {
      rows.running[row] = running
      moved(row)
    },
    setServiceMs(row, serviceMs) {
      rows.serviceMs[row] = serviceMs
      moved(row)
    },
    setCapacity(row, capacity) {
      const change = Number(capacity > 0) - Number(rows.capacity[row]! > 0)
      cells.live[cellOf(arena, row)]! += change
      rows.capacity[row] = capacity
      moved(row)
    },
    running: (row) => rows.running[row]!,
    serviceMs: (row) => rows.serviceMs[row]!,
    isFree: (row) => rows.running[row]! < rows.capacity[row]!,
    best(model, tokens, speedWeight, maxTick, columns) {
      if (model >= shelves.models) return NO_ROW
      const row = columns
        ? bestOfColumns(arena, prices, model, tokens, speedWeight, maxTick, columns)
        : bestOfAll(arena, prices, model, tokens, speedWeight, maxTick)
      return row === NONE ? NO_ROW : row
    },
    hide(row) {
      const lane = rows.lane[row]!
      settle(arena, lane, FULL + tieAt(arena, lane), row, row)
    },
    show: moved,
    lowestTick: (model, columns) =>
      model < shelves.models ? lowestTick(arena, model, columns) : -1,
    withPlaces(model, tick, column) {
      const band = model < shelves.models ? shelves.band[model * TICKS + tick]! : NONE
      if (band === NONE || column >>> shelves.columnBits[model]! !== 0) return 0
      return cells.live[band + column]!
    },
    get bytes() {
      return bytesOf(arena)
    },
  }
}

function add(arena: Arena, slot: IndexedSlot): number {
  const { rows, cells, shelves } = arena
  reserveModel(shelves, slot.model)
  while (slot.column >>> shelves.columnBits[slot.model]! !== 0) widen(arena, slot.model)
  const shelf = slot.model * TICKS + slot.tick
  if (shelves.band[shelf] === NONE) {
    shelves.band[shelf] = newBand(cells, shelves.columnBits[slot.model]!, shelf)
  }
  shelves.size[shelf]!++
  const cell = shelves.band[shelf]! + slot.column
  if (slot.capacity > 0) cells.live[cell]!++
  const row = newRow(rows)
  rows.running[row] = slot.running
  rows.capacity[row] = slot.capacity
  rows.serviceMs[row] = slot.serviceMs
  const lane = attach(arena, cell)
  rows.lane[row] = lane
  settle(arena, lane, keyOf(arena, row, slot.tie), row, NONE)
  return row
}

function remove(arena: Arena, row: number): void {
  const { rows, cells, shelves } = arena
  const cell = cellOf(arena, row)
  const shelf = cells.shelf[cell]!
  if (rows.capacity[row]! > 0) cells.live[cell]!--
  detach(arena, cell, rows.lane[row]!, row)
  freeRow(rows, row)
  shelves.size[shelf]!--
  if (shelves.size[shelf] !== 0) return
  freeBand(cells, shelves.columnBits[Math.floor(shelf / TICKS)]!, shelves.band[shelf]!)
  shelves.band[shelf] = NONE
}

/** Doubles the columns of a model: its bands move to longer ones. */
function widen(arena: Arena, model: number): void {
  const { cells, shelves } = arena
  const bits = shelves.columnBits[model]!
  for (let shelf = model * TICKS; shelf < (model + 1) * TICKS; shelf++) {
    const band = shelves.band[shelf]!
    if (band === NONE) continue
    const wider = newBand(cells, bits + 1, shelf)
    for (let column = 0; column < 1 << bits; column++)
      moveCell(arena, band + column, wider + column)
    freeBand(cells, bits, band)
    shelves.band[shelf] = wider
  }
  shelves.columnBits[model] = bits + 1
}

function moveCell({ cells, nodes }: Arena, from: number, to: number): void {
  cells.key[to] = cells.key[from]!
  cells.who[to] = cells.who[from]!
  cells.live[to] = cells.live[from]!
  const root = cells.root[from]!
  cells.root[to] = root
  if (root !== NONE) nodes.parent[root] = ROOT + to
  cells.open.copyWithin(to * LEVELS, from * LEVELS, (from + 1) * LEVELS)
  if (cells.key[to]! < FULL) cells.free[to >>> 5]! |= 1 << (to & 31)
  cells.free[from >>> 5]! &= ~(1 << (from & 31))
}

function cellOf({ rows, nodes }: Arena, row: number): number {
  let up = rows.lane[row]!
  while (up < ROOT) up = nodes.parent[up >>> 4]!
  return up - ROOT
}

function keyOf({ rows }: Arena, row: number, tie: number): number {
  const running = rows.running[row]!
  if (running >= rows.capacity[row]!) return FULL + tie
  return waitOf(running, rows.serviceMs[row]!) * TWO_32 + tie
}

/** The low 32 bits of a key: it keeps its tie whether the slot is free or not. */
function tieAt({ nodes }: Arena, lane: number): number {
  const key = nodes.key[lane]!
  return key - Math.floor(key / TWO_32) * TWO_32
}
