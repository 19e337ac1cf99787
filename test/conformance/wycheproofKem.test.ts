/**
 * Wycheproof for the two halves of MLKEM768-X25519, through the imports and calls of `kem.ts`
 * (native) and the library calls of `kemSeeded.ts` (portable).
 * @module
 */
import { decapsulate, diffieHellman } from 'node:crypto'
import { x25519 } from '@noble/curves/ed25519.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex, toHex } from '../../contracts/base/bytes.ts'
import { nativeKem } from '../../contracts/seal/kem.ts'
import { seededKem } from '../../contracts/seal/kemSeeded.ts'
import { privateObject, publicObject, rawPublic } from '../../contracts/seal/keyObjects.ts'
import { bytesOf, present, wycheproof } from './vectors.ts'

/** Hex of the outcome, or nothing where it threw. */
function hexOf(work: () => Bytes): string | undefined {
  try {
    return toHex(work())
  } catch {
    return undefined
  }
}

describe.skipIf(!present)('Wycheproof, key encapsulation', () => {
  it('X25519: the shared secret, and no all-zero one (RFC 7748 section 6.1)', () => {
    const tests = wycheproof<'public' | 'private' | 'shared'>('x25519_test.json')
    let refused = 0
    for (const { test } of tests) {
      const [point, scalar] = bytesOf(test, 'public', 'private')
      const native = hexOf(() =>
        diffieHellman({
          privateKey: privateObject('x25519', scalar!),
          publicKey: publicObject('x25519', point!),
        }),
      )
      const portable = hexOf(() => x25519.getSharedSecret(scalar!, point!))
      const zero = /^0+$/.test(test.shared)
      const expected = zero ? undefined : test.shared // valid or acceptable: twists and the like
      expect([native, portable], `case ${test.tcId}`).toEqual([expected, expected])
      if (zero) refused += 1
    }
    expect([tests.length, refused]).toEqual([518, 31])
  })

  it('ML-KEM-768: decapsulation by seed, native and portable', () => {
    const tests = wycheproof<'seed' | 'ek' | 'c' | 'K'>('mlkem_768_test.json')
    for (const { test } of tests) {
      const [seed, c] = bytesOf(test, 'seed', 'c')
      const native = hexOf(() => decapsulate(privateObject('mlKem', seed!), c!))
      const portable = hexOf(() => ml_kem768.decapsulate(c!, ml_kem768.keygen(seed!).secretKey))
      const expected = test.result === 'valid' ? test.K : undefined
      expect([native, portable], `case ${test.tcId}`).toEqual([expected, expected])
      if (test.result !== 'valid') continue
      expect(toHex(rawPublic('mlKem', privateObject('mlKem', seed!)))).toBe(test.ek)
    }
    expect(tests.length).toBe(193)
  })

  it('ML-KEM-768: key pairs by seed, native and portable', () => {
    const tests = wycheproof<'seed' | 'ek' | 'dk'>('mlkem_768_keygen_seed_test.json')
    for (const { test } of tests) {
      const seed = fromHex(test.seed)
      const native = toHex(rawPublic('mlKem', privateObject('mlKem', seed)))
      const { publicKey, secretKey } = ml_kem768.keygen(seed)
      expect([native, toHex(publicKey), toHex(secretKey)]).toEqual([test.ek, test.ek, test.dk])
    }
    expect(tests.length).toBe(100)
  })

  it('ML-KEM-768: encapsulation; a key that is none is refused', () => {
    const tests = wycheproof<'m' | 'ek' | 'c' | 'K'>('mlkem_768_encaps_test.json')
    const native = nativeKem()
    const xPublic = native.generateKeyPair().publicKey.slice(-32)
    let refused = 0
    for (const { test } of tests) {
      const [ek, m] = bytesOf(test, 'ek', 'm')
      const publicKey = concat(ek!, xPublic)
      const valid = test.result === 'valid'
      const portable = seededKem({ bytes: () => concat(m!, new Uint8Array(32).fill(9)) })
      const c = hexOf(() => portable.encapsulate(publicKey).enc.subarray(0, 1_088))
      expect(c, `case ${test.tcId}`).toBe(valid ? test.c : undefined)
      if (valid) expect(toHex(ml_kem768.encapsulate(ek!, m!).sharedSecret)).toBe(test.K)
      // Natively the message is the system's randomness: only that it works can be compared.
      const works = hexOf(() => native.encapsulate(publicKey).sharedSecret) !== undefined
      expect(works, `case ${test.tcId}, native`).toBe(valid)
      if (!valid) refused += 1
    }
    expect(tests.length).toBe(265)
    expect(refused).toBeGreaterThan(12)
  })

  it('ML-KEM-768: decapsulation by an expanded key, as the portable form does inside', () => {
    // Natively keys come as seeds only, so that there is no expanded key to corrupt.
    const tests = wycheproof<'dk' | 'c' | 'K'>('mlkem_768_semi_expanded_decaps_test.json')
    for (const { test } of tests) {
      const [dk, c] = bytesOf(test, 'dk', 'c')
      const portable = hexOf(() => ml_kem768.decapsulate(c!, dk!))
      expect(portable, `case ${test.tcId}`).toBe(test.result === 'valid' ? test.K : undefined)
    }
    expect(tests.length).toBe(9)
  })
})
