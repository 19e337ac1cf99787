/**
 * The committed TypeScript of the wire messages is what their schema gives.
 * @module
 */
import { expect, it } from 'vitest'
import { compareWire } from '../../../scripts/generateWire.ts'

it('is not stale: run `npm run generate:wire` where this fails', async () => {
  const { committed, fresh } = await compareWire()
  expect(committed).toBe(fresh)
})
