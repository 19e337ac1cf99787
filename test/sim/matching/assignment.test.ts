/**
 * The assignment solver against every permutation, and the core's decisions against the solver.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { assign } from './assignment.ts'
import { chanceOf } from './chance.ts'
import { sampled } from './scenarios/batches.ts'

const total = (costs: readonly (readonly number[])[], columns: readonly number[]): number =>
  columns.reduce((sum, column, row) => sum + costs[row]![column]!, 0)

/** The least total by trying everything. */
function leastOf(costs: readonly (readonly number[])[], row = 0, taken = 0): number {
  if (row === costs.length) return 0
  let least = Number.POSITIVE_INFINITY
  costs[row]!.forEach((cost, column) => {
    if ((taken >> column) & 1) return
    least = Math.min(least, cost + leastOf(costs, row + 1, taken | (1 << column)))
  })
  return least
}

describe('the cheapest assignment', () => {
  it('is as cheap as any permutation, and one column a row', () => {
    const chance = chanceOf(11, 'costs')
    for (let round = 0; round < 200; round++) {
      const rows = 1 + chance.below(6)
      const columns = rows + chance.below(3)
      const costs = Array.from({ length: rows }, () =>
        Array.from({ length: columns }, () => chance.below(50)),
      )
      const found = assign(costs)
      expect(new Set(found).size).toBe(rows)
      expect(total(costs, found)).toBe(leastOf(costs))
    }
  })

  it('is never dearer than the core, and the least score is nearer to it than chance', () => {
    const size = { source: 'synthetic', requests: 500, slots: 40 } as const
    const [exact, p2c, cocoon] = (['exact', 'p2c', 'cocoon'] as const).map((strategy) => {
      const figures = sampled(2, size, strategy, 'plenty', 20)
      expect(figures['placed at once']).toBeGreaterThanOrEqual(figures['placed by the core']!)
      return figures['cost, mean']!
    })
    expect(exact).toBeGreaterThanOrEqual(1)
    expect(exact).toBeLessThan(3)
    expect(p2c).toBeGreaterThan(exact!)
    expect(cocoon).toBeGreaterThan(p2c!)
  })
})
