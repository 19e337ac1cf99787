/**
 * The state of a pool and how it changes: slots come and go, jobs are placed, wait and end.
 *
 * One invariant carries the queue: no waiting job could start now. A place therefore frees only on
 * the slot that an event names, and only that slot is tried against the queue.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { assign, decode, newSlot, type Settings } from './decode.ts'
import type { Decision, JobEvent, OfferEvent } from './events.ts'
import { type FairQueue, fairQueue, type WaitingJob } from './queue.ts'
import { canStart, type Slot, type SlotIndex, scanIndex, scoreOf } from './slots.ts'
import { strategyOf } from './strategies.ts'
import type { Strategy } from './strategy.ts'

export interface Pool {
  readonly settings: Settings
  readonly slots: Map<string, Slot>
  /** Jobs placed and not yet ended. */
  readonly running: Map<string, { readonly slot: Slot; readonly startedAt: number }>
  readonly index: SlotIndex
  readonly strategy: Strategy
  readonly queue: FairQueue
  /** Time of the last event, milliseconds. */
  now: number
  /** Slots that have ever appeared. */
  appearances: number
  /** Jobs that have ever arrived. */
  arrivals: number
}

export function emptyPool(settings: Settings): Pool {
  return {
    settings,
    slots: new Map(),
    running: new Map(),
    index: scanIndex(settings.prices),
    strategy: strategyOf(settings.strategy, settings.prices, settings.seed),
    queue: fairQueue(),
    now: 0,
    appearances: 0,
    arrivals: 0,
  }
}

/** Moves time on and ends what waited too long. Throws `bad-input` where time would go back. */
export function expire(pool: Pool, at: number, decisions: Decision[]): void {
  if (!(at >= pool.now)) throw new MarketError('bad-input', { field: 'at', least: pool.now })
  pool.now = at
  let late = pool.queue.takeExpired(at)
  while (late) {
    decisions.push({ job: late.id, expired: true })
    late = pool.queue.takeExpired(at)
  }
}

/** A slot appears, or changes; either may let jobs start. */
export function offer(pool: Pool, event: OfferEvent, decisions: Decision[]): void {
  const known = pool.slots.get(event.slot)
  const slot = known ?? newSlot(event.slot, pool.appearances++, pool.settings.salt)
  if (known) pool.index.remove(slot)
  else pool.slots.set(event.slot, slot)
  assign(slot, event)
  pool.index.add(slot)
  dispatch(pool, slot, decisions)
}

/** Forgets a slot and its jobs: their ends are not known any more. */
export function leave(pool: Pool, slot: Slot): void {
  pool.slots.delete(slot.name)
  pool.index.remove(slot)
  for (const id of slot.jobs) pool.running.delete(id)
}

/** A new job: placed, refused or queued. */
export function submit(pool: Pool, event: JobEvent, decisions: Decision[]): void {
  const { queue, running, strategy } = pool
  if (running.has(event.id) || queue.has(event.id)) {
    decisions.push({ job: event.id, refused: 'duplicate-job' })
    return
  }
  const job = decode(event, pool.arrivals++)
  const slot = strategy.pick(job.needs, pool.index, pool.now)
  if (slot) {
    place(pool, job, slot, decisions)
    return
  }
  const refusal = pool.index.refusal(job.needs)
  if (refusal) {
    decisions.push({ job: job.id, ...refusal })
  } else if (!strategy.queues || queue.size >= pool.settings.queueLimit) {
    decisions.push({ job: job.id, refused: 'queue-full' })
  } else if (job.deadline <= pool.now) {
    decisions.push({ job: job.id, expired: true })
  } else {
    queue.push(job)
    decisions.push({ job: job.id, queued: true })
  }
}

/** A job ended on its slot. One that is not known changes nothing. */
export function end(pool: Pool, id: string, completed: boolean, decisions: Decision[]): void {
  const job = pool.running.get(id)
  if (!job) return
  const { slot, startedAt } = job
  pool.running.delete(id)
  slot.jobs.delete(id)
  slot.running = Math.max(0, slot.running - 1)
  if (completed) slot.completed++
  pool.strategy.ended(slot, pool.now - startedAt, pool.now)
  dispatch(pool, slot, decisions)
}

/** Fills the free places of a slot from the queue. */
export function dispatch(pool: Pool, slot: Slot, decisions: Decision[]): void {
  while (slot.running < slot.capacity && pool.queue.size > 0) {
    const job = pool.queue.next(slot.model, (needs) => canStart(needs, slot))
    if (!job) return
    pool.queue.remove(job.id)
    place(pool, job, slot, decisions)
  }
}

function place(pool: Pool, job: WaitingJob, slot: Slot, decisions: Decision[]): void {
  const price = pool.settings.prices[slot.tick]!
  const score = scoreOf(job.needs, price, pool.strategy.waitOf(slot))
  slot.running++
  slot.placed++
  slot.jobs.add(job.id)
  pool.running.set(job.id, { slot, startedAt: pool.now })
  pool.queue.charge(job.tenant, job.expectedTokens)
  pool.strategy.placed(slot)
  decisions.push({ job: job.id, slot: slot.name, score })
}
