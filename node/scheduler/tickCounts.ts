/**
 * How many slots offer a model at each tick: every submit asks for the lowest, before it is let in.
 * @module
 */
import type { OfferView } from './offers.ts'
import { saleOf } from './poolTypes.ts'

export interface TickCounts {
  /** Counts a slot in (1) or out (-1). */
  count(offer: Pick<OfferView, 'model' | 'tick' | 'asset'>, change: 1 | -1): void
  /** The lowest tick at which something is on offer (`saleOf`). */
  lowest(sale: string): number | undefined
}

export function tickCounts(): TickCounts {
  const models = new Map<string, Map<number, number>>()
  return {
    count(offer, change) {
      const { tick } = offer
      const model = saleOf(offer)
      const counts = models.get(model) ?? new Map<number, number>()
      const count = (counts.get(tick) ?? 0) + change
      if (count > 0) counts.set(tick, count)
      else counts.delete(tick)
      if (counts.size > 0) models.set(model, counts)
      else models.delete(model)
    },
    lowest(model) {
      let lowest: number | undefined
      for (const tick of models.get(model)?.keys() ?? []) {
        if (lowest === undefined || tick < lowest) lowest = tick
      }
      return lowest
    },
  }
}
