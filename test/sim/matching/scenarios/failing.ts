/**
 * A provider that fails each job after 50 ms, at the lowest price of the market: how much of the
 * work it still draws after its first twenty failures, with the role's beliefs and without.
 * @module
 */
import { STRATEGIES, type StrategyName } from '../../../../node/matching/events.ts'
import { chanceOf } from '../chance.ts'
import { measured, share } from '../figures.ts'
import { LOWEST_TICK, type SlotSpec } from '../fleet.ts'
import { drawJobs } from '../jobs.ts'
import { type Row, type Scenario, type Size, settingOf } from '../setting.ts'
import type { Figures } from '../table.ts'
import { simulate } from '../world.ts'

const FAILS_AFTER_MS = 50
const FORGIVEN = 20
const LOAD = 0.6
/** Enough for half an hour at such a rate. */
const REQUESTS = 6_000

/** Slots that one provider may offer: each rests by itself. */
const MANY_SLOTS = 64

interface Pool {
  readonly slots: number
  /** Slots of the failing provider. */
  readonly bad: number
  readonly strategy: StrategyName
  readonly believes?: boolean
  /** They serve until a tenth of the time is over, and then begin to fail. */
  readonly turncoats?: boolean
}

const POOLS: readonly (Pool & { readonly label: string })[] = [
  ...STRATEGIES.flatMap((strategy) => [
    { label: strategy, slots: 8, bad: 1, strategy },
    { label: `${strategy}, no beliefs`, slots: 8, bad: 1, strategy, believes: false },
  ]),
  { label: 'exact, small pool', slots: 2, bad: 1, strategy: 'exact' },
  { label: `exact, ${MANY_SLOTS} slots`, slots: 30, bad: MANY_SLOTS, strategy: 'exact' },
  { label: 'exact, turncoat', slots: 8, bad: 1, strategy: 'exact', turncoats: true },
  {
    label: `exact, ${MANY_SLOTS} turncoats`,
    slots: 30,
    bad: MANY_SLOTS,
    strategy: 'exact',
    turncoats: true,
  },
]

export const failing: Scenario = {
  name: 'failing provider',
  source: 'synthetic',
  about:
    'At 60 % load of eight good slots, one that is cheaper, has eight places and meets most ' +
    'requirements fails each job after 50 ms. Jobs a second; attempts at it after its first ' +
    'twenty, per cent of the attempts since; attempts at it in all; jobs that ended unserved for ' +
    'failures. `small pool`: two good slots; `64 slots`: thirty, and the ' +
    'provider offers 64 slots. `turncoat`: it serves for a tenth of the time, then begins to fail.',
  run: (seed, size) =>
    POOLS.map((pool): Row => ({ label: pool.label, figures: failed(seed, size, pool) })),
}

export function failed(seed: number, size: Size, pool: Pool): Figures {
  const small = { ...size, slots: pool.slots, requests: Math.min(size.requests, REQUESTS) }
  const { fleet, requests, rate, spanMs } = settingOf(seed, small, { load: LOAD })
  const jobs = drawJobs(requests, chanceOf(seed, 'jobs'))
  const { strategy, believes = true, turncoats = false } = pool
  const failsFromMs = turncoats ? spanMs / 10 : 0
  const bad = Array.from({ length: pool.bad }, (_, i) => ({
    ...failingSlot(fleet[0]!, i),
    failsFromMs,
  }))
  const joins = bad.map((join) => ({ atMs: 0, join }))
  const outcome = simulate({ seed, strategy, fleet, jobs, believes, changes: joins })
  let met = 0
  let since = 0
  for (const { slot, atMs } of outcome.starts) {
    if (atMs < failsFromMs) continue
    if (met >= FORGIVEN) since++
    if (slot.startsWith('bad')) met++
  }
  return {
    'jobs/s': rate,
    'after 20 %': since > 0 ? (100 * Math.max(0, met - FORGIVEN)) / since : 0,
    'met it': met,
    'failed %': 100 * share(measured(outcome.records), ({ end }) => end === 'failed'),
  }
}

function failingSlot(like: SlotSpec, i: number): SlotSpec {
  return {
    ...like,
    name: `bad${i}`,
    provider: 'bad',
    tick: LOWEST_TICK - 2,
    places: 8,
    tier: 'gpu-tee',
    memoryGiB: 192,
    failsAfterMs: FAILS_AFTER_MS,
  }
}
