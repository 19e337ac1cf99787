/**
 * The state of a pool and how it changes: slots come and go, jobs are placed, wait and end.
 *
 * One invariant carries the queue: no waiting job could start now. A place therefore frees only on
 * the slot that an event names, and only that slot is tried against the queue.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { affineSlot, bestSlot, canStart, refusalOf, scoreOn } from './choosing.ts'
import { decodeNeeds, type Settings } from './decode.ts'
import type { Decision, JobEvent, OfferEvent } from './events.ts'
import type { SlotIndex } from './index/slotIndex.ts'
import { type FairQueue, fairQueue } from './queue.ts'
import { type Needs, type Running, type Slot, suits } from './slots.ts'
import { offerSlot, removeSlot, runningOn, type SlotTable, slotTable } from './slotTable.ts'
import { strategyOf } from './strategies.ts'
import type { Strategy } from './strategy.ts'
import { type Tenants, tenants } from './tenants.ts'

export interface Pool {
  readonly settings: Settings
  readonly slots: SlotTable
  /** Jobs placed and not yet ended. */
  readonly running: Map<string, Running>
  readonly strategy: Strategy
  readonly tenants: Tenants
  readonly queue: FairQueue
  /** Time of the last event, milliseconds. */
  now: number
  /** Jobs that have ever arrived. */
  arrivals: number
}

export function emptyPool(settings: Settings, index: SlotIndex): Pool {
  const { prices, salt, seed, affinityBonus } = settings
  const slots = slotTable(prices, salt, affinityBonus, index)
  const counters = tenants()
  const candidates = {
    best: (needs: Needs) => bestSlot(slots, needs),
    affine: (needs: Needs) => affineSlot(slots, needs),
    all: (needs: Needs) => slots.models.get(needs.model)?.slots ?? NONE,
    canStart: (needs: Needs, slot: Slot) => canStart(slots, needs, slot),
    running: (slot: Slot) => runningOn(slots, slot),
    serviceMs: (slot: Slot) => index.serviceMs(slot.row),
    score: (needs: Needs, slot: Slot, waitMs: number) => scoreOn(slots, needs, slot, waitMs),
  }
  return {
    settings,
    slots,
    running: new Map(),
    strategy: strategyOf(settings.strategy, candidates, seed),
    tenants: counters,
    queue: fairQueue(counters),
    now: 0,
    arrivals: 0,
  }
}

const NONE: readonly Slot[] = []

/** Moves time on and ends what waited too long. Throws `bad-input` where time would go back. */
export function expire(pool: Pool, at: number, decisions: Decision[]): void {
  if (!(at >= pool.now)) throw new MarketError('bad-input', { field: 'at', least: pool.now })
  pool.now = at
  if (pool.queue.nextDeadline > at) return
  let late = pool.queue.takeExpired(at)
  while (late) {
    decisions.push({ job: late.id, expired: true })
    late = pool.queue.takeExpired(at)
  }
}

/** A slot appears, or changes; either may let jobs start. */
export function offer(pool: Pool, event: OfferEvent, decisions: Decision[]): void {
  dispatch(pool, offerSlot(pool.slots, event), decisions)
}

/** Forgets a slot and its jobs: their ends are not known any more. */
export function leave(pool: Pool, slot: Slot): void {
  removeSlot(pool.slots, slot)
  for (let job = slot.lastJob; job; job = job.previous) pool.running.delete(job.id)
}

/** A new job: placed, refused or queued. */
export function submit(pool: Pool, event: JobEvent, decisions: Decision[]): void {
  const { queue, strategy } = pool
  const { id } = event
  if (pool.running.has(id) || (queue.size > 0 && queue.has(id))) {
    decisions.push({ job: id, refused: 'duplicate-job' })
    return
  }
  const arrival = pool.arrivals++
  const needs = decodeNeeds(event)
  const { tenant = '', expectedTokens = 1, deadline = Number.POSITIVE_INFINITY } = event
  const slot = strategy.pick(needs, pool.now)
  if (slot) {
    place(pool, id, tenant, expectedTokens, needs, slot, decisions)
    return
  }
  const refusal = refusalOf(pool.slots, needs)
  if (refusal) {
    decisions.push({ job: id, ...refusal })
  } else if (!strategy.queues || queue.size >= pool.settings.queueLimit) {
    decisions.push({ job: id, refused: 'queue-full' })
  } else if (deadline <= pool.now) {
    decisions.push({ job: id, expired: true })
  } else {
    const { priority = 0 } = event
    queue.push({ id, tenant, expectedTokens, priority, arrival, deadline, needs })
    decisions.push({ job: id, queued: true })
  }
}

/** A job ended on its slot. One that is not known changes nothing. */
export function end(pool: Pool, id: string, completed: boolean, decisions: Decision[]): void {
  const job = pool.running.get(id)
  if (!job) return
  const { slot, startedAt, previous, next } = job
  pool.running.delete(id)
  if (previous) previous.next = next
  if (next) next.previous = previous
  else slot.lastJob = previous
  slot.inFlight--
  pool.slots.index.finish(slot.row)
  if (completed) slot.completed++
  pool.strategy.ended(slot, pool.now - startedAt, pool.now)
  dispatch(pool, slot, decisions)
}

/** Fills the free places of a slot from the queue. */
export function dispatch(pool: Pool, slot: Slot, decisions: Decision[]): void {
  while (pool.queue.size > 0 && pool.slots.index.isFree(slot.row)) {
    const job = pool.queue.next(slot.model, (needs) => suits(needs, slot))
    if (!job) return
    pool.queue.remove(job.id)
    place(pool, job.id, job.tenant, job.expectedTokens, job.needs, slot, decisions)
  }
}

function place(
  pool: Pool,
  id: string,
  tenant: string,
  expectedTokens: number,
  needs: Needs,
  slot: Slot,
  decisions: Decision[],
): void {
  const score = scoreOn(pool.slots, needs, slot, pool.strategy.waitOf(slot))
  pool.slots.index.start(slot.row)
  const previous = slot.lastJob
  const job: Running = { id, slot, startedAt: pool.now, previous, next: undefined }
  if (previous) previous.next = job
  slot.lastJob = job
  slot.inFlight++
  slot.placed++
  pool.running.set(id, job)
  pool.tenants.charge(pool.tenants.of(tenant), expectedTokens)
  pool.slots.affinity.served(slot, needs.tags)
  pool.strategy.placed(slot)
  decisions.push({ job: id, slot: slot.name, score })
}
