/**
 * The slot index against its slow twin: random slots, jobs and churn, every answer equal. The same
 * events for the plain index and for the WebAssembly build.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { type SlotIndex, waitOf } from '../../../node/matching/index/slotIndex.ts'
import { treeIndex } from '../../../node/matching/index/treeIndex.ts'
import { wasmIndex } from '../../../node/matching/index/wasmIndex.ts'
import { dice, PRICES } from './harness.ts'
import { scanIndex } from './scanIndex.ts'

const prices = Float64Array.from(PRICES, Number)
/** Steps of each world; `MATCH_STEPS` for a campaign. */
const STEPS = Number(process.env.MATCH_STEPS ?? 5_000)

interface World {
  readonly name: string
  readonly slots: number
  readonly models: number
  readonly columns: number
  readonly ticks: number
  readonly salt: number
}

const WORLDS: readonly World[] = [
  { name: 'one class', slots: 60, models: 1, columns: 1, ticks: 4, salt: 0 },
  { name: 'one tick, deep', slots: 700, models: 1, columns: 1, ticks: 1, salt: 0xdeadbeef },
  { name: 'many classes', slots: 150, models: 2, columns: 70, ticks: 5, salt: 7 },
  { name: 'many models', slots: 120, models: 30, columns: 9, ticks: 96, salt: 0xffffffff },
]
const INDEXES: Readonly<Record<string, (prices: Float64Array) => SlotIndex>> = {
  'plain TypeScript': treeIndex,
  WebAssembly: wasmIndex,
}

describe.each(Object.entries(INDEXES))('%s', (_, make) => {
  it.each(WORLDS)('answers like the scan: $name', (world) => {
    const seen = play(make(prices), world, 11, STEPS)
    expect(seen.found).toBeGreaterThan(STEPS / 10)
    expect(seen.none).toBeGreaterThan(0)
  })

  it('reuses what slots leave behind', () => {
    const index = make(prices)
    const fill = (): number[] =>
      Array.from({ length: 3_000 }, (_, tie) => index.add({ ...slot(tie), model: tie % 7 }))
    const round = (): void => {
      for (const row of fill()) index.remove(row)
    }
    round()
    const before = index.bytes
    for (let again = 0; again < 5; again++) round()
    expect(index.bytes).toBe(before)
    expect(index.best(0, 1, 0, 95)).toBe(-1)
  })

  it('takes at most 2 MB for 1,000 slots of 100 models in 64 classes, numbered by model', () => {
    const index = make(prices)
    const roll = dice(5)
    const classes = Array.from({ length: 100 }, () => new Map<number, number>())
    for (let tie = 0; tie < 1_000; tie++) {
      const model = roll(100)
      const kind = roll(64)
      const columns = classes[model]!
      const column = columns.get(kind) ?? columns.size
      columns.set(kind, column)
      index.add({ ...slot(tie), model, column, tick: 20 + roll(50) })
    }
    expect(index.bytes).toBeLessThan(2_000_000)
  })

  it('knows no model that it was not told of, and no column', () => {
    const index = make(prices)
    expect(index.best(3, 1, 0, 95)).toBe(-1)
    expect(index.withPlaces(3, 0, 0)).toBe(0)
    const row = index.add(slot(0))
    expect(index.withPlaces(0, 40, 0)).toBe(1)
    expect(index.withPlaces(0, 40, 9)).toBe(0)
    expect(index.best(0, 1, 0, 39)).toBe(-1)
    expect(index.best(0, 1, 0, 40)).toBe(row)
    expect(index.best(0, 1, 0, 2 ** 31 - 1)).toBe(row)
  })
})

describe('waitOf', () => {
  it('rounds halves up and ends at its bound', () => {
    expect([waitOf(1, 0.5), waitOf(3, 0.5), waitOf(1, 0.49999999999999994)]).toEqual([1, 2, 0])
    expect([waitOf(2 ** 31, 2 ** 52), waitOf(0, 1e300)]).toEqual([2 ** 20 - 1, 0])
  })
})

const slot = (tie: number) => ({
  model: 0,
  column: 0,
  tick: 40,
  tie,
  running: 0,
  capacity: 2,
  serviceMs: 100,
})

/** Drives an index and the scan by the same random calls and compares every answer. */
function play(index: SlotIndex, world: World, seed: number, steps: number) {
  const roll = dice(seed)
  const scan = scanIndex(prices)
  const live: { row: number; twin: number }[] = []
  const seen = { found: 0, none: 0 }
  let appeared = 0
  const services = [0, 90, 90.5, 33.333, 1e6, 0.49999999999999994]
  const change = [
    () => {
      if (live.length >= world.slots) return
      const fresh = {
        model: roll(world.models),
        column: roll(world.columns),
        tick: Math.floor((roll(world.ticks) * 95) / world.ticks),
        tie: (appeared++ ^ world.salt) >>> 0,
        running: roll(3),
        capacity: roll(4),
        serviceMs: services[roll(services.length)]!,
      }
      live.push({ row: index.add(fresh), twin: scan.add(fresh) })
    },
    () => {
      if (live.length < world.slots / 2) return
      const [gone] = live.splice(roll(live.length), 1)
      index.remove(gone!.row)
      scan.remove(gone!.twin)
    },
    () => both((each, row) => each.setRunning(row, running)),
    () => both((each, row) => each.setCapacity(row, running)),
    () => both((each, row) => each.setServiceMs(row, service)),
    () => both((each, row) => each.finish(row)),
    () => both((each, row) => each.finish(row)),
  ]
  let running = 0
  let service = 0
  const both = (call: (each: SlotIndex, row: number) => void): void => {
    const one = live[roll(Math.max(1, live.length))]
    if (!one) return
    running = roll(5)
    service = services[roll(services.length)]!
    call(index, one.row)
    call(scan, one.twin)
  }
  const ask = (where: string): void => {
    const model = roll(world.models)
    const words = Math.ceil(world.columns / 32)
    const mask = Uint32Array.from({ length: words }, () => roll(2 ** 32) & roll(2 ** 32))
    const job = [
      model,
      [0, 1, 200, 65_536][roll(4)]!,
      [0, 0, 1_000, 10 ** 6, 2 ** 31 - 1][roll(5)]!,
      roll(3) === 0 ? roll(96) : 95,
      roll(3) === 0 ? mask : undefined,
    ] as const
    const twin = scan.best(...job)
    const row = index.best(...job)
    const found = live.find((one) => one.row === row)
    if (roll(16) === 0)
      expect(index.lowestTick(model, job[4]), where).toBe(scan.lowestTick(model, job[4]))
    expect(found?.twin ?? -1, where).toBe(twin)
    if (!found) {
      seen.none++
      return
    }
    seen.found++
    expect(index.isFree(row), where).toBe(true)
    expect(index.running(row), where).toBe(scan.running(twin))
    expect(index.serviceMs(row), where).toBe(scan.serviceMs(twin))
    if (roll(8) !== 0) {
      index.start(row)
      scan.start(twin)
      return
    }
    index.hide(row)
    scan.hide(twin)
    const next = scan.best(...job)
    const other = live.find((one) => one.row === index.best(...job))
    expect(other?.twin ?? -1, `${where} hidden`).toBe(next)
    index.show(row)
    scan.show(twin)
  }
  for (let step = 0; step < steps; step++) {
    const where = `${world.name} seed ${seed} step ${step}`
    if (roll(3) === 0) change[roll(change.length)]!()
    else ask(where)
    if (step % 64 !== 0) continue
    const [model, tick, column] = [roll(world.models), roll(96), roll(world.columns)]
    expect(index.withPlaces(model, tick, column)).toBe(scan.withPlaces(model, tick, column))
  }
  return seen
}
