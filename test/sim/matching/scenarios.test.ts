/**
 * What the market promises, on small markets with drawn arrivals: each threshold beside a contrast
 * that misses it. The full figures are those of `npm run sim:matching`.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { churned } from './scenarios/churn.ts'
import { failed } from './scenarios/failing.ts'
import { flooded } from './scenarios/fairness.ts'
import { joined } from './scenarios/newcomers.ts'
import { tagged } from './scenarios/prefixes.ts'
import { boundOf, herded, REPORTS } from './scenarios/stale.ts'
import { atLoad } from './scenarios/waiting.ts'
import type { Size } from './setting.ts'

const SEED = 1
const size = (requests: number, slots: number): Size => ({ source: 'synthetic', requests, slots })

describe('stale offers', () => {
  const small = size(4000, 50)

  it('two choices stay within 0.12 s of waiting where the live optimum waits 0.05 s', () => {
    expect(boundOf(SEED, small)['wait mean']).toBeCloseTo(0.05, 2)
    const herd = { schedulers: 10, reports: REPORTS['every 1 s'] }
    const p2c = herded(SEED, small, { strategy: 'p2c', ...herd })['wait mean']!
    const exact = herded(SEED, small, { strategy: 'exact', ...herd })['wait mean']!
    expect(p2c).toBeLessThan(0.12)
    expect(exact).toBeGreaterThan(5 * p2c)
  })

  it('the least score is best where the loads are known', () => {
    const herd = { schedulers: 10, reports: REPORTS.live }
    const exact = herded(SEED, small, { strategy: 'exact', ...herd })['wait mean']!
    const p2c = herded(SEED, small, { strategy: 'p2c', ...herd })['wait mean']!
    expect(exact).toBeLessThanOrEqual(p2c)
  })
})

describe('a flooding tenant', () => {
  it.each(['exact', 'p2c', 'reserve'] as const)('holds up nobody else: %s', (strategy) => {
    const figures = flooded(SEED, size(2500, 50), strategy)
    expect(figures['end, flooded/alone']).toBeLessThan(1.5)
    expect(figures.flooded).toBeLessThan(1.5 * figures['load alike']!)
    expect(figures['one queue']).toBeGreaterThan(10 * figures.flooded!)
    expect(figures['least served']).toBeGreaterThan(0.8)
    expect(figures['most served']).toBeLessThan(1.5)
  })
})

describe('a provider that fails fast', () => {
  const small = size(6000, 0)
  const pool = { slots: 8, bad: 1 }

  it.each(['exact', 'p2c', 'reserve'] as const)(
    'draws less than one job in a hundred: %s',
    (strategy) => {
      const figures = failed(SEED, small, { ...pool, strategy })
      expect(figures['met it']).toBeGreaterThan(2)
      expect(figures['met it']).toBeLessThan(20)
      expect(figures['failed %']).toBe(0)
    },
  )

  it('draws no more with many slots, in a quiet pool, or after it has served well', () => {
    const strategy = 'exact' as const
    const many = failed(SEED, small, { slots: 30, bad: 64, strategy })
    const quiet = failed(SEED, small, { slots: 2, bad: 1, strategy })
    const turncoat = failed(SEED, small, { ...pool, strategy, turncoats: true })
    expect(turncoat['met it']).toBeGreaterThan(20)
    for (const figures of [many, quiet, turncoat]) {
      expect(figures['after 20 %']).toBeLessThan(1)
      expect(figures['met it']).toBeLessThan(60)
    }
  })

  it('would draw nearly half of them without the beliefs of the role', () => {
    const figures = failed(SEED, small, { ...pool, strategy: 'exact', believes: false })
    expect(figures['after 20 %']).toBeGreaterThan(30)
  })
})

describe('newcomers', () => {
  const small = size(6000, 60)

  it.each(['reserve', 'p2c'] as const)('have a job within a minute: %s', (strategy) => {
    expect(joined(SEED, small, strategy)['in 60 s']).toBe(15)
  })

  it('at the highest price have none for longer under the least score', () => {
    const figures = joined(SEED, small, 'exact')
    expect(figures['first, cheap']).toBeLessThan(60)
    expect(figures['first, middle']).toBeLessThan(60)
    expect(figures['first, dear']).toBeGreaterThan(60)
  })
})

describe('prices, churn and prefixes', () => {
  it('the least score pays less than two choices, and these less than price as a cap', () => {
    const rows = atLoad(SEED, size(3000, 60), 0.6)
    const price = (name: string): number =>
      rows.find(({ label }) => label.endsWith(name))!.figures.price!
    expect(price('exact')).toBeLessThan(0.9 * price('p2c'))
    expect(price('p2c')).toBeLessThan(0.95 * price('cocoon'))
  })

  it('a tenth of the slots may leave every minute without a job unserved for it', () => {
    const figures = churned(SEED, size(3000, 60), 'exact', 0.1)
    expect(figures['lost %']).toBeGreaterThan(0)
    expect(figures['failed %']).toBe(0)
    expect(figures['expired %']).toBe(0)
    expect(figures['wait mean']).toBeLessThan(0.2)
  })

  it('affinity finds prefixes that the score alone does not', () => {
    const without = tagged(SEED, size(3000, 40), 'exact', 0)
    const found = tagged(SEED, size(3000, 40), 'exact', 1e11)
    expect(found['hits %']).toBeGreaterThan(3 * without['hits %']!)
    expect(found['first token']).toBeLessThan(without['first token']!)
  })
})
