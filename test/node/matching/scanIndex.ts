/**
 * The slow twin of the slot index: a list of plain slots, read whole for every question. It is the
 * definition that faster indexes must meet.
 * @module
 */
import {
  type IndexedSlot,
  NO_ROW,
  type SlotIndex,
  waitOf,
} from '../../../node/matching/index/slotIndex.ts'

type Entry = { -readonly [Field in keyof IndexedSlot]: IndexedSlot[Field] } & { hidden: boolean }

export function scanIndex(prices: Float64Array): SlotIndex {
  const entries: (Entry | undefined)[] = []
  const at = (row: number): Entry => {
    const entry = entries[row]
    if (!entry) throw new Error(`no slot in row ${row}`)
    return entry
  }
  const has = (columns: Uint32Array | undefined, column: number): boolean =>
    !columns || ((columns[column >>> 5]! >>> (column & 31)) & 1) === 1

  return {
    add(slot) {
      entries.push({ ...slot, hidden: false })
      return entries.length - 1
    },
    remove(row) {
      at(row)
      entries[row] = undefined
    },
    start: (row) => void at(row).running++,
    finish(row) {
      at(row).running = Math.max(0, at(row).running - 1)
    },
    setRunning(row, running) {
      at(row).running = running
    },
    setServiceMs(row, serviceMs) {
      at(row).serviceMs = serviceMs
    },
    setCapacity(row, capacity) {
      at(row).capacity = capacity
    },
    running: (row) => at(row).running,
    serviceMs: (row) => at(row).serviceMs,
    isFree: (row) => at(row).running < at(row).capacity,
    best(model, tokens, speedWeight, maxTick, columns) {
      let best = NO_ROW
      let least: [score: bigint, wait: number, tie: number] = [0n, 0, 0]
      for (const [row, slot] of entries.entries()) {
        if (!slot || slot.hidden || slot.model !== model || slot.tick > maxTick) continue
        if (slot.running >= slot.capacity || !has(columns, slot.column)) continue
        const wait = waitOf(slot.running, slot.serviceMs)
        const price = BigInt(prices[slot.tick]!)
        const score = price * BigInt(tokens) + BigInt(speedWeight) * BigInt(wait)
        const order = score < least[0] ? -1 : score > least[0] ? 1 : 0
        if (best !== NO_ROW && (order || wait - least[1] || slot.tie - least[2]) >= 0) continue
        best = row
        least = [score, wait, slot.tie]
      }
      return best
    },
    hide(row) {
      at(row).hidden = true
    },
    show(row) {
      at(row).hidden = false
    },
    lowestTick: (model, columns) =>
      entries.reduce((lowest, slot) => {
        if (slot?.model !== model || slot.capacity === 0 || !has(columns, slot.column))
          return lowest
        return lowest === -1 ? slot.tick : Math.min(lowest, slot.tick)
      }, -1),
    withPlaces: (model, tick, column) =>
      entries.filter(
        (slot) =>
          slot?.model === model &&
          slot.tick === tick &&
          slot.column === column &&
          slot.capacity > 0,
      ).length,
    bytes: 0,
  }
}
