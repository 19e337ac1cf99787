/**
 * `heap-js`: a binary heap of keys a tier. It removes from the middle by a search, so keys that no
 * longer hold stay until they come to the top, and a heap that is mostly stale is built anew.
 * @module
 */
import { Heap } from 'heap-js'
import type { ContenderFactory } from '../contender.ts'
import { fresh } from '../fresh.ts'
import { type NewTier, slotOf } from './tiers.ts'

export const HEAP_JS: ContenderFactory = {
  name: 'heap-js',
  rule: 'exact',
  async create(setup) {
    const { createTiers } = await fresh<typeof import('./tiers.ts')>('contenders/tiers.ts', 'heap')
    return createTiers(setup, tierOf(setup.salt))
  },
}

/** Stale keys beyond these, in proportion to current ones, have the heap built anew. */
const MOST_STALE = 2
const FEW = 32

const tierOf =
  (salt: number): NewTier =>
  (tier, isCurrent) => {
    const heap = new Heap<number>(Heap.minComparatorNumber)
    let current = 0
    const holds = (key: number): boolean => isCurrent(key, slotOf(key, salt), tier)
    return {
      add(key) {
        current++
        heap.push(key)
        if (heap.length > FEW + MOST_STALE * current)
          heap.init([...new Set(heap.heapArray)].filter(holds))
      },
      drop() {
        current--
      },
      least() {
        for (;;) {
          const key = heap.peek()
          if (key === undefined) return Number.POSITIVE_INFINITY
          if (holds(key)) return key
          heap.pop()
        }
      },
    }
  }
