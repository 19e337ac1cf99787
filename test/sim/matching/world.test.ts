/**
 * The simulation itself: the same seed gives the same outcome, every job ends exactly once whatever
 * happens to slots, and no slot runs more than its places.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { STRATEGIES, type StrategyName } from '../../../node/matching/events.ts'
import { leastWork } from './bound.ts'
import { chanceOf } from './chance.ts'
import { waits } from './figures.ts'
import { drawJobs, type SimJob } from './jobs.ts'
import type { Change, Outcome, Plan } from './plan.ts'
import { type Size, settingOf } from './setting.ts'
import { simulate } from './world.ts'

const SIZE: Size = { source: 'synthetic', requests: 1000, slots: 24 }

/** A crowded market in which slots come, go and fail, and jobs run out of patience. */
function rough(seed: number, strategy: StrategyName, more: Partial<Plan> = {}): Outcome {
  const { fleet, requests, spanMs } = settingOf(seed, SIZE, { load: 1.2 })
  const jobs = drawJobs(requests, chanceOf(seed, 'jobs'), { patienceMs: 2000 })
  const changes = fleet.slice(0, 12).flatMap((slot, i): Change[] => {
    const atMs = (spanMs * (i + 1)) / 14
    const join = { ...slot, name: `n${i}`, provider: `n${i}` }
    return [
      { atMs, leave: slot.name },
      { atMs, join: i % 3 === 0 ? { ...join, failsAfterMs: 50 } : join },
    ]
  })
  return simulate({ seed, strategy, fleet, jobs, changes, ...more })
}

/** What an outcome is, without the objects it is made of. */
const lines = ({ records }: Outcome): string[] =>
  records.map((each) =>
    [each.job.id, each.end, each.refusal, each.slot?.name, each.startedMs, each.endedMs].join(' '),
  )

/** The most attempts at once on each slot. */
function busiest({ records }: Outcome): Map<string, number> {
  const steps = records
    .filter(({ end }) => end === 'served')
    .flatMap(({ slot, startedMs, endedMs }) => [
      { slot: slot!.name, atMs: startedMs, by: 1 },
      { slot: slot!.name, atMs: endedMs, by: -1 },
    ])
    .sort((a, b) => a.atMs - b.atMs || a.by - b.by)
  const running = new Map<string, number>()
  const most = new Map<string, number>()
  for (const { slot, by } of steps) {
    running.set(slot, (running.get(slot) ?? 0) + by)
    most.set(slot, Math.max(most.get(slot) ?? 0, running.get(slot)!))
  }
  return most
}

describe('the simulated world', () => {
  it.each(STRATEGIES)('gives the same outcome for the same seed: %s', (strategy) => {
    const once = lines(rough(7, strategy))
    expect(lines(rough(7, strategy))).toEqual(once)
    expect(lines(rough(8, strategy))).not.toEqual(once)
  })

  it.each(STRATEGIES)('ends every job exactly once: %s', (strategy) => {
    const { records } = rough(3, strategy)
    expect(records.filter(({ ends }) => ends !== 1)).toEqual([])
    const ways = new Set(records.map(({ end }) => end))
    expect(ways).toContain('served')
    expect(ways).toContain('refused')
    if (strategy !== 'cocoon') expect(ways).toContain('expired')
    expect(records.some(({ lost }) => lost > 0)).toBe(true)
    expect(records.some(({ attempts }) => attempts > 1)).toBe(true)
    expect(records.every(({ attempts }) => attempts <= 3)).toBe(true)
  })

  it('ends every job exactly once where several schedulers see old reports', () => {
    const reports = { everyMs: 1000, lateMs: 200 }
    const { records } = rough(3, 'p2c', { schedulers: 5, reports, believes: false })
    expect(records.filter(({ ends }) => ends !== 1)).toEqual([])
  })

  it('starts no job before it came, and runs no more on a slot than its places', () => {
    const outcome = rough(5, 'exact')
    expect(waits(outcome.records).every((wait) => wait >= 0)).toBe(true)
    const places = new Map(outcome.records.map(({ slot }) => [slot?.name ?? '', slot?.places ?? 0]))
    for (const [slot, most] of busiest(outcome)) {
      expect(most).toBeLessThanOrEqual(places.get(slot)!)
    }
    expect(Math.max(...busiest(outcome).values())).toBeGreaterThan(1)
  })

  it('measures against the place that is free earliest, by hand', () => {
    const [slot] = settingOf(4, SIZE, { load: 1 }).fleet
    const one = { ...slot!, places: 1, decodeTps: 10, prefillTps: 1000, region: 'eu', tick: 40 }
    const dear = { ...one, name: 'dear', tick: 50 }
    const job = (id: string, atMs: number, maxTick?: number): SimJob => ({
      id,
      tenant: 't',
      request: { atMs, promptTokens: 1000, outputTokens: 10, blocks: [] }, // two seconds
      expectedTokens: 16,
      speedWeight: 0,
      needs: { maxTick, regions: ['eu'] },
      patienceMs: 1000,
      tags: [],
    })
    const jobs = [job('a', 0), job('b', 500, 45), job('c', 600), job('d', 700, 39)]
    const found = leastWork([one, dear], jobs)
    expect(found.map(({ end, slot, startedMs }) => [end, slot?.tick, startedMs])).toEqual([
      ['served', 40, 0],
      ['served', 40, 2000],
      ['served', 50, 600],
      ['refused', undefined, 700],
    ])
  })
})
