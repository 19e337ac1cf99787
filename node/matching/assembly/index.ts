/**
 * AssemblyScript. The slot index of `../index/treeIndex.ts`, call by call; `../index/wasmIndex.ts`
 * loads it. `npm run compile:wasm` compiles it, a test compares.
 * @module
 */
import {
  bytes as bytesOf,
  CELL,
  CELL_LIVE,
  CELL_OPEN,
  CELL_ROOT,
  CELL_SHELF,
  CELL_WHO,
  cellAt,
  cellBits,
  cells,
  COLUMNS,
  freeBand,
  freeRow,
  FULL,
  LEVELS,
  MODEL_BAND,
  MODEL_BITS,
  MODEL_FREE,
  MODEL_SIZE,
  MODEL_WHO,
  modelAt,
  modelCount,
  MOST_WAIT,
  newBand,
  newRow,
  headAt,
  NONE,
  PRICES,
  reserveModel,
  ROOT,
  ROW_CAPACITY,
  ROW_LANE,
  ROW_RUNNING,
  rowAt,
  TICKS,
  TWO_32,
} from './arena'
export { bestOfAll, bestOfColumns, lowestTick } from './best'
import { attach, detach, keyAt, setBit, settle } from './nodes'

export function pricesAt(): usize {
  return PRICES
}

export function columnsAt(): usize {
  return COLUMNS
}

export function add(
  model: u32,
  column: u32,
  tick: u32,
  tie: u32,
  running: u32,
  capacity: u32,
  serviceMs: f64,
): u32 {
  reserveModel(model)
  while (column >> load<u32>(modelAt(model), MODEL_BITS) != 0) widen(model)
  const shelf = modelAt(model) + <usize>(tick << 2)
  if (load<u32>(shelf, MODEL_BAND) == NONE) {
    const band = newBand(load<u32>(modelAt(model), MODEL_BITS), model * TICKS + tick)
    store<u32>(shelf, band, MODEL_BAND)
  }
  store<u32>(shelf, load<u32>(shelf, MODEL_SIZE) + 1, MODEL_SIZE)
  const cell = load<u32>(shelf, MODEL_BAND) + column
  if (capacity > 0) addLive(cell, 1)
  const row = newRow()
  const lane = attach(cell, 0)
  const at = rowAt(row) // only now: new nodes move the rows
  store<f64>(at, serviceMs)
  store<u32>(at, running, ROW_RUNNING)
  store<u32>(at, capacity, ROW_CAPACITY)
  store<u32>(at, lane, ROW_LANE)
  settle(lane, keyOf(at, <f64>tie), row, NONE)
  return row
}

export function remove(row: u32): void {
  const at = rowAt(row)
  const cell = cellOf(at)
  const shelf = load<u32>(cellAt(cell), CELL_SHELF)
  if (load<u32>(at, ROW_CAPACITY) > 0) addLive(cell, -1)
  detach(cell, load<u32>(at, ROW_LANE), row)
  freeRow(row)
  const model = modelAt(shelf / TICKS)
  const here = model + <usize>(shelf % TICKS << 2)
  const left = load<u32>(here, MODEL_SIZE) - 1
  store<u32>(here, left, MODEL_SIZE)
  if (left != 0) return
  freeBand(load<u32>(model, MODEL_BITS), load<u32>(here, MODEL_BAND))
  store<u32>(here, NONE, MODEL_BAND)
}

export function start(row: u32): void {
  const at = rowAt(row)
  store<u32>(at, load<u32>(at, ROW_RUNNING) + 1, ROW_RUNNING)
  moved(row)
}

export function finish(row: u32): void {
  const at = rowAt(row)
  const running = load<u32>(at, ROW_RUNNING)
  if (running == 0) return
  store<u32>(at, running - 1, ROW_RUNNING)
  moved(row)
}

export function setRunning(row: u32, running: u32): void {
  store<u32>(rowAt(row), running, ROW_RUNNING)
  moved(row)
}

export function setServiceMs(row: u32, serviceMs: f64): void {
  store<f64>(rowAt(row), serviceMs)
  moved(row)
}

export function setCapacity(row: u32, capacity: u32): void {
  const at = rowAt(row)
  addLive(cellOf(at), i32(capacity > 0) - i32(load<u32>(at, ROW_CAPACITY) > 0))
  store<u32>(at, capacity, ROW_CAPACITY)
  moved(row)
}

export function running(row: u32): u32 {
  return load<u32>(rowAt(row), ROW_RUNNING)
}

export function serviceMs(row: u32): f64 {
  return load<f64>(rowAt(row))
}

export function isFree(row: u32): bool {
  const at = rowAt(row)
  return load<u32>(at, ROW_RUNNING) < load<u32>(at, ROW_CAPACITY)
}

export function hide(row: u32): void {
  const lane = load<u32>(rowAt(row), ROW_LANE)
  settle(lane, FULL + tieAt(lane), row, row)
}

export function show(row: u32): void {
  moved(row)
}

export function withPlaces(model: u32, tick: u32, column: u32): u32 {
  if (model >= modelCount) return 0
  const at = modelAt(model)
  const band = load<u32>(at + <usize>(tick << 2), MODEL_BAND)
  if (band == NONE || column >> load<u32>(at, MODEL_BITS) != 0) return 0
  return load<u32>(cellAt(band + column), CELL_LIVE)
}

export function bytes(): u32 {
  return <u32>bytesOf()
}

@inline
function moved(row: u32): void {
  const at = rowAt(row)
  const lane = load<u32>(at, ROW_LANE)
  settle(lane, keyOf(at, tieAt(lane)), row, row)
}

@inline
function keyOf(at: usize, tie: f64): f64 {
  const running = load<u32>(at, ROW_RUNNING)
  if (running >= load<u32>(at, ROW_CAPACITY)) return FULL + tie
  // Halves up, like Math.round; f64.nearest would go to the even neighbour.
  const product = <f64>running * load<f64>(at)
  const whole = floor(product)
  const wait = product - whole >= 0.5 ? whole + 1 : whole
  return (wait < MOST_WAIT ? wait : MOST_WAIT) * TWO_32 + tie
}

@inline
function tieAt(lane: u32): f64 {
  return <f64>(<u32>(<u64>load<f64>(keyAt(lane))))
}

function cellOf(at: usize): u32 {
  let up = load<u32>(at, ROW_LANE)
  while (up < ROOT) up = load<u32>(headAt(up >> 4))
  return up - ROOT
}

function addLive(cell: u32, change: i32): void {
  const at = cellAt(cell)
  store<u32>(at, load<u32>(at, CELL_LIVE) + change, CELL_LIVE)
}

/** Doubles the columns of a model: its bands move to longer ones. */
function widen(model: u32): void {
  const bits = load<u32>(modelAt(model), MODEL_BITS)
  for (let tick: u32 = 0; tick < TICKS; tick++) {
    const here = modelAt(model) + <usize>(tick << 2)
    const band = load<u32>(here, MODEL_BAND)
    if (band == NONE) continue
    const wider = newBand(bits + 1, model * TICKS + tick)
    for (let column: u32 = 0; column < <u32>(1 << bits); column++) {
      moveCell(band + column, wider + column)
    }
    freeBand(bits, band)
    store<u32>(here, wider, MODEL_BAND)
  }
  store<u32>(modelAt(model), bits + 1, MODEL_BITS)
}

function moveCell(from: u32, to: u32): void {
  const old = cellAt(from)
  const at = cellAt(to)
  store<f64>(at, load<f64>(old))
  store<u32>(at, load<u32>(old, CELL_WHO), CELL_WHO)
  store<u32>(at, load<u32>(old, CELL_LIVE), CELL_LIVE)
  const root = load<u32>(old, CELL_ROOT)
  store<u32>(at, root, CELL_ROOT)
  if (root != NONE) store<u32>(headAt(root), ROOT + to)
  memory.copy(at + CELL_OPEN, old + CELL_OPEN, <usize>(LEVELS << 2))
  setBit(cellBits, to, load<f64>(at) < FULL)
  setBit(cellBits, from, false)
}
