/**
 * The order book's rule by a plain scan, to check the order book by: the lowest tick, then who has
 * stood there longest. Standing begins anew with every change but a fill that leaves a place free.
 * @module
 */
import type { Contender, ContenderFactory, Setup } from '../contender.ts'

export const PRICE_TIME_SCAN: ContenderFactory = {
  name: 'scan of price and time',
  rule: 'price-time',
  mostSlots: 100_000,
  create: createPriceTimeScan,
}

function createPriceTimeScan({ slots }: Setup): Contender {
  const model = new Int16Array(slots).fill(-1)
  const tick = new Uint8Array(slots)
  const capacity = new Int32Array(slots)
  const running = new Int32Array(slots)
  const since = new Float64Array(slots)
  let clock = 0
  const stand = (slot: number, count: number): void => {
    running[slot] = count
    since[slot] = ++clock
  }

  return {
    offer(slot, spec) {
      const count = model[slot]! < 0 ? 0 : running[slot]!
      model[slot] = spec.model
      tick[slot] = spec.tick
      capacity[slot] = spec.capacity
      stand(slot, count)
    },
    leave(slot) {
      model[slot] = -1
    },
    load: stand,
    place({ model: wanted, maxTick }) {
      let best = -1
      let bestTick = maxTick
      for (let slot = 0; slot < slots; slot++) {
        if (model[slot] !== wanted || running[slot]! >= capacity[slot]!) continue
        if (tick[slot]! > bestTick) continue
        if (best >= 0 && tick[slot] === bestTick && since[slot]! > since[best]!) continue
        best = slot
        bestTick = tick[slot]!
      }
      if (best >= 0) running[best]!++
      return best
    },
    finish: (slot) => stand(slot, Math.max(running[slot]! - 1, 0)),
    bytes: () => 0,
  }
}
