/**
 * A flooding tenant: nine tenants ask for 60 % of the fleet together, a tenth sends 60 % of the
 * load. What the nine wait for, and whether each tenant with waiting jobs gets its equal share.
 * @module
 */
import { STRATEGIES, type StrategyName } from '../../../../node/matching/events.ts'
import { chanceOf } from '../chance.ts'
import { mean, measured, served, share, waits } from '../figures.ts'
import { drawJobs, type SimJob } from '../jobs.ts'
import type { JobRecord } from '../plan.ts'
import { type Row, type Scenario, type Size, settingOf } from '../setting.ts'
import type { Figures } from '../table.ts'
import { simulate } from '../world.ts'

const OTHERS = 9
const FLOOD = 0.6
/** What the nine ask for, of the whole fleet: each two thirds of a tenth. */
const OTHERS_LOAD = 0.6

export const fairness: Scenario = {
  name: 'flooding tenant',
  about:
    'Nine tenants ask for 60 % of the fleet, a tenth adds 90 % of it. Mean wait of the nine in ' +
    'seconds: without the tenth; with it; as much load but no tenant flooding (ten alike); with ' +
    'it, but everybody under one name (first come, first served). Time from arrival to end, ' +
    'with the flood over without it. Service over entitlement, of tenants with waiting jobs: the ' +
    'least and the most served of the ten. The nine unserved, per cent, with the flood.',
  source: 'azure',
  run: (seed, size) =>
    STRATEGIES.map(
      (strategy): Row => ({ label: strategy, figures: flooded(seed, size, strategy) }),
    ),
}

export function flooded(seed: number, full: Size, strategy: StrategyName): Figures {
  // Thousands wait here: a smaller market shows the same in less time.
  const size = {
    ...full,
    requests: Math.min(full.requests, 8000),
    slots: Math.min(full.slots, 120),
  }
  const { fleet, requests } = settingOf(seed, size, { load: OTHERS_LOAD / (1 - FLOOD) })
  const jobs = drawJobs(requests, chanceOf(seed, 'jobs'), { flood: FLOOD, tenants: OTHERS })
  const nine = new Set(jobs.filter(({ tenant }) => tenant !== 'flood').map(({ id }) => id))
  const play = (played: readonly SimJob[]): readonly JobRecord[] =>
    measured(simulate({ seed, strategy, fleet, jobs: played }).records)
  const ofNine = (records: readonly JobRecord[]) => records.filter(({ job }) => nine.has(job.id))

  const alone = play(jobs.filter(({ id }) => nine.has(id)))
  const all = play(jobs)
  const flood = ofNine(all)
  const alike = ofNine(play(jobs.map((job, i) => ({ ...job, tenant: `t${i % (OTHERS + 1)}` }))))
  const oneQueue = ofNine(play(jobs.map((job) => ({ ...job, tenant: '' }))))
  const shares = Object.values(serviceOverEntitlement(all))
  return {
    'wait alone': mean(waits(alone)),
    flooded: mean(waits(flood)),
    'load alike': mean(waits(alike)),
    'one queue': mean(waits(oneQueue)),
    'end, flooded/alone': mean(ends(flood)) / mean(ends(alone)),
    'least served': shares.length > 0 ? Math.min(...shares) : Number.NaN,
    'most served': shares.length > 0 ? Math.max(...shares) : Number.NaN,
    'lost %': 100 * share(flood, ({ end }) => end !== 'served'),
  }
}

function ends(records: readonly JobRecord[]): number[] {
  return served(records).map(({ job, endedMs }) => (endedMs - job.request.atMs) / 1000)
}

/**
 * By tenant: tokens placed from the queue while it had jobs waiting, over an equal share (among
 * those with jobs waiting) of all that was placed from the queue then.
 */
export function serviceOverEntitlement(records: readonly JobRecord[]): Record<string, number> {
  const steps = records
    .filter(({ queuedAt, placedAt }) => queuedAt !== undefined && placedAt !== undefined)
    .flatMap((record) => [
      { at: record.queuedAt!, record, placed: false },
      { at: record.placedAt!, record, placed: true },
    ])
    .sort((a, b) => a.at - b.at)
  const backlog = new Map<string, number>()
  const got = new Map<string, { served: number; due: number }>()
  for (const { record, placed } of steps) {
    const { tenant, expectedTokens } = record.job
    const mine = got.get(tenant) ?? { served: 0, due: 0 }
    got.set(tenant, mine)
    if (placed) {
      mine.served += expectedTokens
      for (const other of backlog.keys()) got.get(other)!.due += expectedTokens / backlog.size
    }
    const jobs = (backlog.get(tenant) ?? 0) + (placed ? -1 : 1)
    if (jobs > 0) backlog.set(tenant, jobs)
    else backlog.delete(tenant)
  }
  return Object.fromEntries([...got].map(([tenant, { served, due }]) => [tenant, served / due]))
}
