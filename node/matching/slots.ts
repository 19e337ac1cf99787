/**
 * Slots and the index over them: filters, score and ties of one pool.
 *
 * `SlotIndex` is the narrow interface that strategies use. `scanIndex` answers by a plain scan over
 * the slots of the model; a faster one must give the same answers, and takes its place here.
 * @module
 */
import { FILTERS, type Refusal } from './events.ts'

/** A slot as the matcher knows it. Fields change in place, between `SlotIndex.changed` calls. */
export interface Slot {
  readonly name: string
  /** Counts first appearances; never reused. */
  readonly index: number
  /** `index XOR salt`, unsigned: the last word in a tie. */
  readonly tie: number
  provider: string
  model: string
  tick: number
  capacity: number
  serviceMs: number
  /** Position in `TIERS`. */
  tier: number
  region: string
  gpu: string
  memoryGiB: number
  draining: boolean
  running: number
  /** Jobs placed here and not yet ended. */
  readonly jobs: Set<string>
  /** Jobs ever placed here. */
  placed: number
  /** Jobs ended by `done`. */
  completed: number
}

/** What a job needs of a slot, decoded. Empty lists accept anything. */
export interface Needs {
  readonly model: string
  readonly maxTick: number
  /** `min(expectedTokens, 65536)`. */
  readonly tokens: number
  readonly speedWeight: number
  readonly minTier: number
  readonly regions: readonly string[]
  readonly gpus: readonly string[]
  readonly minMemoryGiB: number
  readonly exclude: readonly string[]
}

export interface SlotIndex {
  add(slot: Slot): void
  remove(slot: Slot): void
  /** The slot that could start the job now at the least score. */
  best(needs: Needs): Slot | undefined
  /** Fills `into` with the slots that could start the job now, by index; gives their number. */
  eligible(needs: Needs, into: Slot[]): number
  /** Why no slot can ever start the job, as things stand; nothing where it may wait. */
  refusal(needs: Needs): Refusal | undefined
}

/** The longest wait that counts, milliseconds (17 minutes): with it scores stay below 2^53. */
const MOST_WAIT = 2 ** 20 - 1
/** Tokens beyond these do not raise a score further, for the same reason. */
export const MOST_TOKENS = 65_536

/** How long a job would wait behind `running` others, milliseconds. */
export function waitOf(slot: Slot, running: number): number {
  return Math.min(MOST_WAIT, Math.round(running * slot.serviceMs))
}

/** Lowest wins: price of the tokens and price of the wait, in millionths of a nanoTON. */
export function scoreOf(needs: Needs, price: number, waitMs: number): number {
  return price * needs.tokens + needs.speedWeight * waitMs
}

/** Position in `FILTERS` of the first that refuses the slot; their number where none does. */
export function firstRefusing(needs: Needs, slot: Slot): number {
  if (slot.draining) return 0
  if (slot.capacity <= 0) return 1
  if (slot.tier < needs.minTier) return 2
  if (needs.regions.length > 0 && !needs.regions.includes(slot.region)) return 3
  if (needs.gpus.length > 0 && !needs.gpus.includes(slot.gpu)) return 4
  if (slot.memoryGiB < needs.minMemoryGiB) return 5
  if (needs.exclude.includes(slot.provider)) return 6
  return FILTERS.length
}

/** True where the slot, of the right model, passes filters and price and has a free place. */
export function canStart(needs: Needs, slot: Slot): boolean {
  return (
    slot.tick <= needs.maxTick &&
    slot.running < slot.capacity &&
    firstRefusing(needs, slot) === FILTERS.length
  )
}

/** The index that looks at every slot of the model: the definition that faster ones must meet. */
export function scanIndex(prices: Float64Array): SlotIndex {
  const models = new Map<string, Slot[]>()
  const of = (model: string): readonly Slot[] => models.get(model) ?? []

  return {
    add(slot) {
      const slots = models.get(slot.model)
      if (!slots) models.set(slot.model, [slot])
      else slots.splice(position(slots, slot.index), 0, slot)
    },
    remove(slot) {
      const slots = models.get(slot.model)
      if (!slots) return
      slots.splice(position(slots, slot.index), 1)
      if (slots.length === 0) models.delete(slot.model)
    },
    best(needs) {
      let best: Slot | undefined
      let bestScore = 0
      let bestWait = 0
      for (const slot of of(needs.model)) {
        if (!canStart(needs, slot)) continue
        const wait = waitOf(slot, slot.running)
        const score = scoreOf(needs, prices[slot.tick]!, wait)
        const wins = best ? (score - bestScore || wait - bestWait || slot.tie - best.tie) < 0 : true
        if (!wins) continue
        best = slot
        bestScore = score
        bestWait = wait
      }
      return best
    },
    eligible(needs, into) {
      let count = 0
      for (const slot of of(needs.model)) if (canStart(needs, slot)) into[count++] = slot
      into.length = count
      return count
    },
    refusal: (needs) => refusal(needs, of(needs.model)),
  }
}

function refusal(needs: Needs, slots: readonly Slot[]): Refusal | undefined {
  if (slots.length === 0) return { refused: 'no-model' }
  // The filter that stops the slot which comes furthest is the first that leaves nothing.
  let furthest = 0
  let lowestTick = Number.POSITIVE_INFINITY
  for (const slot of slots) {
    const stage = firstRefusing(needs, slot)
    furthest = Math.max(furthest, stage)
    if (stage === FILTERS.length) lowestTick = Math.min(lowestTick, slot.tick)
  }
  const first = FILTERS[furthest]
  if (first) return { refused: 'requirements', first }
  return lowestTick > needs.maxTick ? { refused: 'price', lowestTick } : undefined
}

/** Where a slot index stands, or would stand, among slots in ascending order. */
function position(slots: readonly Slot[], index: number): number {
  let low = 0
  let high = slots.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (slots[middle]!.index < index) low = middle + 1
    else high = middle
  }
  return low
}
