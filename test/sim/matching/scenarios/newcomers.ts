/**
 * Newcomers at 60 % load: slots that nobody knows join a fleet that has filled. How long until each
 * gets a first job, and what share of the work they get, by how dear they are.
 * @module
 */
import { STRATEGIES, type StrategyName } from '../../../../node/matching/events.ts'
import { chanceOf } from '../chance.ts'
import { drawSlot, HIGHEST_TICK, LOWEST_TICK, type SlotSpec } from '../fleet.ts'
import { drawJobs } from '../jobs.ts'
import { type Row, type Scenario, type Size, settingOf } from '../setting.ts'
import type { Figures } from '../table.ts'
import { simulate } from '../world.ts'

/** By name: at the lowest price of the fleet, in the middle, at the highest. */
const PRICED = {
  cheap: LOWEST_TICK,
  middle: (LOWEST_TICK + HIGHEST_TICK) / 2,
  dear: HIGHEST_TICK,
} as const
const OF_EACH = 5
/** A newcomer's first job comes within this. */
export const PATIENCE_S = 60

/** A market of a fifth of the slots, where a dear one is seldom needed, for some minutes. */
const few = (size: Size): Size => ({
  ...size,
  slots: Math.round(size.slots / 5),
  requests: Math.min(size.requests, 6000),
})

export const newcomers: Scenario = {
  name: 'newcomers',
  about:
    'At 60 % load, five newcomers at the lowest, the middle and the highest price of the fleet ' +
    'join at a quarter of the time, in a fleet of 300 slots and in one of 60. Seconds to the ' +
    'first job of the slowest of the five (`never`: not before the arrivals end); how many of ' +
    'the fifteen had one within 60 s; share of the jobs that started after they joined over ' +
    'share of the places.',
  source: 'azure',
  run: (seed, size) =>
    [size, few(size)].flatMap((each) =>
      STRATEGIES.map(
        (strategy): Row => ({
          label: `${strategy}, ${each.slots} slots`,
          figures: joined(seed, each, strategy),
        }),
      ),
    ),
}

export function joined(seed: number, size: Size, strategy: StrategyName): Figures {
  const { fleet, requests, spanMs } = settingOf(seed, size, { load: 0.6 })
  const jobs = drawJobs(requests, chanceOf(seed, 'jobs'))
  const chance = chanceOf(seed, 'newcomers')
  const joinMs = spanMs / 4
  const joining = Object.entries(PRICED).flatMap(([name, tick]) =>
    Array.from(
      { length: OF_EACH },
      (_, i): SlotSpec => ({ ...drawSlot(chance, `${name}${i}`, requests), tick }),
    ),
  )
  const changes = joining.map((join) => ({ atMs: joinMs, join }))
  const { starts } = simulate({ seed, strategy, fleet, jobs, changes })

  const first = new Map<string, number>()
  const count = new Map<string, number>()
  const since = starts.filter(({ atMs }) => atMs >= joinMs)
  for (const { slot, atMs } of since) {
    if (!first.has(slot)) first.set(slot, (atMs - joinMs) / 1000)
    count.set(slot, (count.get(slot) ?? 0) + 1)
  }
  const waited = (name: string): number =>
    Math.max(...of(joining, name).map((slot) => first.get(slot) ?? Number.POSITIVE_INFINITY))
  const places = [...fleet, ...joining].reduce((sum, slot) => sum + slot.places, 0)
  const got = (name: string): number => {
    const slots = joining.filter((slot) => slot.name.startsWith(name))
    const share = slots.reduce((sum, slot) => sum + (count.get(slot.name) ?? 0), 0) / since.length
    return (share * places) / slots.reduce((sum, slot) => sum + slot.places, 0)
  }
  const inTime = joining.filter(({ name }) => (first.get(name) ?? PATIENCE_S + 1) <= PATIENCE_S)
  return {
    'first, cheap': waited('cheap'),
    'first, middle': waited('middle'),
    'first, dear': waited('dear'),
    'in 60 s': inTime.length,
    'share, cheap': got('cheap'),
    'share, middle': got('middle'),
    'share, dear': got('dear'),
  }
}

const of = (slots: readonly SlotSpec[], name: string): string[] =>
  slots.map((slot) => slot.name).filter((each) => each.startsWith(name))
