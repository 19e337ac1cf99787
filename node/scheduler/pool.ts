/**
 * The scheduler's view of who serves what: offers in, places out, over the matching core.
 *
 * The core decides; this decides what the core is told (`belief.ts`): a provider without a funded
 * channel, or one that failed, has less capacity than it declares. Decisions are routed to whoever
 * asked, in the turn they were made. Each model has one owner, a matcher that knows nothing of the
 * models of others, so that owners can move to threads or machines of their own.
 * @module
 */
import type { Clock } from '../../contracts/base/ports.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import { TICKS, tickPrice } from '../../contracts/money/price.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'
import type { Decision, MatchEvent } from '../matching/events.ts'
import { createMatcher, type Matcher } from '../matching/matcher.ts'
import { type Belief, type JobEnd, newcomer, redeclared, restMs, revised } from './belief.ts'
import { blamedFor, failureStreaks, sharedBlame } from './blame.ts'
import { matchJob } from './matchJob.ts'
import type { OfferView } from './offers.ts'
import { payableProviders } from './payable.ts'
import {
  type Outcome,
  ownerNumber,
  type Pool,
  type PoolOptions,
  saleOf,
  slotName,
} from './poolTypes.ts'
import { tickCounts } from './tickCounts.ts'

/** A pool on the matching core. Every event carries the clock's monotonic time. */
export function createPool(clock: Clock, options: PoolOptions): Pool {
  return new MatchedPool(clock, options)
}

const PRICES = Array.from({ length: TICKS }, (_, tick) => tickPrice(tick, 'ton'))

interface Entry {
  readonly offer: OfferView
  readonly belief: Belief
  /** Set while the slot rests after failures; ends the rest early. */
  readonly endRest?: () => void
}

interface Waiter {
  readonly owner: Matcher
  decide(outcome: Outcome): void
  stop(): void
}

class MatchedPool implements Pool {
  private readonly clock: Clock
  private readonly owners: readonly Matcher[]
  private readonly entries = new Map<string, Entry>()
  private readonly ofProvider = new Map<string, Set<string>>()
  private readonly ticks = tickCounts()
  private readonly payable = payableProviders()
  private readonly streaks = failureStreaks()
  private readonly asked = new Map<string, Waiter>()

  constructor(clock: Clock, options: PoolOptions) {
    this.clock = clock
    const { owners = 1, ...shared } = options
    // Owners share the bound of the queue, and draw apart.
    const queueLimit = Math.floor(shared.queueLimit / owners)
    this.owners = Array.from({ length: owners }, (_, owner) => {
      const seed = (shared.seed + owner) >>> 0
      return createMatcher({ ...shared, prices: PRICES, seed, queueLimit })
    })
  }

  offer(offer: OfferView): void {
    const name = slotName(offer.provider, offer.slot)
    const known = this.entries.get(name)
    const { capacity, serviceMs } = offer
    const belief = known ? redeclared(known.belief, capacity) : newcomer(capacity, serviceMs)
    if (known) this.ticks.count(known.offer, -1)
    this.ticks.count(offer, 1)
    if (known && this.ownerOf(saleOf(known.offer)) !== this.ownerOf(saleOf(offer))) {
      this.apply(saleOf(known.offer), { type: 'leave', slot: name })
    }
    const names = this.ofProvider.get(offer.provider) ?? new Set()
    this.ofProvider.set(offer.provider, names.add(name))
    this.tell(name, { ...known, offer, belief })
  }

  drain(provider: string, slot: string): void {
    const name = slotName(provider, slot)
    const entry = this.entries.get(name)
    if (entry) this.apply(saleOf(entry.offer), { type: 'drain', slot: name })
  }

  leave(provider: string, slot?: string): void {
    const names = this.ofProvider.get(provider) ?? new Set<string>()
    for (const name of [...names]) {
      const entry = this.entries.get(name)
      if (!entry || (slot !== undefined && entry.offer.slot !== slot)) continue
      entry.endRest?.()
      this.ticks.count(entry.offer, -1)
      this.entries.delete(name)
      names.delete(name)
      this.apply(saleOf(entry.offer), { type: 'leave', slot: name })
    }
    if (names.size > 0) return
    this.ofProvider.delete(provider)
    this.payable.forget(provider)
    this.streaks.forget(provider)
  }

  setPayable(provider: string, payable: boolean, asset?: Asset): void {
    if (!this.payable.set({ provider, asset }, payable)) return
    for (const name of this.ofProvider.get(provider) ?? []) this.tell(name, this.entries.get(name)!)
  }

  ask(id: string, spec: JobSpec, excluded: readonly string[], decide: (o: Outcome) => void): void {
    const deadline = Math.floor(this.clock.monotonicMs()) + spec.deadlineMs
    const stop = this.clock.after(spec.deadlineMs + 1, () => this.pass())
    const sale = saleOf(spec)
    this.asked.set(id, { owner: this.ownerOf(sale), decide, stop })
    try {
      this.apply(sale, matchJob(id, spec, excluded, deadline))
    } catch (error) {
      this.forget(id)
      throw error
    }
  }

  cancel(id: string): void {
    const { owner } = this.asked.get(id) ?? {}
    this.forget(id)
    if (owner) this.applyTo(owner, { type: 'cancel', id })
  }

  free(id: string, slot: string, end: JobEnd, tookMs: number): void {
    const entry = this.entries.get(slot)
    if (entry && end !== 'unused') {
      const { provider } = entry.offer
      const alone = revised(entry.belief, end, tookMs)
      const failed = alone.failures > entry.belief.failures
      const streak = this.streaks.ended(provider, end, failed)
      const belief = blamedFor(alone, streak)
      this.believe(slot, belief, failed)
      if (failed) this.blameSiblings(provider, slot, belief, streak)
    }
    // Where the slot has left, its jobs are forgotten already.
    if (entry) this.apply(saleOf(entry.offer), { type: end === 'failed' ? 'fail' : 'done', id })
  }

  offers(): readonly OfferView[] {
    return [...this.entries.values()].map(({ offer }) => offer)
  }

  lowestTick(model: string, asset?: Asset): number | undefined {
    return this.ticks.lowest(saleOf({ model, asset }))
  }

  waiting(): number {
    return this.asked.size
  }

  stop(): void {
    for (const { stop } of this.asked.values()) stop()
    for (const { endRest } of this.entries.values()) endRest?.()
  }

  private believe(name: string, belief: Belief, failed: boolean): void {
    const entry = this.entries.get(name)!
    const rest = failed ? restMs(belief) : 0
    entry.endRest?.()
    const endRest = rest > 0 ? this.clock.after(rest, () => this.wake(name)) : undefined
    this.tell(name, { ...entry, belief, endRest })
  }

  private blameSiblings(provider: string, name: string, blamed: Belief, streak: number): void {
    for (const sibling of this.ofProvider.get(provider) ?? []) {
      if (sibling === name) continue
      const { belief } = this.entries.get(sibling)!
      const shared = sharedBlame(belief, blamed, streak)
      if (shared !== belief) this.believe(sibling, shared, true)
    }
  }

  private wake(name: string): void {
    const entry = this.entries.get(name)
    if (entry) this.tell(name, { ...entry, endRest: undefined })
  }

  private tell(name: string, entry: Entry): void {
    this.entries.set(name, entry)
    const { offer, belief, endRest } = entry
    const { provider, tick, tier, region, gpu, memoryGiB } = offer
    const model = saleOf(offer)
    const usable = this.payable.has(offer) && !endRest
    const capacity = usable ? belief.usable : 0
    const { serviceMs } = belief
    const what = { provider, model, tick, capacity, serviceMs, tier, region, gpu, memoryGiB }
    this.apply(model, { type: 'offer', slot: name, ...what })
  }

  private ownerOf(model: string): Matcher {
    return this.owners[ownerNumber(model, this.owners.length)]!
  }

  private apply(model: string, event: MatchEvent): void {
    this.applyTo(this.ownerOf(model), event)
  }

  private applyTo(owner: Matcher, event: MatchEvent): void {
    const decisions: Decision[] = []
    owner.apply({ ...event, at: Math.floor(this.clock.monotonicMs()) }, decisions)
    for (const decision of decisions) this.route(decision, owner)
  }

  /** Lets the core see the time, so that waiting jobs past their deadline end. */
  private pass(): void {
    for (const owner of this.owners) {
      const decisions: Decision[] = []
      owner.advance(Math.floor(this.clock.monotonicMs()), decisions)
      for (const decision of decisions) this.route(decision, owner)
    }
  }

  private route(decision: Decision, owner: Matcher): void {
    const waiter = this.asked.get(decision.job)
    if (!waiter) {
      // Cancelled while this was on its way: the place is given back, not lost.
      if ('slot' in decision) this.applyTo(owner, { type: 'done', id: decision.job })
      return
    }
    if ('queued' in decision) waiter.decide({ type: 'queued' })
    else this.forget(decision.job)
    if ('slot' in decision) {
      const { offer } = this.entries.get(decision.slot)!
      waiter.decide({ type: 'matched', slot: decision.slot, offer })
    } else if ('expired' in decision) waiter.decide({ type: 'expired' })
    else if ('refused' in decision) waiter.decide({ type: 'refused', decision })
  }

  private forget(id: string): void {
    this.asked.get(id)?.stop()
    this.asked.delete(id)
  }
}
