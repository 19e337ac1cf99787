/**
 * The state from which all start: 60 % of the places taken, as the rule itself would take them.
 *
 * Filling a million slots takes millions of placings, which slow contenders could not do. So one
 * contender fills the fleet by the rule and runs on until most of the jobs have been replaced;
 * what runs where is then told to everyone by `load`.
 * @module
 */
import { generator } from '../../../node/matching/random.ts'
import { type Contender, type ContenderFactory, TICKS } from './contender.ts'
import { blankSpec, dice } from './fleet.ts'
import { blankJob, jobsOf, readJob } from './jobs.ts'
import type { Workload } from './workload.ts'

/** Jobs that follow the filling, as a share of those in flight. */
const TURNOVER = 0.5
/** Jobs drawn for filling; they repeat. */
const MOST_JOBS = 2 ** 18

export interface Settled {
  /** By slot. */
  readonly running: Int32Array
  /** Slots of the jobs in flight; -1 where a job found no place. */
  readonly ring: Int32Array
}

export async function settle(work: Workload, filler: ContenderFactory): Promise<Settled> {
  const { inFlight, setup } = work
  const contender = await filler.create(setup)
  const running = new Int32Array(setup.slots)
  offerAll(contender, work, running)
  const steps = Math.round(inFlight * (1 + TURNOVER))
  // Other jobs than those of the race, of the same kind.
  const drawn = Math.min(steps, MOST_JOBS)
  const jobs = jobsOf(setup, drawn, dice(generator(work.seed + 1)))
  const order = shuffled(inFlight, work.seed)
  const ring = new Int32Array(inFlight).fill(-1)
  const job = blankJob()
  for (let step = 0; step < steps; step++) {
    const place = step < inFlight ? step : order[step - inFlight]!
    const ending = ring[place]!
    if (ending >= 0) {
      contender.finish(ending)
      running[ending]!--
    }
    readJob(jobs, step % drawn, job)
    let slot = contender.place(job)
    if (slot < 0) {
      // Those that find no place would wait; here the next in line takes anything.
      job.maxTick = TICKS - 1
      job.eligibleLow = job.eligibleHigh = -1
      slot = contender.place(job)
    }
    ring[place] = slot
    if (slot >= 0) running[slot]!++
  }
  return { running, ring }
}

/** Tells a contender the fleet, or the first so many slots of it, and what runs there. */
export function offerAll(
  contender: Contender,
  { fleet }: Workload,
  running: Int32Array,
  most = fleet.count,
): void {
  const spec = blankSpec()
  for (let slot = 0; slot < most; slot++) {
    fleet.readInto(slot, spec)
    contender.offer(slot, spec)
    if (running[slot]! > 0) contender.load(slot, running[slot]!)
  }
}

/** 0 to `count - 1` in an order by seed. */
function shuffled(count: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i)
  const draw = generator(seed)
  for (let i = count - 1; i > 0; i--) {
    const other = draw(i + 1)
    const held = order[i]!
    order[i] = order[other]!
    order[other] = held
  }
  return order
}
