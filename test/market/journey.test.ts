/**
 * The journey as a person would run it: every step happens, and the sum is whole.
 * @module
 */
import { expect, it } from 'vitest'
import { travel } from '../../scripts/market/journey.ts'

it('goes from registration to everybody’s exit, and not one nanoTON is missing', async () => {
  const lines: string[] = []
  expect(await travel((line) => lines.push(line))).toBe(true)
  const text = lines.join('\n')
  expect(text).toMatch(/version 2 is in force; the same job now costs/)
  expect(text).toMatch(/4 TON of the stake are frozen/)
  expect(text).toMatch(/concluded: 4 TON slashed, 2 to the client/)
  expect(text).toMatch(/scheduler: paid out, everything is out/)
  expect(text).toMatch(/client: its deposit is back/)
  // The same sum after every step, whatever has moved.
  const sums = [...text.matchAll(/together +([\d.]+)/g)].map(([, sum]) => sum)
  expect(sums).toHaveLength(4)
  expect(new Set(sums.slice(1)).size).toBe(1)
  const [burned] = text.matchAll(/burned +(1\.9[\d]+)/g)
  expect(burned).toBeDefined()
}, 300_000)
