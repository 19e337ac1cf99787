/**
 * `node test/bench/matching/core.ts [--json]`: jobs per CPU-second through the whole core.
 *
 * Not the index alone but the matcher as the scheduler calls it: event objects checked at the door,
 * names, fairness, the queue, retries after failures, decision objects. A job is its `job` event
 * and the `done` or `fail` that ends it. Idle: places are free and nobody waits. Waiting: a
 * standing backlog, so that every job goes through the queue.
 * @module
 */
import { parseArgs } from 'node:util'
import { tickPrice } from '../../../contracts/money/price.ts'
import type { Decision, EndEvent, JobEvent } from '../../../node/matching/events.ts'
import { treeIndex } from '../../../node/matching/index/treeIndex.ts'
import { wasmIndex } from '../../../node/matching/index/wasmIndex.ts'
import { createMatcher, type Matcher } from '../../../node/matching/matcher.ts'
import { type Draw, generator } from '../../../node/matching/random.ts'
import { cpuNs, median } from './measure.ts'

const SEED = 20_261_127
const ROUNDS = 7
const STEPS = 200_000
/** Jobs that wait in the waiting case. */
const BACKLOG = 1_000
const TENANTS = 100
/** Jobs, over and over: a power of two beyond those that run and wait. */
const JOBS = 2 ** 13
/** Jobs of ours that run while nobody waits, at most; others' jobs take more places. */
const IN_FLIGHT = 2_000
/** Slots with places for us where jobs shall wait. */
const OURS = 400
/** One job in this many fails and is sent again, without the provider that failed it. */
const FAILS = 20
const INDEXES = { WebAssembly: wasmIndex, TypeScript: treeIndex }

export interface CoreFigure {
  readonly slots: number
  readonly case: 'idle' | 'waiting'
  readonly index: string
  /** Jobs per CPU-second, median and spread of the rounds. */
  readonly jobs: number
  readonly least: number
  readonly most: number
}

/** Rounds of all cases of one size are interleaved. */
export function coreFigures(sizes: readonly number[]): CoreFigure[] {
  return sizes.flatMap((slots) => {
    const cases = (['idle', 'waiting'] as const).flatMap((kind) =>
      Object.entries(INDEXES).map(([index, make]) => ({
        figure: { slots, case: kind, index },
        run: play(createMatcher({ prices: PRICES, index: make }), slots, kind === 'waiting'),
        ns: [] as number[],
      })),
    )
    for (const { run } of cases) run(STEPS)
    for (let round = 0; round < ROUNDS; round++) {
      for (const { run, ns } of cases) ns.push(cpuNs(() => run(STEPS)) / STEPS)
    }
    return cases.map(({ figure, ns }) => {
      const per = (each: number): number => Math.round(1e9 / each)
      return {
        ...figure,
        jobs: per(median(ns)),
        least: per(Math.max(...ns)),
        most: per(Math.min(...ns)),
      }
    })
  })
}

export function coreTable(figures: readonly CoreFigure[]): string {
  const lines = figures.map(
    ({ slots, case: kind, index, jobs, least, most }) =>
      `${slots.toLocaleString('en').padStart(9)} slots  ${kind.padEnd(8)} ${index.padEnd(12)}` +
      `${jobs.toLocaleString('en').padStart(10)} jobs a CPU-second (${least.toLocaleString('en')}` +
      ` to ${most.toLocaleString('en')})`,
  )
  return `The whole core (seed ${SEED})\n${lines.join('\n')}\n`
}

const PRICES = Array.from({ length: 96 }, (_, tick) => tickPrice(tick))
const REGIONS = ['eu', 'us', 'asia', 'africa']
const GPUS = ['rtx4090', 'h100', 'a100', 'l40s']

/** A matcher at work; each call plays so many jobs more. */
function play(matcher: Matcher, slots: number, waiting: boolean): (jobs: number) => void {
  const draw = generator(SEED)
  const decisions: Decision[] = []
  const inFlight = fleet(matcher, slots, waiting, draw, decisions)
  const jobs = Array.from({ length: JOBS }, (_, i) => job(draw, i))
  const ends = jobs.map(({ id }, i): EndEvent => ({ type: i % FAILS ? 'done' : 'fail', id }))
  const numbers = new Map(jobs.map(({ id }, i) => [id, i]))
  // Numbers of the jobs that run, oldest first, in a ring.
  const running = new Int32Array(JOBS)
  let oldest = 0
  let newest = 0
  let next = 0
  const apply = (event: JobEvent | EndEvent, number: number): void => {
    decisions.length = 0
    matcher.apply(event, decisions)
    for (const decision of decisions) {
      if (!('slot' in decision)) continue
      const placed = decision.job === event.id ? number : numbers.get(decision.job)!
      running[newest++ & (JOBS - 1)] = placed
    }
  }
  const submit = (): void => {
    const number = next++ & (JOBS - 1)
    apply(jobs[number]!, number)
  }
  for (let i = 0; i < inFlight + (waiting ? BACKLOG : 0); i++) submit()
  return (count) => {
    for (let i = 0; i < count; i++) {
      apply(ends[running[oldest++ & (JOBS - 1)]!]!, -1)
      submit()
    }
    if (waiting !== matcher.queued > 0) throw new Error(`${matcher.queued} jobs wait`)
  }
}

/**
 * Offers of a fleet; gives how many of our jobs shall run on it. Idle: other schedulers' jobs take
 * a part of the places. Waiting: they take all places but those of some slots.
 */
function fleet(
  matcher: Matcher,
  slots: number,
  waiting: boolean,
  draw: Draw,
  decisions: Decision[],
): number {
  let places = 0
  for (let i = 0; i < slots; i++) {
    const slot = `slot-${i}`
    const capacity = 1 + draw(8)
    const facts = { region: REGIONS[draw(4)]!, gpu: GPUS[draw(4)]!, memoryGiB: 24 }
    const sale = { model: 'm', tick: 20 + draw(50), tier: 'open' } as const
    const pace = { capacity, serviceMs: 20 + draw(4_000) / 10 }
    matcher.apply({ type: 'offer', slot, ...sale, ...pace, ...facts }, decisions)
    const others = waiting ? (i < OURS ? 0 : capacity) : Math.floor(capacity / 2)
    if (others > 0) matcher.apply({ type: 'load', slot, running: others }, decisions)
    places += capacity - others
  }
  return waiting ? places : Math.min(IN_FLIGHT, Math.floor(places / 4))
}

function job(draw: Draw, i: number): JobEvent {
  const free = draw(2) === 0
  const constrained = draw(3) === 0
  return {
    type: 'job',
    id: `job-${i}`,
    tenant: `tenant-${draw(TENANTS)}`,
    model: 'm',
    maxTick: 80,
    expectedTokens: 1 + draw(800),
    speedWeight: free ? 0 : Math.floor(10 ** (3 + draw(6_000) / 1_000)),
    minTier: 'open',
    regions: constrained ? [REGIONS[draw(4)]!, REGIONS[draw(4)]!] : [],
    gpus: [],
    minMemoryGiB: 0,
    // The second try of a job that failed, without the provider that failed it.
    exclude: i % FAILS === 1 ? [`slot-${draw(1_000)}`] : [],
    priority: 0,
    deadline: 2 ** 40,
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
  const figures = coreFigures([1_000, 10_000, 100_000])
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : coreTable(figures))
}
