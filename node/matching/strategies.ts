/**
 * Strategies: plain factories behind one interface.
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
import { waitOf } from './index/slotIndex.ts'
import { type Draw, generator } from './random.ts'
import type { Needs, Slot } from './slots.ts'
import type { Candidates, Strategy } from './strategy.ts'

/** One placing in this many is reserved for newcomers. */
export const RESERVE_EVERY = 16
/** A slot is a newcomer until it has completed this many jobs. */
export const NEWCOMER_JOBS = 8
/** Slots that one reserved placing looks at; the next one looks at those after them. */
export const RESERVE_LOOKS = 256
/** Draws that find no eligible slot before all are looked at. */
const MOST_DRAWS = 32

/** The strategy of a name. `seed` feeds those that draw. */
export function strategyOf(name: StrategyName, slots: Candidates, seed: number): Strategy {
  switch (name) {
    case 'exact':
      return exact(slots)
    case 'p2c':
      return twoChoices(slots, generator(seed))
    case 'reserve':
      return reserve(slots)
    case 'cocoon':
      return cocoon(slots)
  }
}

const waitIn = (slots: Candidates, slot: Slot, running: number): number =>
  waitOf(running, slots.serviceMs(slot))

function exact(slots: Candidates): Strategy {
  return {
    queues: true,
    pick: (needs) => slots.best(needs),
    waitOf: (slot) => waitIn(slots, slot, slots.running(slot)),
    placed() {},
    ended() {},
  }
}

function twoChoices(slots: Candidates, draw: Draw): Strategy {
  const eligible: Slot[] = []
  // A report of load may be older than what was placed since: one's own jobs are always there.
  const wait = (slot: Slot): number =>
    waitIn(slots, slot, Math.max(slots.running(slot), slot.inFlight))

  /** One eligible slot, each as likely as any other; not `but`. */
  function any(needs: Needs, but?: Slot): Slot | undefined {
    const all = slots.all(needs)
    for (let drawn = 0; drawn < MOST_DRAWS && all.length > 0; drawn++) {
      const slot = all[draw(all.length)]!
      if (slot !== but && slots.canStart(needs, slot)) return slot
    }
    eligible.length = 0
    for (const slot of all) if (slot !== but && slots.canStart(needs, slot)) eligible.push(slot)
    return eligible.length === 0 ? undefined : eligible[draw(eligible.length)]
  }

  return {
    queues: true,
    pick(needs) {
      const one = any(needs)
      const other = one && any(needs, one)
      if (!one || !other) return one
      const two = comes(needs, slots, one, wait(one), other, wait(other)) ? one : other
      const third = slots.affine(needs)
      if (!third || third === two) return two
      return comes(needs, slots, third, wait(third), two, wait(two)) ? third : two
    },
    waitOf: wait,
    placed() {},
    ended() {},
  }
}

function reserve(slots: Candidates): Strategy {
  let sinceReserved = 0
  let cursor = 0
  const wait = (slot: Slot): number => waitIn(slots, slot, slots.running(slot))

  /** Of the newcomers looked at, the one that was tried least; between equals, the better. */
  function newest(needs: Needs): Slot | undefined {
    const all = slots.all(needs)
    let newcomer: Slot | undefined
    for (let looks = Math.min(RESERVE_LOOKS, all.length); looks > 0; looks--) {
      cursor = (cursor + 1) % all.length
      const slot = all[cursor]!
      if (slot.completed >= NEWCOMER_JOBS || !slots.canStart(needs, slot)) continue
      const less = !newcomer || slot.placed < newcomer.placed
      const equal = newcomer && slot.placed === newcomer.placed
      if (less || (equal && comes(needs, slots, slot, wait(slot), newcomer!, wait(newcomer!)))) {
        newcomer = slot
      }
    }
    return newcomer
  }

  return {
    queues: true,
    pick(needs) {
      const newcomer = sinceReserved >= RESERVE_EVERY - 1 ? newest(needs) : undefined
      if (newcomer) sinceReserved = -1 // its own placing makes it 0
      return newcomer ?? slots.best(needs)
    },
    waitOf: wait,
    placed: () => {
      sinceReserved = Math.min(sinceReserved + 1, RESERVE_EVERY) // an unused share is not saved up
    },
    ended() {},
  }
}

/** True where the first slot wins: score, then wait, then the tie number. */
function comes(
  needs: Needs,
  slots: Candidates,
  one: Slot,
  oneWait: number,
  other: Slot,
  otherWait: number,
): boolean {
  const gap = slots.score(needs, one, oneWait) - slots.score(needs, other, otherWait)
  return (gap || oneWait - otherWait || one.tie - other.tie) < 0
}
