/**
 * The project's own index, plain and compiled, by the names under which the tables show them.
 * @module
 */
import type { SlotIndex } from '../../../../node/matching/index/slotIndex.ts'
import { treeIndex } from '../../../../node/matching/index/treeIndex.ts'
import { wasmIndex } from '../../../../node/matching/index/wasmIndex.ts'
import {
  type Contender,
  type ContenderFactory,
  type JobSpec,
  MOST_TOKENS,
  type Setup,
  type SlotSpec,
} from '../contender.ts'

export const OURS: readonly ContenderFactory[] = [
  { name: 'index (WebAssembly)', rule: 'exact', create: (setup) => contender(setup, wasmIndex) },
  { name: 'index (TypeScript)', rule: 'exact', create: (setup) => contender(setup, treeIndex) },
]

/**
 * The index names slots by its rows, and so does the matching core. Here slots have numbers of
 * their own, which are the rows of a fleet that was built in order; only slots that came back to
 * another row are looked up.
 */
function contender(
  { slots, columns, prices, salt }: Setup,
  create: (prices: Float64Array) => SlotIndex,
): Contender {
  const index = create(prices)
  const rowOf = aside(slots)
  const slotOf = aside(slots)
  const isKnown = new Uint8Array(slots)
  const modelOf = new Uint8Array(slots)
  const tickOf = new Uint8Array(slots)
  const columnOf = new Uint8Array(slots)
  const mask = new Uint32Array(2)

  function add(slot: number, spec: SlotSpec, running: number): void {
    const { model, column, tick, capacity, serviceMs } = spec
    const tie = (slot ^ salt) >>> 0
    const row = index.add({ model, column, tick, tie, running, capacity, serviceMs })
    rowOf.set(slot, row)
    slotOf.set(row, slot)
    isKnown[slot] = 1
    modelOf[slot] = model
    tickOf[slot] = tick
    columnOf[slot] = column
  }

  return {
    offer(slot, spec) {
      if (isKnown[slot] === 0) {
        add(slot, spec, 0)
        return
      }
      const row = rowOf.get(slot)
      if (
        modelOf[slot] === spec.model &&
        tickOf[slot] === spec.tick &&
        columnOf[slot] === spec.column
      ) {
        index.setCapacity(row, spec.capacity)
        index.setServiceMs(row, spec.serviceMs)
        return
      }
      const running = index.running(row)
      index.remove(row)
      add(slot, spec, running)
    },
    leave(slot) {
      index.remove(rowOf.get(slot))
      isKnown[slot] = 0
    },
    load: (slot, running) => index.setRunning(rowOf.get(slot), running),
    place(job: JobSpec) {
      const { model, speedWeight, maxTick, eligibleLow, eligibleHigh } = job
      const tokens = Math.min(job.tokens, MOST_TOKENS)
      const unconstrained = columns === 1 || (eligibleLow & eligibleHigh) === -1
      if (!unconstrained) {
        mask[0] = eligibleLow
        mask[1] = eligibleHigh
      }
      const row = index.best(model, tokens, speedWeight, maxTick, unconstrained ? undefined : mask)
      if (row < 0) return -1
      index.start(row)
      return slotOf.get(row)
    },
    finish: (slot) => index.finish(rowOf.get(slot)),
    bytes: () => 0, // all of it shows in buffers, WebAssembly's memory too
  }
}

/** Numbers that are mostly their own: one bit each says which are not. */
function aside(count: number) {
  const others = new Int32Array(count)
  const differs = new Uint32Array(Math.ceil(count / 32))
  return {
    get(number: number): number {
      return ((differs[number >>> 5]! >>> (number & 31)) & 1) === 0 ? number : others[number]!
    },
    set(number: number, other: number): void {
      others[number] = other
      if (other === number) differs[number >>> 5]! &= ~(1 << (number & 31))
      else differs[number >>> 5]! |= 1 << (number & 31)
    },
  }
}
