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

/** Slots keep their numbers here; the index names them by its rows. */
function contender(
  { slots, columns, prices, salt }: Setup,
  create: (prices: Float64Array) => SlotIndex,
): Contender {
  const index = create(prices)
  const rowOf = new Int32Array(slots).fill(-1)
  const slotOf = new Int32Array(slots)
  const modelOf = new Int32Array(slots)
  const tickOf = new Int32Array(slots)
  const columnOf = new Int32Array(slots)
  const mask = new Uint32Array(2)

  function add(slot: number, spec: SlotSpec, running: number): void {
    const { model, column, tick, capacity, serviceMs } = spec
    const tie = (slot ^ salt) >>> 0
    const row = index.add({ model, column, tick, tie, running, capacity, serviceMs })
    rowOf[slot] = row
    slotOf[row] = slot
    modelOf[slot] = model
    tickOf[slot] = tick
    columnOf[slot] = column
  }

  return {
    offer(slot, spec) {
      const row = rowOf[slot]!
      if (row < 0) {
        add(slot, spec, 0)
        return
      }
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
      index.remove(rowOf[slot]!)
      rowOf[slot] = -1
    },
    load: (slot, running) => index.setRunning(rowOf[slot]!, running),
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
      return slotOf[row]!
    },
    finish: (slot) => index.finish(rowOf[slot]!),
    bytes: () => index.bytes,
  }
}
