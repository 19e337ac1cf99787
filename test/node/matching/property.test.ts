/**
 * Random events: the matcher decides what its obvious twin decides, on either index; and for every
 * strategy, what must hold of any decision holds. `MATCH_EVENTS` sets how many for a campaign.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  type Decision,
  type JobEvent,
  type MatchEvent,
  STRATEGIES,
} from '../../../node/matching/events.ts'
import { MOST_COLUMNS } from '../../../node/matching/index/slotIndex.ts'
import { treeIndex } from '../../../node/matching/index/treeIndex.ts'
import { wasmIndex } from '../../../node/matching/index/wasmIndex.ts'
import { createMatcher } from '../../../node/matching/matcher.ts'
import { dice, PRICES } from './harness.ts'
import { Twin } from './twin.ts'

const TIERS = ['simulated', 'open', 'cpu-tee', 'gpu-tee'] as const
const REGIONS = ['eu', 'us', 'asia']
const GPUS = ['rtx4090', 'h100']

const EVENTS = Number(process.env.MATCH_EVENTS ?? 3_000)
/** Memory of slots, GiB: few values for classes that many share, or one of its own for each. */
const SHARED = (roll: (bound: number) => number): number => 8 * roll(5)
const OWN = (roll: (bound: number) => number): number => roll(100_000) / 1_000

/** Random events over a small world, so that slots, jobs and tenants collide. */
function world(seed: number, slots = 12, memory = SHARED): () => MatchEvent {
  const roll = dice(seed)
  const some = <T>(values: readonly T[]): T => values[roll(values.length)]!
  const maybe = <T>(value: T): T | undefined => (roll(3) === 0 ? value : undefined)
  let at = 0
  let jobs = 0

  const requirements = (): Partial<JobEvent> => ({
    minTier: maybe(some(TIERS)),
    regions: maybe([some(REGIONS), some(REGIONS)].slice(roll(3))),
    gpus: maybe([some(GPUS)].slice(roll(2))),
    minMemoryGiB: maybe(memory(roll)),
    exclude: maybe([`v${roll(6)}`, `s${roll(slots)}`]),
  })
  const next = (): MatchEvent => {
    const slot = `s${roll(slots)}`
    const id = `j${Math.max(0, jobs - roll(25))}`
    const kind = roll(100)
    if (kind < 8 || (slots > 100 && kind < 30)) {
      const facts = { region: some(REGIONS), gpu: some(GPUS), memoryGiB: memory(roll) }
      const provider = maybe(`v${roll(6)}`)
      const pace = { serviceMs: [0, 90, 90.5, 1e6][roll(4)]!, capacity: roll(4) }
      const sale = { model: some(['m', 'n']), tick: 38 + roll(5), tier: some(TIERS) }
      return { type: 'offer', slot, provider, ...sale, ...pace, ...facts }
    }
    if (kind < 12) return { type: 'load', slot, running: roll(4) }
    if (kind < 15) return { type: 'service', slot, serviceMs: roll(300) / 2 }
    if (kind < 16) return { type: 'drain', slot }
    if (kind < 18) return { type: 'leave', slot }
    if (kind < 60) return { type: some(['done', 'done', 'fail'] as const), id }
    if (kind < 63) return { type: 'cancel', id }
    return {
      type: 'job',
      id: roll(20) === 0 ? id : `j${jobs++}`,
      tenant: maybe(`t${roll(4)}`),
      model: some(['m', 'm', 'n', 'none']),
      maxTick: maybe(36 + roll(8)),
      expectedTokens: maybe([0, 1, 200, 65_536, 2 ** 31 - 1][roll(5)]!),
      speedWeight: maybe([0, 1_000, 2 ** 31 - 1][roll(3)]!),
      priority: maybe(roll(3) - 1),
      deadline: maybe(at + roll(60)),
      ...(roll(2) === 0 ? requirements() : {}),
    }
  }
  return () => {
    at += roll(4)
    const event = roll(4) === 0 ? next() : { ...next(), at }
    return JSON.parse(JSON.stringify(event)) // as lines carry it: absent, never undefined
  }
}

describe.each([
  ['WebAssembly', wasmIndex],
  ['plain TypeScript', treeIndex],
])('the exact matcher on %s and its twin', (_, index) => {
  it.each([1, 2])('agree on random events, seed %i', (seed) => {
    const seen = agree(index, seed, EVENTS, world(seed))
    // The world is worth its name only if every kind of decision occurs.
    const kinds = ['duplicate-job', 'expired', 'no-model', 'price', 'queue-full', 'queued']
    expect([...seen.keys()].sort()).toEqual([...kinds, 'requirements', 'slot'].sort())
  })

  it('agree where there are more attribute classes than columns', () => {
    const slots = 2 * MOST_COLUMNS
    const seen = agree(index, 3, Math.max(EVENTS / 50, 1_000), world(3, slots, OWN))
    expect(seen.get('slot')).toBeGreaterThan(100)
  })
})

function agree(index: typeof treeIndex, seed: number, events: number, event: () => MatchEvent) {
  const salt = dice(seed)(2 ** 32)
  const queueLimit = 12
  const matcher = createMatcher({ prices: PRICES, salt, queueLimit, index })
  const twin = new Twin(PRICES, salt, queueLimit)
  const seen = new Map<string, number>()
  for (let step = 0; step < events; step++) {
    const given = event()
    const decisions: Decision[] = []
    matcher.apply(given, decisions)
    const expected = twin.apply(given)
    if (!isDeepStrictEqual(decisions, expected)) {
      expect(decisions, `seed ${seed} step ${step} ${JSON.stringify(given)}`).toEqual(expected)
    }
    for (const decision of decisions) {
      const kind = 'refused' in decision ? decision.refused : Object.keys(decision)[1]!
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }
  }
  expect(matcher.queued).toBe(twin.waiting.length)
  return seen
}

describe('models divided among matchers', () => {
  it('are decided as in one, where owners share no tenants', () => {
    const event = world(5)
    const whole = createMatcher({ prices: PRICES, queueLimit: 1_000 })
    const parts = ['m', 'n'].map((model) => {
      return { model, matcher: createMatcher({ prices: PRICES, queueLimit: 1_000 }) }
    })
    const slots = new Map<string, string>()
    const jobs = new Map<string, string>()
    let placed = 0
    for (let step = 0; step < EVENTS; step++) {
      let given = event()
      if (given.type === 'offer') {
        // A slot serves one model for good: its name says which.
        given = { ...given, slot: `${given.slot}-${given.model}` }
        slots.set(given.slot, given.model!)
      } else if ('slot' in given) given = { ...given, slot: `${given.slot}-m` }
      else if (given.type === 'job') {
        const model = given.model === 'none' ? 'm' : given.model
        const id = `${given.id}-${model}`
        given = { ...given, id, model, tenant: model }
        jobs.set(id, model)
      } else given = { ...given, id: `${given.id}-m` }
      const model = 'slot' in given ? slots.get(given.slot) : jobs.get(given.id)
      const part = parts.find((one) => one.model === model) ?? parts[0]!
      const decisions: Decision[] = []
      const divided: Decision[] = []
      whole.apply(given, decisions)
      for (const other of parts) {
        if (other !== part && given.at !== undefined) other.matcher.advance(given.at, divided)
      }
      part.matcher.apply(given, divided)
      // Expiries of several owners at one moment come owner by owner.
      const sorted = (list: Decision[]) => list.toSorted((a, b) => (a.job < b.job ? -1 : 1))
      expect(sorted(divided), `step ${step}`).toEqual(sorted(decisions))
      placed += decisions.filter((one) => 'slot' in one).length
    }
    expect(placed).toBeGreaterThan(EVENTS / 20)
  })
})

describe.each(STRATEGIES)('%s', (strategy) => {
  it('repeats itself, places on free places only, with whole scores below 2^53', () => {
    const run = (seed: number): Decision[] => {
      const event = world(seed)
      const matcher = createMatcher({ prices: PRICES, strategy, seed: 7 })
      const decisions: Decision[] = []
      for (let step = 0; step < 3_000; step++) {
        const before = decisions.length
        const given = event()
        const free = new Map<string, number>()
        matcher.apply(given, decisions)
        for (const decision of decisions.slice(before)) {
          if (!('slot' in decision)) continue
          expect(Number.isSafeInteger(decision.score)).toBe(true)
          free.set(decision.slot, matcher.running(decision.slot)!)
        }
        for (const running of free.values()) expect(running).toBeGreaterThan(0)
      }
      return decisions
    }
    const first = run(11)
    expect(run(11)).toEqual(first)
    expect(first.some((decision) => 'queued' in decision)).toBe(strategy !== 'cocoon')
  })
})
