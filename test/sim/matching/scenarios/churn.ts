/**
 * Providers come and go: a tenth of the slots leaves every minute, with the jobs on them, and as
 * many that nobody knows come in their place.
 * @module
 */
import { STRATEGIES, type StrategyName } from '../../../../node/matching/events.ts'
import { type Chance, chanceOf } from '../chance.ts'
import { mean, meanPrice, measured, quantile, share, waits } from '../figures.ts'
import type { SlotSpec } from '../fleet.ts'
import { drawJobs } from '../jobs.ts'
import type { Change } from '../plan.ts'
import { type Row, type Scenario, type Size, settingOf } from '../setting.ts'
import type { Figures } from '../table.ts'
import { simulate } from '../world.ts'

const LOAD = 0.8
/** So that the arrivals last some minutes. */
const SLOTS = 100
/** Share of the slots that leaves in a minute. */
const A_MINUTE = 0.1

export const churn: Scenario = {
  name: 'churn',
  about:
    'At 80 % load of a hundred slots, none leaving against 10 % a minute, each replaced by an ' +
    'unknown one. Seconds from arrival to the start of the attempt that served the job; price as ' +
    'above; attempts lost with their slot and jobs that ended unserved, per cent of the jobs.',
  source: 'azure',
  run: (seed, size) =>
    STRATEGIES.flatMap((strategy): Row[] => [
      { label: `${strategy}, stable`, figures: churned(seed, size, strategy, 0) },
      { label: `${strategy}, churn`, figures: churned(seed, size, strategy, A_MINUTE) },
    ]),
}

export function churned(
  seed: number,
  size: Size,
  strategy: StrategyName,
  aMinute: number,
): Figures {
  const small = { ...size, slots: Math.min(size.slots, SLOTS) }
  const { fleet, requests, spanMs } = settingOf(seed, small, { load: LOAD })
  const jobs = drawJobs(requests, chanceOf(seed, 'jobs'))
  const changes = aMinute > 0 ? replacing(fleet, spanMs, aMinute, chanceOf(seed, 'churn')) : []
  const records = measured(simulate({ seed, strategy, fleet, jobs, changes }).records)
  const seconds = waits(records)
  const unserved = (how: string): number => 100 * share(records, ({ end }) => end === how)
  return {
    'wait mean': mean(seconds),
    'wait p99': quantile(seconds, 0.99),
    price: meanPrice(records) / 1e6,
    'lost %': (100 * records.reduce((sum, { lost }) => sum + lost, 0)) / records.length,
    'refused %': unserved('refused'),
    'expired %': unserved('expired'),
    'failed %': unserved('failed'),
  }
}

/** At drawn times a drawn slot leaves, and one like it, under another name, comes. */
function replacing(
  fleet: readonly SlotSpec[],
  spanMs: number,
  aMinute: number,
  chance: Chance,
): Change[] {
  const present = [...fleet]
  const changes: Change[] = []
  const gapMs = 60_000 / (fleet.length * aMinute)
  for (let atMs = chance.exponential(gapMs); atMs < spanMs; atMs += chance.exponential(gapMs)) {
    const at = chance.below(present.length)
    const gone = present[at]!
    const name = `n${changes.length}`
    const join = { ...gone, name, provider: name }
    present[at] = join
    changes.push({ atMs, leave: gone.name }, { atMs, join })
  }
  return changes
}
