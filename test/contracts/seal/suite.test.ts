/**
 * The suite's HMAC is node's, byte for byte; a suite is made once for a KEM.
 * @module
 */
import { createHmac, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { nativeKem } from '../../../contracts/seal/kem.ts'
import { hmac, hpkeSuite } from '../../../contracts/seal/suite.ts'

describe('HMAC-SHA256', () => {
  it('is that of node for keys and messages around the length of a block', () => {
    for (const keyBytes of [0, 1, 32, 63, 64, 65, 200]) {
      for (const bytes of [0, 1, 55, 56, 63, 64, 65, 1_000]) {
        const key = new Uint8Array(randomBytes(keyBytes))
        const message = new Uint8Array(randomBytes(bytes))
        const expected = createHmac('sha256', key).update(message).digest()
        expect(hmac(key, message)).toEqual(new Uint8Array(expected))
      }
    }
  })

  it('leaves key and message as they were', () => {
    const key = new Uint8Array(32).fill(7)
    const message = new Uint8Array(40).fill(8)
    hmac(key, message)
    expect([key[0], message[0]]).toEqual([7, 8])
  })
})

describe('a suite', () => {
  it('is one for one KEM', () => {
    const kem = nativeKem()
    expect(hpkeSuite(kem)).toBe(hpkeSuite(kem))
    expect(hpkeSuite(kem)).not.toBe(hpkeSuite(nativeKem()))
  })
})
