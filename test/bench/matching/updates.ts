/**
 * What changes of the fleet cost: prices, loads, departures, arrivals, in blocks of which the
 * median counts. Every change is one: values alternate, and each slot is first set to the other
 * value off the clock. Like `loop.ts`, an instance a contender.
 * @module
 */
import { generator } from '../../../node/matching/random.ts'
import type { Contender, SlotSpec } from './contender.ts'
import { dice } from './fleet.ts'
import type { Workload } from './workload.ts'

const MOST_IN_A_BLOCK = 500
const LEAST_BLOCKS = 3
const MOST_BLOCKS = 24
/** Beyond this, a kind of change has had its blocks. */
const MOST_MS = 100

/** Nanoseconds each; one entry a block. */
export interface UpdateTimes {
  readonly repriceNs: number[]
  readonly loadNs: number[]
  readonly leaveNs: number[]
  readonly joinNs: number[]
}

interface Target {
  readonly slot: number
  readonly specs: readonly [SlotSpec, SlotSpec]
  readonly loads: readonly [number, number]
}

/** Leaves the fleet changed: no step may follow. */
export function timeUpdates(contender: Contender, work: Workload, into: UpdateTimes): void {
  const targets = targetsOf(work)
  const each = (act: (target: Target) => void): number => {
    const start = performance.now()
    for (let i = 0; i < targets.length; i++) act(targets[i]!)
    return ((performance.now() - start) * 1e6) / targets.length
  }
  each(({ slot, specs, loads }) => {
    contender.offer(slot, specs[0])
    contender.load(slot, loads[0])
  })
  const isOver = stopwatch()
  for (let block = 1; !isOver(block); block++) {
    const now = (block & 1) as 0 | 1
    into.repriceNs.push(each(({ slot, specs }) => contender.offer(slot, specs[now])))
    into.loadNs.push(each(({ slot, loads }) => contender.load(slot, loads[now])))
  }
  const isOverToo = stopwatch()
  for (let block = 1; !isOverToo(block); block++) {
    into.leaveNs.push(each(({ slot }) => contender.leave(slot)))
    into.joinNs.push(each(({ slot, specs }) => contender.offer(slot, specs[0])))
  }
}

/** Says when there have been blocks enough; there are three at least. */
function stopwatch(): (block: number) => boolean {
  const start = performance.now()
  return (block) =>
    block > MOST_BLOCKS || (block > LEAST_BLOCKS && performance.now() - start > MOST_MS)
}

/** Different slots all over the fleet. */
function targetsOf({ setup, fleet, seed }: Workload): Target[] {
  const count = Math.max(1, Math.min(MOST_IN_A_BLOCK, setup.slots >>> 2))
  const draw = generator(seed + 2)
  const roll = dice(draw)
  const chosen = new Set<number>()
  while (chosen.size < count) chosen.add(draw(setup.slots))
  return [...chosen].map((slot) => {
    const spec = fleet.read(slot)
    const load = draw(spec.capacity + 1)
    return {
      slot,
      specs: [spec, { ...spec, tick: roll.otherTick(spec.tick) }],
      loads: [load, (load + 1 + draw(spec.capacity)) % (spec.capacity + 1)],
    }
  })
}
