/**
 * A scheduler of the simulation: the real matching core, told what the scheduler role would tell
 * it. Beliefs and blame are those of `node/scheduler`, applied as the role's pool applies them: an
 * offer with the usable capacity and the corrected service time, then the end of the job.
 * @module
 */
import { tickPrice } from '../../../contracts/money/price.ts'
import type { Decision, MatchEvent, MatcherOptions } from '../../../node/matching/events.ts'
import { createMatcher } from '../../../node/matching/matcher.ts'
import {
  type Belief,
  type JobEnd,
  newcomer,
  restMs,
  revised,
} from '../../../node/scheduler/belief.ts'
import { blamedFor, failureStreaks, sharedBlame } from '../../../node/scheduler/blame.ts'
import { MODEL, type SlotSpec } from './fleet.ts'
import type { SimJob } from './jobs.ts'

export const PRICES = Array.from({ length: 96 }, (_, tick) => tickPrice(tick, 'ton'))
/** Nanotons per million tokens, by tick. */
export const NANO = PRICES.map(Number)

export interface RoleNeeds {
  readonly options: Omit<MatcherOptions, 'prices'>
  /** False where the scheduler takes every offer at its word. */
  readonly believes: boolean
  readonly now: () => number
  readonly at: (ms: number, act: () => void) => void
  readonly decided: (decision: Decision) => void
}

export interface Role {
  /** A slot appears; one that is `known` has shown its capacity long ago. */
  offer(spec: SlotSpec, known: boolean): void
  leave(slot: string): void
  /** A report of a slot's jobs, and how many of them it counts as ours, where it says so. */
  load(slot: string, running: number, own?: number): void
  submit(id: string, job: SimJob, exclude: readonly string[], deadline: number): void
  free(id: string, slot: string, end: JobEnd, tookMs: number): void
  /** Lets the core see the time. */
  pass(): void
  /** Jobs in its queue. */
  readonly waiting: number
}

interface Entry {
  readonly spec: SlotSpec
  readonly belief: Belief
  /** The slot gets no job before this time. */
  readonly restsUntil: number
}

export function createRole({ options, believes, now, at, decided }: RoleNeeds): Role {
  const matcher = createMatcher({ ...options, prices: PRICES })
  const entries = new Map<string, Entry>()
  const ofProvider = new Map<string, Set<string>>()
  const streaks = failureStreaks()
  const clock = (): number => Math.floor(now())

  function route(decisions: readonly Decision[]): void {
    for (const decision of decisions) decided(decision)
  }

  function apply(event: MatchEvent): void {
    const decisions: Decision[] = []
    matcher.apply({ ...event, at: clock() }, decisions)
    route(decisions)
  }

  function tell(slot: string, entry: Entry): void {
    entries.set(slot, entry)
    const { provider, tick, tier, region, gpu, memoryGiB } = entry.spec
    const capacity = entry.restsUntil > now() ? 0 : entry.belief.usable
    const { serviceMs } = entry.belief
    const what = { slot, provider, model: MODEL, tick, capacity, serviceMs }
    apply({ type: 'offer', ...what, tier, region, gpu, memoryGiB })
  }

  function believe(slot: string, belief: Belief, failed: boolean): void {
    const restsUntil = failed ? rest(slot, restMs(belief)) : 0
    tell(slot, { ...entries.get(slot)!, belief, restsUntil })
  }

  function blameSiblings(provider: string, slot: string, blamed: Belief, streak: number): void {
    for (const sibling of ofProvider.get(provider) ?? []) {
      if (sibling === slot) continue
      const { belief } = entries.get(sibling)!
      const shared = sharedBlame(belief, blamed, streak)
      if (shared !== belief) believe(sibling, shared, true)
    }
  }

  function rest(slot: string, ms: number): number {
    if (ms === 0) return 0
    const until = now() + ms
    at(until, () => {
      const entry = entries.get(slot)
      if (entry?.restsUntil === until) tell(slot, { ...entry, restsUntil: 0 })
    })
    return until
  }

  return {
    offer(spec, known) {
      const capacity = spec.places + spec.line
      const belief = newcomer(capacity, spec.declaredMs)
      const names = ofProvider.get(spec.provider) ?? new Set()
      ofProvider.set(spec.provider, names.add(spec.name))
      const trusted = known || !believes
      tell(spec.name, { spec, belief: trusted ? proven(belief) : belief, restsUntil: 0 })
    },
    leave(slot) {
      const entry = entries.get(slot)
      if (entry) ofProvider.get(entry.spec.provider)?.delete(slot)
      entries.delete(slot)
      apply({ type: 'leave', slot })
    },
    load: (slot, running, own) => apply({ type: 'load', slot, running, own }),
    submit(id, job, exclude, deadline) {
      const { tenant, expectedTokens, speedWeight, needs } = job
      const what = { id, model: MODEL, tenant, expectedTokens, speedWeight, ...needs }
      const { tags } = job
      apply({ type: 'job', ...what, exclude, tags, deadline: Math.floor(deadline) })
    },
    free(id, slot, end, tookMs) {
      const entry = entries.get(slot)
      if (entry && believes && end !== 'unused') {
        const { provider } = entry.spec
        const alone = revised(entry.belief, end, Math.round(tookMs))
        const failed = alone.failures > entry.belief.failures
        const streak = streaks.ended(provider, end, failed)
        const belief = blamedFor(alone, streak)
        believe(slot, belief, failed)
        if (failed) blameSiblings(provider, slot, belief, streak)
      }
      apply({ type: end === 'failed' ? 'fail' : 'done', id })
    },
    get waiting() {
      return matcher.queued
    },
    pass() {
      const decisions: Decision[] = []
      matcher.advance(clock(), decisions)
      route(decisions)
    },
  }
}

/** A slot that has served round after round, at its declared time, until all it declares counts. */
function proven(belief: Belief): Belief {
  let known = belief
  while (known.usable < known.declaredCapacity) known = revised(known, 'served', known.serviceMs)
  return known
}
