/**
 * The whole market under one scheduler: waiting, price and rejects of every strategy, beside the
 * least-work bound.
 * @module
 */
import { STRATEGIES } from '../../../../node/matching/events.ts'
import type { Source } from '../arrivals.ts'
import { leastWork } from '../bound.ts'
import { chanceOf } from '../chance.ts'
import { mean, meanPrice, measured, quantile, share, waits } from '../figures.ts'
import { drawJobs } from '../jobs.ts'
import type { JobRecord } from '../plan.ts'
import { type Row, type Scenario, type Size, settingOf } from '../setting.ts'
import type { Figures } from '../table.ts'
import { simulate } from '../world.ts'

/** Mooncake's long jobs wait nowhere below 80 %. */
const LOADS = { azure: [0.6, 0.8, 0.95], mooncake: [0.8, 0.95], synthetic: [0.8, 0.95] } as const

export function waiting(source: Source): Scenario {
  return {
    name: `waiting, ${source}`,
    about:
      'One scheduler that owns the pool. Seconds from arrival to start; price paid in million ' +
      'nanoTON per million tokens; rejects in per cent of the jobs.',
    source,
    run: (seed, size) => LOADS[source].flatMap((load) => atLoad(seed, size, load)),
  }
}

export function atLoad(seed: number, size: Size, load: number): Row[] {
  const { fleet, requests } = settingOf(seed, size, { load })
  const jobs = drawJobs(requests, chanceOf(seed, 'jobs'))
  const percent = `${Math.round(100 * load)} %`
  return [
    { label: `${percent} least work`, figures: figuresOf(leastWork(fleet, jobs)) },
    ...STRATEGIES.map((strategy) => ({
      label: `${percent} ${strategy}`,
      figures: figuresOf(simulate({ seed, strategy, fleet, jobs }).records),
    })),
  ]
}

/** Figures of a run: waiting, price, rejects by kind. */
export function figuresOf(all: readonly JobRecord[]): Figures {
  const records = measured(all)
  const seconds = waits(records)
  const refused = (why: string): number => 100 * share(records, ({ refusal }) => refusal === why)
  return {
    'wait mean': mean(seconds),
    'wait p99': quantile(seconds, 0.99),
    price: meanPrice(records) / 1e6,
    'no price %': refused('price'),
    'no slot %': refused('requirements'),
    'full %': refused('queue-full'),
    'expired %': 100 * share(records, ({ end }) => end === 'expired'),
  }
}
