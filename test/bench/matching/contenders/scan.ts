/**
 * The slow twin, and the reference for every fill: look at each slot of the model, in columns of
 * typed arrays. Slots of a model lie densely in rows, and a full one waits for ever, so that the
 * scan reads two columns forward and looks closer only at what would be the best so far.
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
  /** Of the tick. */
  price: Float64Array
  /** Infinite without a free place. */
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
    rows.slot[row] = rows.slot[last]!
    rows.column[row] = rows.column[last]!
    rows.tick[row] = rows.tick[last]!
    rows.capacity[row] = rows.capacity[last]!
    rows.running[row] = rows.running[last]!
    rows.serviceMs[row] = rows.serviceMs[last]!
    rows.price[row] = rows.price[last]!
    rows.wait[row] = rows.wait[last]!
    rowOf[rows.slot[row]!] = row
    modelOf[slot] = -1
  }

  function run(rows: Rows, row: number, running: number): void {
    rows.running[row] = running
    const free = running < rows.capacity[row]!
    rows.wait[row] = free ? waitOf(running, rows.serviceMs[row]!) : Number.POSITIVE_INFINITY
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
      rows.price[row] = prices[spec.tick]!
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
      const row = bestOf(rows, job, salt)
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

function bestOf(rows: Rows, job: JobSpec, salt: number): number {
  const { count, slot, column, tick, price, wait } = rows
  const { maxTick, speedWeight } = job
  const tokens = Math.min(job.tokens, MOST_TOKENS)
  let best = -1
  let bestScore = Number.MAX_VALUE
  let bestWait = 0
  for (let row = 0; row < count; row++) {
    const score = price[row]! * tokens + speedWeight * wait[row]!
    // Written so as to pass over NaN too: nothing paid for speed, and full.
    if (!(score <= bestScore)) continue
    if (tick[row]! > maxTick || !admits(job, column[row]!)) continue
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
    price: new Float64Array(FIRST_ROWS),
    wait: new Float64Array(FIRST_ROWS),
  }
}

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
    price: twice(rows.price, Float64Array),
    wait: twice(rows.wait, Float64Array),
  }
}
