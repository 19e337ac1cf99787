/**
 * The matching core: a deterministic state machine of one pool. Events in, decisions out.
 *
 * It reads no clock (`at` is the only time), draws from its seed only, and changes in place. The
 * scheduler hands it what it believes; `chrysalis match` hands it a recorded stream.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { checkEvent } from './check.ts'
import { checkOptions, decodeNeeds } from './decode.ts'
import type { Decision, JobEvent, LoadEvent, MatchEvent, MatcherOptions } from './events.ts'
import { type Reason, type Why, why, whyNot } from './explain.ts'
import { fastIndex } from './index/wasmIndex.ts'
import { dispatch, emptyPool, end, expire, leave, offer, type Pool, submit } from './pool.ts'
import { drainSlot, runningOn } from './slotTable.ts'

export interface Matcher {
  /**
   * Takes one event and appends its decisions to `decisions`, in order. Throws `bad-input` (with
   * `field`) or `limit-exceeded`; the state is then what it was.
   */
  apply(event: MatchEvent, decisions: Decision[]): void
  /** Lets time pass without an event: waiting jobs past their deadline end. Throws `bad-input`. */
  advance(at: number, decisions: Decision[]): void
  /** When the next waiting job ends, on the clock of `at`; infinity where none will. */
  readonly nextDeadline: number
  /** Jobs that wait. */
  readonly queued: number
  /** Jobs running on a slot, as believed; nothing where it is not known. */
  running(slot: string): number | undefined
  /** Why a slot would not get a job now, and what would change that. */
  whyNot(slot: string, job: JobEvent): Reason
  /** Why the best slot for a job now is the best, and what comes after it. */
  why(job: JobEvent): Why
  /** Names of the slots that serve a model, by first appearance. */
  slots(model: string): string[]
}

/**
 * A matcher without slots or jobs. Throws `bad-input` on options out of range.
 *
 * @example
 * const matcher = createMatcher({ prices: TICKS.map((tick) => tickPrice(tick, 'ton')) })
 * const decisions: Decision[] = []
 * matcher.apply({ type: 'offer', slot: 'p1', model: 'm', tick: 40, capacity: 8 }, decisions)
 * matcher.apply({ type: 'job', id: 'j1', model: 'm', expectedTokens: 200 }, decisions)
 */
export function createMatcher(options: MatcherOptions): Matcher {
  const settings = checkOptions(options)
  const pool = emptyPool(settings, (options.index ?? fastIndex)(settings.prices))
  return {
    apply(event, decisions) {
      checkEvent(event)
      checkRoom(pool, event)
      expire(pool, event.at ?? pool.now, decisions)
      change(pool, event, decisions)
    },
    advance: (at, decisions) => expire(pool, at, decisions),
    get nextDeadline() {
      return pool.queue.nextDeadline
    },
    get queued() {
      return pool.queue.size
    },
    running(name) {
      const slot = pool.slots.byName.get(name)
      return slot && runningOn(pool.slots, slot)
    },
    why(job) {
      checkEvent(job)
      return why(pool.slots, decodeNeeds(job))
    },
    slots: (model) =>
      (pool.slots.models.get(model)?.slots ?? [])
        .toSorted((a, b) => a.appearance - b.appearance)
        .map((slot) => slot.name),
    whyNot(name, job) {
      checkEvent(job)
      return whyNot(pool.slots, pool.slots.byName.get(name), decodeNeeds(job))
    },
  }
}

function change(pool: Pool, event: MatchEvent, decisions: Decision[]): void {
  switch (event.type) {
    case 'offer':
      offer(pool, event, decisions)
      return
    case 'job':
      submit(pool, event, decisions)
      return
    case 'done':
    case 'fail':
      end(pool, event.id, event.type === 'done', decisions)
      return
    case 'cancel':
      pool.queue.remove(event.id)
      return
  }
  const slot = pool.slots.byName.get(event.slot)
  if (!slot) return // a report that crossed with the slot's leaving
  switch (event.type) {
    case 'load':
      pool.slots.index.setRunning(slot.row, loadOf(event, slot.inFlight))
      dispatch(pool, slot, decisions)
      return
    case 'service':
      pool.slots.index.setServiceMs(slot.row, event.serviceMs)
      return
    case 'drain':
      drainSlot(pool.slots, slot)
      return
    case 'leave':
      leave(pool, slot)
  }
}

/** Jobs on a slot, from a report that may be older than what was placed or ended since. */
function loadOf({ running, own }: LoadEvent, inFlight: number): number {
  return own === undefined ? running : Math.max(0, running - own) + inFlight
}

/** What an event needs of the state, checked before anything changes. */
function checkRoom(pool: Pool, event: MatchEvent): void {
  if (event.type === 'job' && pool.running.size >= LIMITS.poolJobs) {
    throw new MarketError('limit-exceeded', { limit: 'poolJobs', most: LIMITS.poolJobs })
  }
  if (event.type !== 'offer') return
  const { byName, models } = pool.slots
  if (event.model && !models.has(event.model) && models.size >= LIMITS.poolModels) {
    throw new MarketError('limit-exceeded', { limit: 'poolModels', most: LIMITS.poolModels })
  }
  if (byName.has(event.slot)) return
  if (byName.size >= LIMITS.poolSlots) {
    throw new MarketError('limit-exceeded', { limit: 'poolSlots', most: LIMITS.poolSlots })
  }
  for (const field of ['model', 'tick', 'capacity'] as const) {
    if (event[field] !== undefined) continue
    throw new MarketError('bad-input', { field, expected: 'a value, for a slot not yet known' })
  }
}
