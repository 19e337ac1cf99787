/**
 * `sorted-btree`: a B+ tree of keys a tier, changed at once.
 * @module
 */
import { createRequire } from 'node:module'
import type { ContenderFactory } from '../contender.ts'
import { fresh } from '../fresh.ts'
import type { NewTier } from './tiers.ts'

// A CommonJS package with a default export: bundlers and Node disagree on how to import that.
const require = createRequire(import.meta.url)
const { default: BTree } = require('sorted-btree') as typeof import('sorted-btree', { with: {
  'resolution-mode': 'require',
}})

export const SORTED_BTREE: ContenderFactory = {
  name: 'sorted-btree',
  rule: 'exact',
  async create(setup) {
    const { createTiers } = await fresh<typeof import('./tiers.ts')>('contenders/tiers.ts', 'btree')
    return createTiers(setup, newTier)
  },
}

const byValue = (a: number, b: number): number => a - b

const newTier: NewTier = () => {
  const tree = new BTree<number, undefined>(undefined, byValue)
  return {
    add(key) {
      tree.set(key, undefined)
    },
    drop(key) {
      tree.delete(key)
    },
    least: () => tree.minKey() ?? Number.POSITIVE_INFINITY,
  }
}
