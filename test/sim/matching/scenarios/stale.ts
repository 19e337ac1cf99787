/**
 * Several schedulers over one fleet, each knowing the loads from reports that are old: herding.
 * Fifty equal slots at one price, so that nothing but the load tells them apart.
 * @module
 */
import type { StrategyName } from '../../../../node/matching/events.ts'
import { leastWork } from '../bound.ts'
import { chanceOf } from '../chance.ts'
import { mean, measured, quantile, waits } from '../figures.ts'
import { fullRate, meanServiceMs, type SlotSpec } from '../fleet.ts'
import { drawJobs } from '../jobs.ts'
import type { JobRecord, Reports } from '../plan.ts'
import { type Row, type Scenario, type Setting, type Size, settingOf } from '../setting.ts'
import type { Figures } from '../table.ts'
import { simulate } from '../world.ts'

/** How the loads are known, by name. `old`: of this age always, not up to it. */
export const REPORTS = {
  live: { everyMs: 0, lateMs: 0 },
  'every 1 s': { everyMs: 1000, lateMs: 0 },
  'every 5 s': { everyMs: 5000, lateMs: 0 },
  '1 s old': { everyMs: 0, lateMs: 1000 },
} as const satisfies Readonly<Record<string, Reports>>

/** Fifty in the full run; fewer where there are not the requests to fill so many. */
const SLOTS = 50
const REQUESTS_A_SLOT = 380
const PLACES = 64
/** What the bound waits at the load that is played, seconds. */
const BOUND_S = 0.05
const SPEEDS = { decodeTps: 55, prefillTps: 4400 }

export interface Herd {
  readonly strategy: StrategyName
  readonly schedulers: number
  readonly reports: Reports
  /** Jobs a slot takes in line beyond its places, and offers. */
  readonly line?: number
}

const names = Object.keys(REPORTS) as (keyof typeof REPORTS)[]
/** One scheduler sees its own jobs between reports; with a hundred each run is slow. */
const HERDS: readonly (Herd & { readonly label: string })[] = [
  ...(['exact', 'p2c'] as const).flatMap((strategy) =>
    [1, 10, 100].flatMap((schedulers) =>
      names
        .filter((name) => name.startsWith('every') !== (schedulers === 1) || schedulers === 10)
        .map((name) => ({
          label: `${strategy}, ${schedulers}, ${name}`,
          strategy,
          schedulers,
          reports: REPORTS[name],
        })),
    ),
  ),
  ...(['reserve', 'cocoon'] as const).map((strategy) => ({
    label: `${strategy}, 10, every 1 s`,
    strategy,
    schedulers: 10,
    reports: REPORTS['every 1 s'],
  })),
  ...(['exact', 'p2c'] as const).map((strategy) => ({
    label: `${strategy}, 10, 1 s old, own named`,
    strategy,
    schedulers: 10,
    reports: { ...REPORTS['1 s old'], own: true },
  })),
  ...(['exact', 'p2c'] as const).map((strategy) => ({
    label: `${strategy}, 10, every 1 s, no line`,
    strategy,
    schedulers: 10,
    reports: REPORTS['every 1 s'],
    line: 0,
  })),
]

export const stale: Scenario = {
  name: 'stale offers',
  about:
    'Strategy, schedulers, reports. Fifty equal slots of 64 places and a line of as many, at the ' +
    'load at which the least-work reference waits 0.05 s; jobs are dealt to the schedulers in ' +
    'turn. Every slot reports its load to them all, every 1 s or 5 s at a phase of its own, or ' +
    'at once but arriving 1 s late. Seconds from arrival to start. `no line`: slots offer their ' +
    'places only, and schedulers hold the rest back. `own named`: a report tells each scheduler ' +
    'how many of the jobs are its own, so that the core can put those it has now in their place.',
  source: 'azure',
  run: (seed, size) => [
    { label: 'least work', figures: boundOf(seed, size) },
    ...HERDS.map((each): Row => ({ label: each.label, figures: herded(seed, size, each) })),
  ],
}

export function herded(seed: number, size: Size, herd: Herd): Figures {
  const { strategy, schedulers, reports, line = PLACES } = herd
  const { fleet, requests, rate } = equal(seed, size, line)
  const plan = { seed, strategy, schedulers, reports, fleet, jobs: jobsOf(requests, seed) }
  const load = Math.round((100 * rate) / fullRate(fleet, requests))
  return { 'load %': load, ...figuresOf(simulate({ ...plan, believes: false }).records) }
}

export function boundOf(seed: number, size: Size): Figures {
  const { fleet, requests } = equal(seed, size, 0)
  return figuresOf(leastWork(fleet, jobsOf(requests, seed)))
}

function figuresOf(records: readonly JobRecord[]): Figures {
  const seconds = waits(measured(records))
  return { 'wait mean': mean(seconds), 'wait p99': quantile(seconds, 0.99) }
}

/** The load at which the bound waits `BOUND_S`, by halving; the same for the same seed and size. */
function loadOf(seed: number, size: Size): number {
  let low = 0.5
  let high = 1.2
  for (let i = 0; i < 10; i++) {
    const middle = (low + high) / 2
    const { fleet, requests } = atLoad(seed, size, 0, middle)
    const bound = mean(waits(measured(leastWork(fleet, jobsOf(requests, seed)))))
    if (bound < BOUND_S) low = middle
    else high = middle
  }
  return (low + high) / 2
}

const loads = new Map<string, number>()

function equal(seed: number, size: Size, line: number): Setting {
  const key = `${seed} ${size.source} ${size.requests}`
  const load = loads.get(key) ?? loadOf(seed, size)
  loads.set(key, load)
  return atLoad(seed, size, line, load)
}

function atLoad(seed: number, size: Size, line: number, load: number): Setting {
  const same = (slot: SlotSpec): SlotSpec => ({
    ...slot,
    ...SPEEDS,
    tick: 48,
    places: PLACES,
    line,
  })
  const slots = Math.min(SLOTS, Math.ceil(size.requests / REQUESTS_A_SLOT))
  const small = { ...size, slots }
  const drawn = settingOf(seed, small, { load, remake: (slots) => slots.map(same) })
  const declaredMs = Math.round(meanServiceMs(SPEEDS, drawn.requests))
  return { ...drawn, fleet: drawn.fleet.map((slot) => ({ ...slot, declaredMs })) }
}

function jobsOf(requests: Setting['requests'], seed: number) {
  const mix = { constrained: 0, speedWeight: 1_000_000, patienceMs: 600_000 }
  return drawJobs(requests, chanceOf(seed, 'jobs'), mix)
}
