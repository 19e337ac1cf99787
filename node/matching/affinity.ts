/**
 * Prefix affinity: a hint that a slot lately served a prompt that begins like this one.
 *
 * A job may carry tags of its prompt's prefix, shortest first, each 64 bits under the client's own
 * secret, so that they tell nobody else anything. A slot remembers the last tags it served. Each of
 * a job's tags that a slot remembers takes `bonus` off its score there, never below 0; filters,
 * price cap and places hold as ever. With a bonus of 0, the default, nothing is remembered.
 * @module
 */
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Slot } from './slots.ts'

export interface Affinity {
  /** Remembers that the slot serves a prompt with these tags. */
  served(slot: Slot, tags: readonly string[]): void
  forget(slot: Slot): void
  /** What a slot's score falls by for these tags. */
  bonus(slot: Slot, tags: readonly string[]): number
  /** Slots that remember one of the tags, each once, the longest prefix first, up to a bound. */
  holders(tags: readonly string[]): Iterable<Slot>
}

/** Affinity with a bonus in the unit of scores, millionths of a nanoTON a tag. */
export function affinity(bonus: number): Affinity {
  const holdersOf = new Map<string, Set<Slot>>()

  function drop(slot: Slot, tag: string): void {
    const slots = holdersOf.get(tag)!
    slots.delete(slot)
    if (slots.size === 0) holdersOf.delete(tag)
  }

  return {
    served(slot, tags) {
      if (bonus === 0 || tags.length === 0) return
      slot.tags ??= new Set()
      for (const tag of tags) {
        slot.tags.delete(tag) // to the end
        slot.tags.add(tag)
        const slots = holdersOf.get(tag) ?? new Set()
        holdersOf.set(tag, slots.add(slot))
      }
      for (const tag of slot.tags) {
        if (slot.tags.size <= LIMITS.slotTags) break
        slot.tags.delete(tag)
        drop(slot, tag)
      }
    },
    forget(slot) {
      for (const tag of slot.tags ?? []) drop(slot, tag)
      slot.tags = undefined
    },
    bonus(slot, tags) {
      let held = 0
      if (slot.tags) for (const tag of tags) if (slot.tags.has(tag)) held++
      return held * bonus
    },
    holders(tags) {
      const slots = new Set<Slot>()
      if (bonus === 0) return slots
      for (const tag of tags.toReversed()) {
        for (const slot of holdersOf.get(tag) ?? []) {
          if (slots.size >= LIMITS.affineSlots) return slots
          slots.add(slot)
        }
      }
      return slots
    },
  }
}
