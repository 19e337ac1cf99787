/**
 * Deciding one job after another against deciding a batch at once: samples of jobs and free places,
 * given to the core in the order of arrival, and assigned at the least total score.
 * @module
 */
import type { Decision, StrategyName } from '../../../../node/matching/events.ts'
import { createMatcher } from '../../../../node/matching/matcher.ts'
import { assign } from '../assignment.ts'
import { allows } from '../bound.ts'
import { type Chance, chanceOf } from '../chance.ts'
import { mean } from '../figures.ts'
import { MODEL, type SlotSpec } from '../fleet.ts'
import { drawJobs, type SimJob } from '../jobs.ts'
import { NANO, PRICES } from '../role.ts'
import { type Row, type Scenario, type Size, settingOf } from '../setting.ts'
import type { Figures } from '../table.ts'

/** Jobs of a sample, by how many free places there are for each. */
const JOBS = 24
const PLACES_PER_JOB = { scarce: 1, enough: 2, plenty: 8 } as const
const SAMPLES = 60

/** The core's own arithmetic: a job that is not placed costs more than any score. */
const MOST_WAIT = 2 ** 20 - 1
const MOST_TOKENS = 65_536

export const batches: Scenario = {
  name: 'batches',
  source: 'synthetic',
  about:
    'Sixty samples of 24 jobs and 24, 48 or 192 free places, on slots half full. Total score of ' +
    'what the core decides job by job, over that of the cheapest assignment of the whole batch ' +
    '(mean and worst over the samples in which both place as many); jobs placed by the core and ' +
    'by the assignment, of 24.',
  run: (seed, size) =>
    (['exact', 'p2c', 'cocoon'] as const).flatMap((strategy) =>
      (['scarce', 'enough', 'plenty'] as const).map(
        (places): Row => ({
          label: `${strategy}, ${PLACES_PER_JOB[places]} places a job`,
          figures: sampled(seed, size, strategy, places),
        }),
      ),
    ),
}

interface FreeSlot {
  readonly spec: SlotSpec
  readonly running: number
}

export function sampled(
  seed: number,
  size: Size,
  strategy: StrategyName,
  places: keyof typeof PLACES_PER_JOB,
  samples = SAMPLES,
): Figures {
  const { fleet, requests } = settingOf(seed, size, { load: 1 })
  const jobs = drawJobs(requests, chanceOf(seed, 'jobs'))
  const chance = chanceOf(seed, 'samples')
  const ratios: number[] = []
  const placed: number[] = []
  const best: number[] = []
  for (let i = 0; i < samples; i++) {
    const batch = Array.from({ length: JOBS }, () => chance.pick(jobs))
    const slots = drawFree(fleet, JOBS * PLACES_PER_JOB[places], chance)
    const greedy = oneByOne(slots, batch, strategy, seed)
    const optimum = atOnce(slots, batch)
    placed.push(greedy.placed)
    best.push(optimum.placed)
    if (greedy.placed === optimum.placed) ratios.push(greedy.score / optimum.score)
  }
  return {
    'cost, mean': ratios.length > 0 ? mean(ratios) : Number.NaN,
    'cost, worst': ratios.length > 0 ? Math.max(...ratios) : Number.NaN,
    'placed by the core': mean(placed),
    'placed at once': mean(best),
  }
}

/** Drawn slots, each running as many jobs as it has free places, until there are enough places. */
function drawFree(fleet: readonly SlotSpec[], places: number, chance: Chance): FreeSlot[] {
  const slots: FreeSlot[] = []
  let free = 0
  while (free < places) {
    const spec = chance.pick(fleet)
    const open = Math.min(Math.ceil(spec.places / 2), places - free)
    const running = Math.floor(spec.places / 2)
    const name = `${spec.name}/${slots.length}`
    slots.push({ spec: { ...spec, name, provider: name, places: running + open }, running })
    free += open
  }
  return slots
}

interface Total {
  readonly placed: number
  readonly score: number
}

export function oneByOne(
  slots: readonly FreeSlot[],
  jobs: readonly SimJob[],
  strategy: StrategyName,
  seed: number,
): Total {
  const matcher = createMatcher({ prices: PRICES, strategy, seed })
  const decisions: Decision[] = []
  for (const { spec, running } of slots) {
    const { name: slot, provider, tick, places: capacity, tier, region, gpu, memoryGiB } = spec
    const what = { slot, provider, model: MODEL, tick, capacity, tier, region, gpu, memoryGiB }
    matcher.apply({ type: 'offer', ...what, serviceMs: spec.declaredMs }, decisions)
    matcher.apply({ type: 'load', slot, running }, decisions)
  }
  jobs.forEach(({ tenant, expectedTokens, speedWeight, needs }, i) => {
    const what = { id: `b${i}`, model: MODEL, tenant, expectedTokens, speedWeight, ...needs }
    matcher.apply({ type: 'job', ...what }, decisions)
  })
  const scores = decisions.flatMap((each) => ('slot' in each ? [each.score] : []))
  return { placed: scores.length, score: scores.reduce((sum, score) => sum + score, 0) }
}

/**
 * Columns are free places, in the order in which a slot fills them, and one "not placed" a job,
 * dearer than all else: so as many jobs as possible are placed, at the least total score.
 */
export function atOnce(slots: readonly FreeSlot[], jobs: readonly SimJob[]): Total {
  const places = slots.flatMap(({ spec, running }) =>
    Array.from({ length: spec.places - running }, (_, i) => ({ spec, running: running + i })),
  )
  const scores = jobs.map((job) =>
    places.map(({ spec, running }) =>
      allows(job.needs, spec) ? scoreOf(job, spec, running) : Number.POSITIVE_INFINITY,
    ),
  )
  const most = Math.max(...scores.flat().filter(Number.isFinite), 1)
  const never = most * (jobs.length + 1)
  const impossible = never * (jobs.length + 1)
  const costs = scores.map((row) => [
    ...row.map((score) => (Number.isFinite(score) ? score : impossible)),
    ...jobs.map(() => never),
  ])
  let placed = 0
  let score = 0
  assign(costs).forEach((column, row) => {
    if (column >= places.length) return
    placed++
    score += scores[row]![column]!
  })
  return { placed, score }
}

/** The score of section 9 of the design, from its definition. */
function scoreOf(job: SimJob, spec: SlotSpec, running: number): number {
  const wait = Math.min(MOST_WAIT, Math.round(running * spec.declaredMs))
  return NANO[spec.tick]! * Math.min(job.expectedTokens, MOST_TOKENS) + job.speedWeight * wait
}
