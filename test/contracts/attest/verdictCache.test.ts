/**
 * Remembered verdicts: found by all they depend on, from their time to their end, within a bound.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { type Expiring, verdictCache, verdictKey } from '../../../contracts/attest/verdictCache.ts'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'

const verdict: Expiring = { validUntilS: 100 }

describe('a verdict', () => {
  it('holds from the time of verifying to its end', () => {
    const cache = verdictCache()
    cache.put('a', 5_000, verdict)
    expect(cache.get('a', 5_000)).toBe(verdict)
    expect(cache.get('a', 100_000)).toBe(verdict)
    expect(cache.get('a', 4_999)).toBeUndefined()
    expect(cache.get('b', 5_000)).toBeUndefined()
    expect(cache.get('a', 100_001)).toBeUndefined()
  })

  it('that has ended is forgotten', () => {
    const cache = verdictCache()
    cache.put('a', 5_000, verdict)
    expect(cache.get('a', 200_000)).toBeUndefined()
    expect(cache.size).toBe(0)
    expect(cache.get('a', 5_000)).toBeUndefined()
  })

  it('given again at an earlier time holds from then', () => {
    const cache = verdictCache()
    cache.put('a', 5_000, verdict)
    cache.put('a', 3_000, verdict)
    expect(cache.get('a', 3_000)).toBe(verdict)
    cache.put('a', 50_000, verdict)
    expect(cache.get('a', 3_000)).toBe(verdict)
    expect(cache.size).toBe(1)
  })
})

describe('the bound', () => {
  it('forgets the verdict used longest ago', () => {
    const cache = verdictCache(2)
    cache.put('a', 0, verdict)
    cache.put('b', 0, verdict)
    cache.get('a', 0)
    cache.put('c', 0, verdict)
    expect(cache.size).toBe(2)
    expect(cache.get('a', 0)).toBe(verdict)
    expect(cache.get('b', 0)).toBeUndefined()
  })

  it('is that of the limits', () => {
    const cache = verdictCache()
    for (let i = 0; i <= LIMITS.verdicts; i++) cache.put(String(i), 0, verdict)
    expect(cache.size).toBe(LIMITS.verdicts)
    expect(cache.get('0', 0)).toBeUndefined()
    expect(cache.get('1', 0)).toBe(verdict)
  })
})

it('the key changes with every part, and with where one part ends', () => {
  const keys = [
    verdictKey(utf8('ab'), utf8('c')),
    verdictKey(utf8('a'), utf8('bc')),
    verdictKey(utf8('abc')),
    verdictKey(utf8('abc'), utf8('')),
    verdictKey(utf8('ab'), utf8('d')),
  ]
  expect(new Set(keys).size).toBe(keys.length)
  expect(verdictKey(utf8('ab'), utf8('c'))).toBe(keys[0])
})
