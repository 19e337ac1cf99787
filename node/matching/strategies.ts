/**
 * Strategies: plain factories behind one interface. Each sees the pool through the slot index only.
 *
 * - `exact`: the least score; for the one owner of a pool.
 * - `p2c`: the better of two random eligible slots, counting its own jobs in flight; for schedulers
 *   that share providers and see offers that are stale.
 * - `reserve`: `exact`, but one placing in `RESERVE_EVERY` goes to a newcomer where one can start.
 * - `cocoon`: the baseline, in `cocoon.ts`.
 * @module
 */
import { cocoon } from './cocoon.ts'
import type { StrategyName } from './events.ts'
import { type Draw, generator } from './random.ts'
import { type Needs, type Slot, type SlotIndex, scoreOf, waitOf } from './slots.ts'
import type { Strategy } from './strategy.ts'

/** One placing in this many is reserved for newcomers. */
export const RESERVE_EVERY = 16
/** A slot is a newcomer until it has completed this many jobs. */
export const NEWCOMER_JOBS = 8

/** The strategy of a name. `prices` is per tick; `seed` feeds those that draw. */
export function strategyOf(name: StrategyName, prices: Float64Array, seed: number): Strategy {
  switch (name) {
    case 'exact':
      return exact()
    case 'p2c':
      return twoChoices(prices, generator(seed))
    case 'reserve':
      return reserve(prices)
    case 'cocoon':
      return cocoon()
  }
}

const listening = { placed: () => {}, ended: () => {} }

function exact(): Strategy {
  return {
    ...listening,
    queues: true,
    pick: (needs, index) => index.best(needs),
    waitOf: (slot) => waitOf(slot, slot.running),
  }
}

function twoChoices(prices: Float64Array, draw: Draw): Strategy {
  const slots: Slot[] = []
  // A report of load may be older than what was placed since: one's own jobs are always there.
  const wait = (slot: Slot): number => waitOf(slot, Math.max(slot.running, slot.jobs.size))
  return {
    ...listening,
    queues: true,
    pick(needs, index) {
      const count = index.eligible(needs, slots)
      if (count < 2) return slots[0]
      const i = draw(count)
      const j = draw(count - 1)
      const one = slots[i]!
      const other = slots[j < i ? j : j + 1]!
      return compare(needs, prices, one, wait(one), other, wait(other)) < 0 ? one : other
    },
    waitOf: wait,
  }
}

function reserve(prices: Float64Array): Strategy {
  const slots: Slot[] = []
  let sinceReserved = 0
  const newest = (needs: Needs, index: SlotIndex): Slot | undefined => {
    const count = index.eligible(needs, slots)
    let newcomer: Slot | undefined
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!
      if (slot.completed >= NEWCOMER_JOBS) continue
      const order = newcomer
        ? slot.placed - newcomer.placed ||
          compare(needs, prices, slot, wait(slot), newcomer, wait(newcomer))
        : -1
      if (order < 0) newcomer = slot
    }
    return newcomer
  }
  const wait = (slot: Slot): number => waitOf(slot, slot.running)
  return {
    ...listening,
    queues: true,
    pick(needs, index) {
      if (sinceReserved >= RESERVE_EVERY - 1) {
        const newcomer = newest(needs, index)
        if (newcomer) {
          sinceReserved = -1 // its own placing makes it 0
          return newcomer
        }
      }
      return index.best(needs)
    },
    waitOf: wait,
    placed: () => {
      sinceReserved = Math.min(sinceReserved + 1, RESERVE_EVERY) // an unused share is not saved up
    },
  }
}

/** Below 0 where the first slot wins: score, then wait, then the tie number. */
function compare(
  needs: Needs,
  prices: Float64Array,
  one: Slot,
  oneWait: number,
  other: Slot,
  otherWait: number,
): number {
  return (
    scoreOf(needs, prices[one.tick]!, oneWait) - scoreOf(needs, prices[other.tick]!, otherWait) ||
    oneWait - otherWait ||
    one.tie - other.tie
  )
}
