/**
 * The slow twin, and the reference for every fill: look at each slot of the model, column by column
 * of typed arrays. Slots of a model lie densely in rows, so that the scan reads forward only.
 * @module
 */
import {
  admits,
  type Contender,
  type ContenderFactory,
  type JobSpec,
  MOST_TOKENS,
  type Setup,
  type SlotSpec,
  waitOf,
} from '../contender.ts'

export const SCAN: ContenderFactory = { name: 'scan', rule: 'exact', create: createScan }

/** Rows that a model starts with; they double. */
const FIRST_ROWS = 16

interface Rows {
  count: number
  slot: Int32Array
  column: Uint8Array
  tick: Uint8Array
  capacity: Int32Array
  running: Int32Array
  serviceMs: Float64Array
  wait: Float64Array
}

export function createScan({ slots, models, prices, salt }: Setup): Contender {
  const ofModel = Array.from({ length: models }, () => emptyRows())
  const modelOf = new Int16Array(slots).fill(-1)
  const rowOf = new Int32Array(slots)

  function add(slot: number, model: number): void {
    const rows = roomFor(ofModel[model]!)
    ofModel[model] = rows
    const row = rows.count++
    rows.slot[row] = slot
    rows.running[row] = 0
    modelOf[slot] = model
    rowOf[slot] = row
  }

  function remove(slot: number): void {
    const rows = ofModel[modelOf[slot]!]!
    const row = rowOf[slot]!
    const last = --rows.count
    for (const column of columnsOf(rows)) column[row] = column[last]!
    rowOf[rows.slot[row]!] = row
    modelOf[slot] = -1
  }

  function run(rows: Rows, row: number, running: number): void {
    rows.running[row] = running
    rows.wait[row] = waitOf(running, rows.serviceMs[row]!)
  }

  return {
    offer(slot: number, spec: SlotSpec) {
      const known = modelOf[slot]!
      const running = known < 0 ? 0 : ofModel[known]!.running[rowOf[slot]!]!
      if (known !== spec.model) {
        if (known >= 0) remove(slot)
        add(slot, spec.model)
      }
      const rows = ofModel[spec.model]!
      const row = rowOf[slot]!
      rows.column[row] = spec.column
      rows.tick[row] = spec.tick
      rows.capacity[row] = spec.capacity
      rows.serviceMs[row] = spec.serviceMs
      run(rows, row, running)
    },
    leave: remove,
    load(slot, running) {
      run(ofModel[modelOf[slot]!]!, rowOf[slot]!, running)
    },
    place(job) {
      const rows = ofModel[job.model]!
      const row = bestOf(rows, job, prices, salt)
      if (row < 0) return -1
      run(rows, row, rows.running[row]! + 1)
      return rows.slot[row]!
    },
    finish(slot) {
      const rows = ofModel[modelOf[slot]!]!
      const row = rowOf[slot]!
      run(rows, row, Math.max(rows.running[row]! - 1, 0))
    },
    bytes: () => 0,
  }
}

function bestOf(rows: Rows, job: JobSpec, prices: Float64Array, salt: number): number {
  const { count, slot, column, tick, capacity, running, wait } = rows
  const { maxTick, speedWeight } = job
  const tokens = Math.min(job.tokens, MOST_TOKENS)
  let best = -1
  let bestScore = Number.POSITIVE_INFINITY
  let bestWait = 0
  for (let row = 0; row < count; row++) {
    if (running[row]! >= capacity[row]! || tick[row]! > maxTick) continue
    const score = prices[tick[row]!]! * tokens + speedWeight * wait[row]!
    if (score > bestScore || !admits(job, column[row]!)) continue
    if (score === bestScore) {
      if (wait[row]! > bestWait) continue
      if (wait[row]! === bestWait && (slot[row]! ^ salt) >>> 0 > (slot[best]! ^ salt) >>> 0)
        continue
    }
    best = row
    bestScore = score
    bestWait = wait[row]!
  }
  return best
}

function emptyRows(): Rows {
  return {
    count: 0,
    slot: new Int32Array(FIRST_ROWS),
    column: new Uint8Array(FIRST_ROWS),
    tick: new Uint8Array(FIRST_ROWS),
    capacity: new Int32Array(FIRST_ROWS),
    running: new Int32Array(FIRST_ROWS),
    serviceMs: new Float64Array(FIRST_ROWS),
    wait: new Float64Array(FIRST_ROWS),
  }
}

const columnsOf = (rows: Rows) =>
  [
    rows.slot,
    rows.column,
    rows.tick,
    rows.capacity,
    rows.running,
    rows.serviceMs,
    rows.wait,
  ] as const

function roomFor(rows: Rows): Rows {
  if (rows.count < rows.slot.length) return rows
  const twice = <Column extends { set(from: Column): void; length: number }>(
    from: Column,
    Kind: new (length: number) => Column,
  ): Column => {
    const column = new Kind(2 * from.length)
    column.set(from)
    return column
  }
  return {
    count: rows.count,
    slot: twice(rows.slot, Int32Array),
    column: twice(rows.column, Uint8Array),
    tick: twice(rows.tick, Uint8Array),
    capacity: twice(rows.capacity, Int32Array),
    running: twice(rows.running, Int32Array),
    serviceMs: twice(rows.serviceMs, Float64Array),
    wait: twice(rows.wait, Float64Array),
  }
}
