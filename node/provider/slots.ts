/**
 * The slots of a provider while it runs: which models at which terms, and whose places are taken.
 * @module
 */
import type { Tier } from '../../contracts/base/tier.ts'
import type { SlotTerms } from './accepting.ts'
import { dividePlaces, freePlace, type Places, takenBy, takePlace } from './places.ts'

/** One model on sale. */
export interface Slot extends SlotTerms {
  readonly name: string
  readonly contextTokens: number
  readonly places: number
  readonly demo: boolean
  readonly tier: Tier
  readonly region: string
  readonly gpu: string
  readonly memoryGiB: number
}

export interface Slots {
  readonly all: readonly Slot[]
  /** Places of a slot that a scheduler (identity hex) is offered. */
  share(slot: string, scheduler: string): number
  /** Takes a place; false where the scheduler's share is full. */
  take(slot: string, scheduler: string): boolean
  free(slot: string, scheduler: string): void
  status(): { model: string; tick: number; places: number; running: number }[]
}

/**
 * Divides each model's places among the schedulers (identities in hex). Slots of one model in
 * several assets are the same places: whoever comes first has them.
 */
export function createSlots(all: readonly Slot[], schedulers: readonly string[]): Slots {
  const modelOf = new Map(all.map(({ name, model }) => [name, model]))
  const places = new Map<string, Places>(
    all.map((slot) => [slot.model, dividePlaces(slot.places, schedulers)]),
  )
  const of = (slot: string): Places =>
    places.get(modelOf.get(slot) ?? '') ?? { shares: {}, taken: {} }
  return {
    all,
    share: (slot, scheduler) => of(slot).shares[scheduler] ?? 0,
    take(slot, scheduler) {
      const taken = takePlace(of(slot), scheduler)
      if (taken) places.set(modelOf.get(slot)!, taken)
      return taken !== undefined
    },
    free: (slot, scheduler) => {
      const model = modelOf.get(slot)
      if (model !== undefined) places.set(model, freePlace(of(slot), scheduler))
    },
    status: () =>
      all.map(({ name, model, tick, places: count }) => ({
        model,
        tick,
        places: count,
        running: schedulers.reduce((sum, id) => sum + takenBy(of(name), id), 0),
      })),
  }
}
