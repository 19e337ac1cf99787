/**
 * The scheduler's view of who serves what: offers in, places out, over the matching core.
 *
 * The core decides; this decides what the core is told (`belief.ts`): a provider without a funded
 * channel, or one that failed, has less capacity than it declares. Decisions are routed to whoever
 * asked, in the turn they were made.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import type { Tier } from '../../contracts/base/tier.ts'
import type { Multipliers, Steps } from '../../contracts/money/price.ts'
import { tickPrice } from '../../contracts/money/price.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'
import type { Decision, MatchEvent, StrategyName } from '../matching/events.ts'
import { createMatcher } from '../matching/matcher.ts'
import { type Belief, failed, newcomer, redeclared, succeeded } from './belief.ts'

/** One slot as its provider offers it. `slot` is unique within the provider. */
export interface OfferView {
  readonly provider: string
  readonly slot: string
  readonly model: string
  readonly modelHash: Bytes
  readonly tick: number
  readonly capacity: number
  readonly serviceMs: number
  readonly tier: Tier
  readonly region: string
  readonly gpu: string
  readonly memoryGiB: number
  readonly contextTokens: number
  readonly multipliers: Multipliers
  readonly steps: Steps
  readonly window: number
  readonly demo: boolean
}

interface Entry {
  readonly offer: OfferView
  readonly belief: Belief
  /** False while the scheduler cannot pay this provider. */
  readonly payable: boolean
  readonly running: number
}

/** What the pool decided for one asked place. */
export type Outcome =
  | { readonly type: 'matched'; readonly slot: string; readonly offer: OfferView }
  | { readonly type: 'queued' }
  | { readonly type: 'expired' }
  | { readonly type: 'refused'; readonly decision: Extract<Decision, { refused: string }> }

export interface Pool {
  /** Announces or updates a slot. */
  offer(offer: OfferView): void
  /** Takes no new jobs; running ones go on. */
  drain(provider: string, slot: string): void
  /** Forgets a slot, or all slots of a provider. */
  leave(provider: string, slot?: string): void
  /** Says whether the scheduler can pay a provider now. */
  setPayable(provider: string, payable: boolean): void
  /** Asks for a place; `decide` is called once, or first with `queued` and later again. */
  ask(id: string, spec: JobSpec, excluded: readonly string[], decide: (o: Outcome) => void): void
  cancel(id: string): void
  /** Frees a place that `ask` gave. */
  free(id: string, slot: string, ok: boolean, tookMs: number): void
  offers(): readonly OfferView[]
  waiting(): number
}

export interface PoolOptions {
  readonly strategy: StrategyName
  readonly salt: number
  readonly seed: number
  readonly queueLimit: number
}

/** A pool on the matching core. Every event carries the clock's monotonic time. */
export function createPool(clock: Clock, options: PoolOptions): Pool {
  const prices = Array.from({ length: 96 }, (_, tick) => tickPrice(tick, 'ton'))
  const matcher = createMatcher({ ...options, prices })
  const entries = new Map<string, Entry>()
  const asked = new Map<string, { decide: (o: Outcome) => void; stop: () => void }>()

  const apply = (event: MatchEvent) => {
    const decisions: Decision[] = []
    matcher.apply({ ...event, at: Math.floor(clock.monotonicMs()) }, decisions)
    for (const decision of decisions) route(decision)
  }

  /** Lets the core see the time, so that waiting jobs past their deadline end. */
  const pass = () => {
    const decisions: Decision[] = []
    matcher.advance(Math.floor(clock.monotonicMs()), decisions)
    for (const decision of decisions) route(decision)
  }

  const route = (decision: Decision) => {
    const waiter = asked.get(decision.job)
    if (!waiter) return
    if ('queued' in decision) {
      return waiter.decide({ type: 'queued' })
    }
    finish(decision.job)
    if ('slot' in decision) {
      const entry = entries.get(decision.slot)
      if (entry) entries.set(decision.slot, { ...entry, running: entry.running + 1 })
      if (entry) waiter.decide({ type: 'matched', slot: decision.slot, offer: entry.offer })
    } else if ('expired' in decision) waiter.decide({ type: 'expired' })
    else waiter.decide({ type: 'refused', decision })
  }

  const finish = (id: string) => {
    asked.get(id)?.stop()
    asked.delete(id)
  }

  const tell = (name: string, entry: Entry) => {
    entries.set(name, entry)
    const capacity = entry.payable ? entry.belief.usable : 0
    const { offer } = entry
    apply({
      type: 'offer',
      slot: name,
      provider: offer.provider,
      model: offer.model,
      tick: offer.tick,
      capacity,
      serviceMs: entry.belief.serviceMs,
      tier: offer.tier,
      region: offer.region,
      gpu: offer.gpu,
      memoryGiB: offer.memoryGiB,
    })
  }

  const ofProvider = (provider: string) =>
    [...entries].filter(([, entry]) => entry.offer.provider === provider)

  return {
    offer(offer) {
      const name = slotName(offer.provider, offer.slot)
      const known = entries.get(name)
      const belief = known
        ? redeclared(known.belief, offer.capacity)
        : newcomer(offer.capacity, offer.serviceMs)
      const payable = known?.payable ?? ofProvider(offer.provider).some(([, e]) => e.payable)
      tell(name, { offer, belief, payable, running: known?.running ?? 0 })
    },
    drain(provider, slot) {
      const name = slotName(provider, slot)
      if (entries.has(name)) apply({ type: 'drain', slot: name })
    },
    leave(provider, slot) {
      for (const [name, entry] of ofProvider(provider)) {
        if (slot !== undefined && entry.offer.slot !== slot) continue
        entries.delete(name)
        apply({ type: 'leave', slot: name })
      }
    },
    setPayable(provider, payable) {
      for (const [name, entry] of ofProvider(provider)) {
        if (entry.payable !== payable) tell(name, { ...entry, payable })
      }
    },
    ask(id, spec, excluded, decide) {
      const deadline = Math.floor(clock.monotonicMs()) + spec.deadlineMs
      const stop = clock.after(spec.deadlineMs + 1, pass)
      asked.set(id, { decide, stop })
      apply({
        type: 'job',
        id,
        tenant: spec.channel.toRawString(),
        model: spec.model,
        maxTick: spec.maxTick,
        expectedTokens: spec.maxTokens,
        speedWeight: spec.speedWeight,
        minTier: spec.minTier,
        regions: spec.regions,
        gpus: spec.gpus,
        minMemoryGiB: spec.minMemoryGiB,
        exclude: excluded,
        priority: spec.priority,
        deadline,
      })
    },
    cancel(id) {
      finish(id)
      apply({ type: 'cancel', id })
    },
    free(id, slot, ok, tookMs) {
      const entry = entries.get(slot)
      if (entry) {
        const belief = ok ? succeeded(entry.belief, tookMs) : failed(entry.belief)
        const running = Math.max(0, entry.running - 1)
        tell(slot, { ...entry, belief, running })
      }
      apply({ type: ok ? 'done' : 'fail', id })
    },
    offers: () => [...entries.values()].map((entry) => entry.offer),
    waiting: () => asked.size,
  }
}

/** The name of a slot in the whole pool. */
export function slotName(provider: string, slot: string): string {
  return `${provider}/${slot}`
}

/** An identity key as the provider's name in the pool. */
export function providerName(identity: Bytes): string {
  return toHex(identity)
}
