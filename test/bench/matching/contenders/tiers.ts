/**
 * What a developer would build around a library's ordered structure to answer the exact rule.
 *
 * Slots with a free place stand in one structure a (model, tick, class), ordered by
 * `wait * 2^32 + (slot XOR salt)`, below 2^52. The least key of each is mirrored in a typed array,
 * and each (model, tick) has a mask of classes that have any; so a job looks at the least of each
 * eligible class from the lowest tick up, until the price alone is worse than what it has found.
 * @module
 */
import {
  type Contender,
  type JobSpec,
  MOST_TOKENS,
  type Setup,
  type SlotSpec,
  TICKS,
  waitOf,
} from '../contender.ts'

/** An ordered set of keys, one a slot. Stale keys may linger inside if `least` never shows one. */
export interface Tier {
  add(key: number, slot: number): void
  /** The slot's key is no longer `key`; called after the change is visible to `isCurrent`. */
  drop(key: number, slot: number): void
  /** Infinity where there is none. */
  least(): number
}

/** True while the slot stands under that key in that tier. For structures that drop lazily. */
export type IsCurrent = (key: number, slot: number, tier: number) => boolean

export type NewTier = (tier: number, isCurrent: IsCurrent) => Tier

const WAIT = 2 ** 32

export function createTiers(setup: Setup, newTier: NewTier): Contender {
  const { slots, models, columns, prices, salt } = setup
  const tiers: (Tier | undefined)[] = Array.from({ length: models * TICKS * columns })
  const least = new Float64Array(tiers.length).fill(Number.POSITIVE_INFINITY)
  const standing = { low: new Int32Array(models * TICKS), high: new Int32Array(models * TICKS) }
  /** By slot: -1 while it has no free place, or is not there. */
  const tierOf = new Int32Array(slots).fill(-1)
  const keyOf = new Float64Array(slots)
  const homeOf = new Int32Array(slots).fill(-1)
  const capacity = new Int32Array(slots)
  const running = new Int32Array(slots)
  const serviceMs = new Float64Array(slots)
  const isCurrent: IsCurrent = (key, slot, tier) => tierOf[slot] === tier && keyOf[slot] === key

  /** Puts the slot where its state says. */
  function stand(slot: number): void {
    const was = tierOf[slot]!
    const is = running[slot]! < capacity[slot]! ? homeOf[slot]! : -1
    const oldKey = keyOf[slot]!
    const key = waitOf(running[slot]!, serviceMs[slot]!) * WAIT + ((slot ^ salt) >>> 0)
    if (was === is && oldKey === key) return
    tierOf[slot] = is
    keyOf[slot] = key
    if (was >= 0) {
      tiers[was]!.drop(oldKey, slot)
      if (was !== is) refresh(was)
    }
    if (is < 0) return
    const tier = tiers[is] ?? newTier(is, isCurrent)
    tiers[is] = tier
    tier.add(key, slot)
    refresh(is)
  }

  function refresh(tier: number): void {
    const key = tiers[tier]!.least()
    least[tier] = key
    const group = Math.floor(tier / columns)
    const column = tier % columns
    const masks = column < 32 ? standing.low : standing.high
    const bit = 1 << (column & 31)
    masks[group] = key === Number.POSITIVE_INFINITY ? masks[group]! & ~bit : masks[group]! | bit
  }

  function best(job: JobSpec): number {
    const { speedWeight, maxTick, eligibleLow, eligibleHigh } = job
    const tokens = Math.min(job.tokens, MOST_TOKENS)
    let bestScore = Number.POSITIVE_INFINITY
    let bestKey = Number.POSITIVE_INFINITY
    for (let tick = 0; tick <= maxTick; tick++) {
      const group = job.model * TICKS + tick
      let low = standing.low[group]! & eligibleLow
      let high = standing.high[group]! & eligibleHigh
      if ((low | high) === 0) continue
      const price = prices[tick]! * tokens
      if (price > bestScore) break
      let key = Number.POSITIVE_INFINITY
      for (; low !== 0; low &= low - 1) {
        key = Math.min(key, least[group * columns + 31 - Math.clz32(low & -low)]!)
      }
      for (; high !== 0; high &= high - 1) {
        key = Math.min(key, least[group * columns + 63 - Math.clz32(high & -high)]!)
      }
      const score = price + speedWeight * Math.floor(key / WAIT)
      if (score < bestScore || (score === bestScore && key < bestKey)) {
        bestScore = score
        bestKey = key
      }
    }
    // The low half of a key is the tie, and the tie is the slot.
    return bestKey === Number.POSITIVE_INFINITY ? -1 : slotOf(bestKey, salt)
  }

  return {
    offer(slot: number, spec: SlotSpec) {
      if (homeOf[slot]! < 0) running[slot] = 0
      homeOf[slot] = (spec.model * TICKS + spec.tick) * columns + spec.column
      capacity[slot] = spec.capacity
      serviceMs[slot] = spec.serviceMs
      stand(slot)
    },
    leave(slot) {
      capacity[slot] = 0
      stand(slot)
      homeOf[slot] = -1
    },
    load(slot, count) {
      running[slot] = count
      stand(slot)
    },
    place(job) {
      const slot = best(job)
      if (slot < 0) return -1
      running[slot]!++
      stand(slot)
      return slot
    },
    finish(slot) {
      if (running[slot]! > 0) running[slot]!--
      stand(slot)
    },
    bytes: () => 0,
  }
}

/** The slot that a key belongs to. */
export function slotOf(key: number, salt: number): number {
  // ToUint32 takes the key modulo 2^32, which is its tie.
  return ((key >>> 0) ^ salt) >>> 0
}
