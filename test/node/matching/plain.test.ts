/**
 * The quick check never lets through what the table of fields refuses.
 * @module
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { checkFields } from '../../../node/matching/check.ts'
import { isPlain } from '../../../node/matching/plain.ts'
import { done, job } from './harness.ts'

const FIELDS = ['id', 'model', 'tenant', 'maxTick', 'expectedTokens', 'speedWeight', 'minTier']
const MORE = ['regions', 'gpus', 'minMemoryGiB', 'exclude', 'priority', 'deadline', 'tags', 'at']
const values = fc.oneof(
  fc.constantFrom('', 'x', 'open', 'x'.repeat(129), 0, -0, 1.5, -1, 2 ** 31, 2 ** 53, Number.NaN),
  fc.constantFrom(undefined, null, [], ['eu'], [''], [7], Array(65).fill('g'), {}, true),
)
const events = fc.record({
  type: fc.constantFrom('job', 'done', 'fail', 'cancel', 'offer', 'jobs'),
  rest: fc.dictionary(fc.constantFrom(...FIELDS, ...MORE, 'minteir', '__proto__'), values),
})

it('is plain only where every field passes', () => {
  let plain = 0
  fc.assert(
    fc.property(events, ({ type, rest }) => {
      const base = type === 'job' ? job('j') : { type, id: 'j' }
      const event = { ...base, type, ...rest }
      if (!isPlain(event)) return
      plain++
      expect(() => checkFields(event)).not.toThrow()
    }),
    { numRuns: 5_000, seed: 7 },
  )
  expect(plain).toBeGreaterThan(100)
})

it('knows the common events', () => {
  expect([isPlain(job('j')), isPlain(done('j')), isPlain({ ...done('j'), at: 3 })]).toEqual([
    true,
    true,
    true,
  ])
  for (const event of [7, null, [], {}, { type: 'job' }, { ...done('j'), x: 1 }]) {
    expect(isPlain(event)).toBe(false)
  }
})
