/**
 * A contender on its course, as the race sees it: something that runs steps and says what they
 * cost. In-process ones here; programs of another language in `native.ts`.
 * @module
 */
import type { ContenderFactory, Rule } from './contender.ts'
import { fresh } from './fresh.ts'
import { courseOf } from './loop.ts'
import { allocatedBytes, clockMs, cpuNs, heldBytes, median } from './measure.ts'
import { offerAll, type Settled } from './settle.ts'
import type { UpdateTimes } from './updates.ts'
import type { Workload } from './workload.ts'

/** Nanoseconds each. */
export interface UpdateCosts {
  readonly repriceNs: number
  readonly loadNs: number
  readonly leaveNs: number
  readonly joinNs: number
}

export interface Racer {
  readonly name: string
  readonly rule: Rule
  /** Held for the whole fleet. */
  readonly bytes: number
  /** Steps done. */
  done(): number
  /** CPU nanoseconds of that many steps. */
  run(steps: number): Promise<number>
  /** Wall nanoseconds of each of that many decisions, the clock's own cost taken off. */
  sample(steps: number): Promise<Float64Array>
  /** Bytes allocated over that many decisions without churn; nothing where that cannot be told. */
  allocated(steps: number): Promise<number | undefined>
  /** Ends the course: no steps may follow. */
  updates(): Promise<UpdateCosts | undefined>
  /** The slot of each step done, -1 where none would do. */
  fills(): Promise<Int32Array>
  stop(): Promise<void>
}

export interface RacerFactory {
  readonly name: string
  readonly rule: Rule
  readonly mostSlots?: number | undefined
  /** Why it cannot take part on this machine. */
  missing?(): string | undefined
  start(work: Workload, settled: Settled): Promise<Racer>
}

/** Slots of a rehearsal. */
const REHEARSED = 64

export function inProcess(factory: ContenderFactory): RacerFactory {
  const { name, rule, mostSlots } = factory
  return { name, rule, mostSlots, start: (work, settled) => start(factory, work, settled) }
}

async function start(factory: ContenderFactory, work: Workload, settled: Settled): Promise<Racer> {
  const { name, rule } = factory
  const loop = await fresh<typeof import('./loop.ts')>('loop.ts', name)
  const { timeUpdates } = await fresh<typeof import('./updates.ts')>('updates.ts', name)
  // Once in small, so that code compiled on first use is not taken for the contender's data.
  offerAll(await factory.create(work.setup), work, settled.running, REHEARSED)
  const before = await heldBytes()
  const contender = await factory.create(work.setup)
  offerAll(contender, work, settled.running)
  const bytes = (await heldBytes()) - before + contender.bytes()
  const clock = clockMs()
  const course = courseOf(contender, work, settled.ring)

  return {
    name,
    rule,
    bytes,
    done: () => course.at,
    run: async (steps) => cpuNs(() => loop.run(course, steps)),
    async sample(steps) {
      const taken = new Float64Array(steps)
      loop.time(course, steps, taken, 0)
      return taken.map((ms) => (ms - clock) * 1e6)
    },
    allocated: async (steps) => allocatedBytes(() => loop.runCalm(course, steps)),
    async updates() {
      const times: UpdateTimes = { repriceNs: [], loadNs: [], leaveNs: [], joinNs: [] }
      timeUpdates(contender, work, times)
      const { repriceNs, loadNs, leaveNs, joinNs } = times
      return {
        repriceNs: median(repriceNs),
        loadNs: median(loadNs),
        leaveNs: median(leaveNs),
        joinNs: median(joinNs),
      }
    },
    fills: async () => course.fills.subarray(0, course.at),
    stop: async () => {},
  }
}
