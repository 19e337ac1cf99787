/**
 * `flatqueue`: a binary heap in flat arrays a tier. It cannot remove from the middle, so keys that
 * no longer hold stay until they come to the top, and a queue that is mostly stale is built anew.
 * @module
 */
import FlatQueue from 'flatqueue'
import type { ContenderFactory } from '../contender.ts'
import { fresh } from '../fresh.ts'
import type { NewTier } from './tiers.ts'

export const FLATQUEUE: ContenderFactory = {
  name: 'flatqueue',
  rule: 'exact',
  async create(setup) {
    const { createTiers } = await fresh<typeof import('./tiers.ts')>('contenders/tiers.ts', 'flat')
    return createTiers(setup, newTier)
  },
}

/** Stale entries beyond these, in proportion to current ones, have the queue built anew. */
const MOST_STALE = 2
const FEW = 32

const newTier: NewTier = (tier, isCurrent) => {
  let queue = new FlatQueue<number>()
  let current = 0

  function rebuild(): void {
    const kept = new Map<number, number>()
    for (let i = 0; i < queue.length; i++) {
      const slot = queue.ids[i]!
      if (isCurrent(queue.values[i]!, slot, tier)) kept.set(slot, queue.values[i]!)
    }
    queue = new FlatQueue()
    for (const [slot, key] of kept) queue.push(slot, key)
  }

  return {
    add(key, slot) {
      current++
      queue.push(slot, key)
      if (queue.length > FEW + MOST_STALE * current) rebuild()
    },
    drop() {
      current--
    },
    least() {
      for (;;) {
        const key = queue.peekValue()
        if (key === undefined) return Number.POSITIVE_INFINITY
        if (isCurrent(key, queue.peek()!, tier)) return key
        queue.pop()
      }
    },
  }
}
