/**
 * The scheduler's view of who serves what: offers in, places out, over the matching core.
 *
 * The core decides; this decides what the core is told (`belief.ts`): a provider without a funded
 * channel, or one that failed, has less capacity than it declares. Decisions are routed to whoever
 * asked, in the turn they were made.
 * @module
 */
import type { Clock } from '../../contracts/base/ports.ts'
import { tickPrice } from '../../contracts/money/price.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'
import type { Decision, MatchEvent } from '../matching/events.ts'
import { createMatcher, type Matcher } from '../matching/matcher.ts'
import { type Belief, type JobEnd, newcomer, redeclared, restMs, revised } from './belief.ts'
import type { OfferView } from './offers.ts'
import { type Outcome, type Pool, type PoolOptions, slotName } from './poolTypes.ts'

/** A pool on the matching core. Every event carries the clock's monotonic time. */
export function createPool(clock: Clock, options: PoolOptions): Pool {
  return new MatchedPool(clock, options)
}

interface Entry {
  readonly offer: OfferView
  readonly belief: Belief
  /** Set while the slot rests after failures; ends the rest early. */
  readonly endRest?: () => void
}

interface Waiter {
  decide(outcome: Outcome): void
  stop(): void
}

class MatchedPool implements Pool {
  private readonly clock: Clock
  private readonly matcher: Matcher
  private readonly entries = new Map<string, Entry>()
  private readonly ofProvider = new Map<string, Set<string>>()
  /** How many slots offer a model at each tick: a submit asks for the lowest. */
  private readonly ticks = new Map<string, Map<number, number>>()
  private readonly payable = new Set<string>()
  private readonly asked = new Map<string, Waiter>()

  constructor(clock: Clock, options: PoolOptions) {
    this.clock = clock
    const prices = Array.from({ length: 96 }, (_, tick) => tickPrice(tick, 'ton'))
    this.matcher = createMatcher({ ...options, prices })
  }

  offer(offer: OfferView): void {
    const name = slotName(offer.provider, offer.slot)
    const known = this.entries.get(name)
    const belief = known
      ? redeclared(known.belief, offer.capacity)
      : newcomer(offer.capacity, offer.serviceMs)
    if (known) this.countTick(known.offer, -1)
    this.countTick(offer, 1)
    const names = this.ofProvider.get(offer.provider) ?? new Set()
    this.ofProvider.set(offer.provider, names.add(name))
    this.tell(name, { ...known, offer, belief })
  }

  drain(provider: string, slot: string): void {
    const name = slotName(provider, slot)
    if (this.entries.has(name)) this.apply({ type: 'drain', slot: name })
  }

  leave(provider: string, slot?: string): void {
    const names = this.ofProvider.get(provider) ?? new Set<string>()
    for (const name of [...names]) {
      const entry = this.entries.get(name)
      if (!entry || (slot !== undefined && entry.offer.slot !== slot)) continue
      entry.endRest?.()
      this.countTick(entry.offer, -1)
      this.entries.delete(name)
      names.delete(name)
      this.apply({ type: 'leave', slot: name })
    }
    if (names.size > 0) return
    this.ofProvider.delete(provider)
    this.payable.delete(provider)
  }

  setPayable(provider: string, payable: boolean): void {
    if (this.payable.has(provider) === payable) return
    if (payable) this.payable.add(provider)
    else this.payable.delete(provider)
    for (const name of this.ofProvider.get(provider) ?? []) this.tell(name, this.entries.get(name)!)
  }

  ask(id: string, spec: JobSpec, excluded: readonly string[], decide: (o: Outcome) => void): void {
    const deadline = Math.floor(this.clock.monotonicMs()) + spec.deadlineMs
    const stop = this.clock.after(spec.deadlineMs + 1, () => this.pass())
    this.asked.set(id, { decide, stop })
    try {
      this.apply({
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
    } catch (error) {
      this.forget(id)
      throw error
    }
  }

  cancel(id: string): void {
    this.forget(id)
    this.apply({ type: 'cancel', id })
  }

  free(id: string, slot: string, end: JobEnd, tookMs: number): void {
    const entry = this.entries.get(slot)
    if (entry && end !== 'unused') {
      const belief = revised(entry.belief, end, tookMs)
      const rest = belief.failures > entry.belief.failures ? restMs(belief) : 0
      entry.endRest?.()
      const endRest = rest > 0 ? this.clock.after(rest, () => this.wake(slot)) : undefined
      this.tell(slot, { ...entry, belief, endRest })
    }
    this.apply({ type: end === 'failed' ? 'fail' : 'done', id })
  }

  offers(): readonly OfferView[] {
    return [...this.entries.values()].map((entry) => entry.offer)
  }

  lowestTick(model: string): number | undefined {
    let lowest: number | undefined
    for (const tick of this.ticks.get(model)?.keys() ?? []) {
      if (lowest === undefined || tick < lowest) lowest = tick
    }
    return lowest
  }

  waiting(): number {
    return this.asked.size
  }

  stop(): void {
    for (const waiter of this.asked.values()) waiter.stop()
    for (const entry of this.entries.values()) entry.endRest?.()
  }

  private wake(name: string): void {
    const entry = this.entries.get(name)
    if (entry) this.tell(name, { ...entry, endRest: undefined })
  }

  private countTick({ model, tick }: OfferView, change: 1 | -1): void {
    const counts = this.ticks.get(model) ?? new Map<number, number>()
    const count = (counts.get(tick) ?? 0) + change
    if (count > 0) counts.set(tick, count)
    else counts.delete(tick)
    if (counts.size > 0) this.ticks.set(model, counts)
    else this.ticks.delete(model)
  }

  private tell(name: string, entry: Entry): void {
    this.entries.set(name, entry)
    const { offer, belief, endRest } = entry
    const { provider, model, tick, tier, region, gpu, memoryGiB } = offer
    const usable = this.payable.has(provider) && !endRest
    const capacity = usable ? belief.usable : 0
    const { serviceMs } = belief
    const what = { slot: name, provider, model, tick, capacity, serviceMs }
    this.apply({ type: 'offer', ...what, tier, region, gpu, memoryGiB })
  }

  private apply(event: MatchEvent): void {
    const decisions: Decision[] = []
    this.matcher.apply({ ...event, at: Math.floor(this.clock.monotonicMs()) }, decisions)
    for (const decision of decisions) this.route(decision)
  }

  /** Lets the core see the time, so that waiting jobs past their deadline end. */
  private pass(): void {
    const decisions: Decision[] = []
    this.matcher.advance(Math.floor(this.clock.monotonicMs()), decisions)
    for (const decision of decisions) this.route(decision)
  }

  private route(decision: Decision): void {
    const waiter = this.asked.get(decision.job)
    if (!waiter) {
      // Cancelled while this was on its way: the place is given back, not lost.
      if ('slot' in decision) this.apply({ type: 'done', id: decision.job })
      return
    }
    if ('queued' in decision) {
      waiter.decide({ type: 'queued' })
      return
    }
    this.forget(decision.job)
    if ('slot' in decision) {
      const { offer } = this.entries.get(decision.slot)!
      waiter.decide({ type: 'matched', slot: decision.slot, offer })
    } else if ('expired' in decision) waiter.decide({ type: 'expired' })
    else waiter.decide({ type: 'refused', decision })
  }

  private forget(id: string): void {
    this.asked.get(id)?.stop()
    this.asked.delete(id)
  }
}
