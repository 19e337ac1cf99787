/**
 * The contenders of the matching benchmark answer the same question: each gives the fills of its
 * rule's plain scan, and the exact rule's scan those of the matching core itself.
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { Decision, MatchEvent } from '../../../node/matching/events.ts'
import { createMatcher } from '../../../node/matching/matcher.ts'
import {
  admits,
  type Contender,
  type ContenderFactory,
  type Setup,
  type SlotSpec,
} from '../../bench/matching/contender.ts'
import { IN_PROCESS } from '../../bench/matching/contenders/all.ts'
import { COCOON } from '../../bench/matching/contenders/cocoon.ts'
import { FLATQUEUE } from '../../bench/matching/contenders/flatqueue.ts'
import { PRICE_TIME_SCAN } from '../../bench/matching/contenders/priceTime.ts'
import { SCAN } from '../../bench/matching/contenders/scan.ts'
import { courseOf, run } from '../../bench/matching/loop.ts'
import { offerAll, type Settled, settle } from '../../bench/matching/settle.ts'
import { CHANGE, type Shape, type Workload, workload } from '../../bench/matching/workload.ts'
import { dice, PRICES } from './harness.ts'

const SEED = 77
const STEPS = 20_000

interface Case {
  readonly work: Workload
  readonly settled: Settled
}

async function caseOf(shape: Shape, slots: number, steps = STEPS): Promise<Case> {
  const work = workload({ shape, slots, steps, seed: SEED })
  return { work, settled: await settle(work, FLATQUEUE) }
}

async function fillsOf(factory: ContenderFactory, { work, settled }: Case): Promise<Int32Array> {
  const contender = await factory.create(work.setup)
  offerAll(contender, work, settled.running)
  const course = courseOf(contender, work, settled.ring)
  run(course, work.steps)
  return course.fills
}

/**
 * Fills of a small fleet at the lowest two ticks, where a step of price is a millisecond of wait to
 * some jobs, so that scores are equal across ticks; with waits at their bound, loads above the
 * capacity, capacities of 0, tokens about their cap, and the classes at the ends of the masks.
 */
async function awkward(factory: ContenderFactory): Promise<Int32Array> {
  const roll = dice(SEED)
  const any = <Value>(...values: readonly Value[]): Value => values[roll(values.length)]!
  const prices = Float64Array.from(PRICES, Number)
  const step = prices[1]! - prices[0]!
  const setup = { slots: 24, models: 2, columns: 64, prices, salt: 0x9e3779b9 }
  const contender = await factory.create(setup)
  const present = new Set<number>()
  return Int32Array.from({ length: 6_000 }, () => {
    const slot = roll(setup.slots)
    const change = roll(8)
    if (!present.has(slot) || change === 0) {
      present.add(slot)
      contender.offer(slot, {
        model: roll(2),
        column: any(0, 31, 32, 63),
        provider: 0,
        tick: roll(2),
        capacity: any(0, 1, 2, 3),
        serviceMs: any(0, 0.5, 1, 1, 1, 2 ** 21),
      })
    } else if (change === 1) {
      contender.leave(slot)
      present.delete(slot)
    } else if (change === 2) contender.load(slot, roll(5))
    else contender.finish(slot)
    return contender.place({
      model: roll(2),
      maxTick: any(0, 1, 95),
      tokens: any(1, 1, 2, 65_535, 65_536, 65_537),
      speedWeight: any(0, step, 2 * step, 65_536, 2 ** 31 - 1),
      eligibleLow: any(-1, -1, 1, 1 << 31, 0),
      eligibleHigh: any(-1, -1, 1, 1 << 31, 0),
    })
  })
}

/** Counts rather than compares arrays: a difference of thousands need not be printed. */
function differing(a: Int32Array, b: Int32Array): number {
  return a.reduce((sum, slot, step) => sum + (slot === b[step] ? 0 : 1), 0)
}

const others = (rule: string) =>
  IN_PROCESS.filter((each) => each.rule === rule && each !== SCAN && each !== PRICE_TIME_SCAN)

const exact = others('exact')

describe.each([
  ['one', 300],
  ['models', 600],
  ['classes', 400],
] as const)(`shape %s of %i slots, seed ${SEED}`, (shape, slots) => {
  const prepared = caseOf(shape, slots)
  const reference = prepared.then((each) => fillsOf(SCAN, each))

  it.each(exact)('$name gives the fills of the scan', async (factory) => {
    expect(differing(await fillsOf(factory, await prepared), await reference)).toBe(0)
  })

  it('keeps most places taken and most jobs placed', async () => {
    const { work, settled } = await prepared
    const fills = await reference
    const taken = settled.running.reduce((sum, each) => sum + each, 0)
    expect(taken / work.places).toBeGreaterThan(0.5)
    expect(taken / work.places).toBeLessThanOrEqual(0.61)
    expect(fills.filter((slot) => slot < 0).length / fills.length).toBeLessThan(0.15)
    expect(new Set(work.churn.kind)).toEqual(new Set(Object.values(CHANGE)))
  })
})

describe(`where almost everything ties, at every bound, seed ${SEED}`, () => {
  it.each(exact)('$name gives the fills of the scan', async (factory) => {
    expect(differing(await awkward(factory), await awkward(SCAN))).toBe(0)
  })

  it('is not decided by price and wait alone', async () => {
    const other = { ...SCAN, create: (setup: Setup) => SCAN.create({ ...setup, salt: 0 }) }
    expect(differing(await awkward(other), await awkward(SCAN))).toBeGreaterThan(500)
  })
})

describe.each(['one', 'models'] as const)(`shape %s, seed ${SEED}, by price and time`, (shape) => {
  it.each(others('price-time'))('$name gives the fills of its scan', async (factory) => {
    const prepared = await caseOf(shape, 200, 3_000)
    const reference = await fillsOf(PRICE_TIME_SCAN, prepared)
    expect(differing(await fillsOf(factory, prepared), reference)).toBe(0)
  })
})

describe('the comparison', () => {
  it('finds a contender that breaks ties another way', async () => {
    const wrong: ContenderFactory = {
      ...SCAN,
      create: (setup: Setup) => SCAN.create({ ...setup, salt: ~setup.salt >>> 0 }),
    }
    const prepared = await caseOf('one', 300)
    expect(differing(await fillsOf(wrong, prepared), await fillsOf(SCAN, prepared))).not.toBe(0)
  })

  it.each([SCAN, PRICE_TIME_SCAN, COCOON])(
    '$name starts no job where it may not',
    async (factory) => {
      const prepared = await caseOf('classes', 200, 2_000)
      // The order book's rule knows no classes.
      const watched = { ...factory, create: watch(factory, factory.rule !== 'price-time') }
      const fills = await fillsOf(watched, prepared)
      expect(fills.filter((slot) => slot >= 0).length).toBeGreaterThan(1_000)
    },
  )

  it('has a scan that decides like the matching core', async () => {
    const { work, settled } = await caseOf('classes', 120, 4_000)
    const core: ContenderFactory = { ...SCAN, create: coreContender }
    const mine = await fillsOf(SCAN, { work, settled })
    expect(differing(await fillsOf(core, { work, settled }), mine)).toBe(0)
  })
})

/** A contender that throws where the one inside starts what does not fit. */
function watch(factory: ContenderFactory, classes: boolean) {
  return async (setup: Setup): Promise<Contender> => {
    const inner = await factory.create(setup)
    const specs = new Map<number, SlotSpec>()
    const running = new Map<number, number>()
    const add = (slot: number, by: number): void =>
      void running.set(slot, Math.max(0, (running.get(slot) ?? 0) + by))
    return {
      ...inner,
      offer(slot, spec) {
        specs.set(slot, { ...spec })
        inner.offer(slot, spec)
      },
      leave(slot) {
        specs.delete(slot)
        running.delete(slot)
        inner.leave(slot)
      },
      load(slot, count) {
        running.set(slot, count)
        inner.load(slot, count)
      },
      place(job) {
        const slot = inner.place(job)
        if (slot < 0) return slot
        const spec = specs.get(slot)
        const fits =
          spec !== undefined &&
          spec.model === job.model &&
          spec.tick <= job.maxTick &&
          (running.get(slot) ?? 0) < spec.capacity &&
          (!classes || admits(job, spec.column))
        if (!fits) throw new Error(`slot ${slot} does not fit`)
        add(slot, 1)
        return slot
      },
      finish(slot) {
        add(slot, -1)
        inner.finish(slot)
      },
    }
  }
}

/**
 * The matching core by its own door: classes are GPU names, and nobody waits. Slots are first
 * offered in order, so that their indexes are their numbers; and they do not leave but drain,
 * empty, because to the core one that returned would be another slot, with another place in ties.
 */
function coreContender({ salt, slots }: Setup): Contender {
  const matcher = createMatcher({ prices: PRICES, salt, queueLimit: 0 })
  const running = new Int32Array(slots)
  let count = 0
  const tell = (event: MatchEvent): Decision[] => {
    const decisions: Decision[] = []
    matcher.apply(event, decisions)
    return decisions
  }
  const load = (slot: number, jobs: number): void => {
    running[slot] = jobs
    tell({ type: 'load', slot: `${slot}`, running: jobs })
  }
  return {
    load,
    offer(slot, { model, column, tick, capacity, serviceMs }) {
      const kind = { model: `m${model}`, gpu: `g${column}` }
      tell({ type: 'offer', slot: `${slot}`, ...kind, tick, capacity, serviceMs })
    },
    leave(slot) {
      tell({ type: 'drain', slot: `${slot}` })
      load(slot, 0)
    },
    place(job) {
      const gpus = Array.from({ length: 64 }, (_, column) => column)
        .filter((column) => admits(job, column))
        .map((column) => `g${column}`)
      const { maxTick, tokens: expectedTokens, speedWeight } = job
      const wants = { gpus, maxTick, expectedTokens, speedWeight }
      const [decision] = tell({ type: 'job', id: `${count++}`, model: `m${job.model}`, ...wants })
      if (!decision || !('slot' in decision)) return -1
      const slot = Number(decision.slot)
      running[slot]!++
      return slot
    },
    finish: (slot) => load(slot, Math.max(running[slot]! - 1, 0)),
    bytes: () => 0,
  }
}
