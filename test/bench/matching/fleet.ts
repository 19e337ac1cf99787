/**
 * Slots by seed, as columns: capacities 1 to 8, ticks 20 to 70, service times log-normal around
 * 100 ms with fractions, classes even, models by Zipf's law.
 * @module
 */
import type { Draw } from '../../../node/matching/random.ts'
import type { Setup, SlotSpec } from './contender.ts'

const FIRST_TICK = 20
const LAST_TICK = 70
const MEDIAN_SERVICE_MS = 100
const SERVICE_SIGMA = 0.7

export interface Fleet {
  readonly count: number
  readonly capacity: Int32Array
  /** A fresh record of a row. */
  read(row: number): SlotSpec
  /** A row into a record that is reused. */
  readInto(row: number, into: SlotSpec): void
  write(row: number, spec: SlotSpec): void
}

/** Draws of the shapes that the work is made of. */
export interface Dice {
  readonly below: Draw
  /** 0 to 1, without 1. */
  unit(): number
  normal(): number
  logUniform(least: number, most: number): number
  tick(): number
  /** A tick near by, never the same. */
  otherTick(tick: number): number
  model(models: number): number
}

export function dice(below: Draw): Dice {
  const unit = (): number => below(2 ** 32) / 2 ** 32
  const zipf = new Map<number, Float64Array>()
  return {
    below,
    unit,
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
    logUniform: (least, most) => Math.exp(Math.log(least) + unit() * Math.log(most / least)),
    tick: () => FIRST_TICK + below(LAST_TICK - FIRST_TICK + 1),
    otherTick(tick) {
      const step = 1 + below(3)
      if (tick - step < FIRST_TICK) return tick + step
      return tick + step > LAST_TICK || below(2) === 0 ? tick - step : tick + step
    },
    model(models) {
      if (models === 1) return 0
      const sums = zipf.get(models) ?? zipfSums(models)
      zipf.set(models, sums)
      const at = unit() * sums[models - 1]!
      return sums.findIndex((sum) => at < sum)
    },
  }
}

export function randomSpec({ models, columns }: Setup, roll: Dice): SlotSpec {
  return {
    model: roll.model(models),
    column: roll.below(columns),
    provider: roll.below(2 ** 20),
    tick: roll.tick(),
    capacity: 1 + roll.below(8),
    serviceMs: MEDIAN_SERVICE_MS * Math.exp(SERVICE_SIGMA * roll.normal()),
  }
}

export function fleetOf(setup: Setup, count: number, roll: Dice): Fleet {
  const fleet = emptyFleet(count)
  for (let row = 0; row < count; row++) fleet.write(row, randomSpec(setup, roll))
  return fleet
}

/** A record to be reused. Its service time is a fraction, so that the field is made for doubles. */
export function blankSpec(): SlotSpec {
  return { model: 0, column: 0, provider: 0, tick: 0, capacity: 0, serviceMs: 0.5 }
}

function emptyFleet(count: number): Fleet {
  const model = new Int32Array(count)
  const column = new Int32Array(count)
  const provider = new Int32Array(count)
  const tick = new Int32Array(count)
  const capacity = new Int32Array(count)
  const serviceMs = new Float64Array(count)
  const readInto = (row: number, into: SlotSpec): void => {
    into.model = model[row]!
    into.column = column[row]!
    into.provider = provider[row]!
    into.tick = tick[row]!
    into.capacity = capacity[row]!
    into.serviceMs = serviceMs[row]!
  }
  return {
    count,
    capacity,
    readInto,
    read(row) {
      const spec = blankSpec()
      readInto(row, spec)
      return spec
    },
    write(row, spec) {
      model[row] = spec.model
      column[row] = spec.column
      provider[row] = spec.provider
      tick[row] = spec.tick
      capacity[row] = spec.capacity
      serviceMs[row] = spec.serviceMs
    },
  }
}

/** Sums of 1/rank: where a uniform draw falls among them is a model, the first the commonest. */
function zipfSums(models: number): Float64Array {
  let sum = 0
  return Float64Array.from({ length: models }, (_, rank) => {
    sum += 1 / (rank + 1)
    return sum
  })
}
