/**
 * How far answers are apart: equal ones are at 0, nothing that a cheat reports brings a different
 * one nearer than it is, and every distance is a number from 0 to 8.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logprobDistance, type ProbeAnswer, textDiffers } from '../../../node/audit/compare.ts'
import type { TokenLogprob } from '../../../node/backends/backend.ts'

const SEED = 5
console.log(`seed ${SEED}`)

const at = (top: Record<string, number>): TokenLogprob => {
  const [[token, logprob] = ['', 0]] = Object.entries(top)
  return { token, logprob, top: Object.entries(top).map(([t, l]) => ({ token: t, logprob: l })) }
}
const answer = (...tokens: TokenLogprob[]): ProbeAnswer => ({
  text: tokens.map(({ token }) => token).join(''),
  tokens,
})

describe('the distance of log-probabilities', () => {
  it('is 0 for equal answers and the mean difference otherwise', () => {
    const one = answer(at({ a: -0.1, b: -2.4 }), at({ c: -0.01, d: -5 }))
    expect(logprobDistance(one, one)).toBe(0)
    const other = answer(at({ a: -0.2, b: -2.2 }), at({ c: -0.01, d: -5 }))
    expect(logprobDistance(other, one)).toBeCloseTo((0.15 + 0) / 2)
  })

  it('looks at the place where tokens part, and no further', () => {
    const reference = answer(at({ a: -0.1, b: -2 }), at({ c: -1, d: -1.2 }), at({ e: -0.1 }))
    const parted = answer(at({ a: -0.1, b: -2 }), at({ d: -1, c: -1.2 }), at({ x: -0.1 }))
    expect(logprobDistance(parted, reference)).toBeCloseTo((0 + 0.2) / 2)
    expect(textDiffers(parted, reference)).toBe(true)
  })

  it('takes an unnamed token as no likelier than the last named one', () => {
    const reference = answer(at({ a: -0.5, b: -1 }))
    expect(logprobDistance(answer(at({ a: -0.5, z: -3 })), reference)).toBeCloseTo(1)
    expect(logprobDistance(answer(at({ a: -0.5, z: -0.9 })), reference)).toBeCloseTo(0)
    // To name one token only, as sure as can be, hides nothing that was likely.
    const sure = answer(at({ a: 0 }))
    expect(logprobDistance(sure, reference)).toBeCloseTo(0.25)
  })

  it('is nothing where one side names no chances', () => {
    const one = answer(at({ a: -0.5 }))
    expect(logprobDistance({ text: 'a', tokens: [] }, one)).toBeUndefined()
    expect(logprobDistance(one, { text: 'a', tokens: [] })).toBeUndefined()
    expect(logprobDistance(one, answer({ token: 'a', logprob: 0, top: [] }))).toBeUndefined()
  })

  it('is a number from 0 to 8, whatever is claimed', () => {
    const claim = fc.oneof(fc.double(), fc.constant(Number.NEGATIVE_INFINITY))
    const chance = fc.record({ token: fc.constantFrom('a', 'b', 'c', ''), logprob: claim })
    const token = fc.record({
      ...{ token: fc.constantFrom('a', 'b'), logprob: claim },
      top: fc.array(chance, { maxLength: 5 }),
    })
    const any = fc.record({ text: fc.string(), tokens: fc.array(token, { maxLength: 6 }) })
    fc.assert(
      fc.property(any, any, (suspect, reference) => {
        const distance = logprobDistance(suspect, reference) ?? 0
        expect(distance >= 0 && distance <= 8).toBe(true)
      }),
      { seed: SEED, numRuns: 2_000 },
    )
  })
})
