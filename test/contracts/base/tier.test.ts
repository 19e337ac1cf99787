/**
 * Tiers: their order is their worth, and each says what it means.
 * @module
 */
import { expect, it } from 'vitest'
import { TIER_MEANING, TIERS, tierAtLeast } from '../../../contracts/base/tier.ts'

it('orders tiers, lowest first', () => {
  expect(TIERS).toEqual(['simulated', 'open', 'cpu-tee', 'gpu-tee'])
  expect(tierAtLeast('open', 'open')).toBe(true)
  expect(tierAtLeast('gpu-tee', 'cpu-tee')).toBe(true)
  expect(tierAtLeast('simulated', 'open')).toBe(false)
})

it('says plainly what a tier is worth', () => {
  expect(TIER_MEANING.open).toContain("this computer's owner can read your prompt")
  expect(TIER_MEANING.simulated).toContain('simulated')
  expect(Object.keys(TIER_MEANING)).toEqual([...TIERS])
})
