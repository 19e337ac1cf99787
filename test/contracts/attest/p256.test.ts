/**
 * Raw signatures and points of P-256: what verifies, and what is no signature or no point.
 * @module
 */
import { createPublicKey, generateKeyPairSync, sign as signWith } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isSignedP256, pointP256 } from '../../../contracts/attest/p256.ts'
import { concat, utf8 } from '../../../contracts/base/bytes.ts'
import { rawPoint, sign, signRaw, testKey } from '../../support/testPki.ts'

const key = testKey()
const other = testKey()
const large = testKey('P-384')
const DATA = utf8('what is signed')
const publicKey = pointP256(rawPoint(key))!

describe('a raw signature', () => {
  it('verifies under its point', () => {
    expect(isSignedP256(publicKey, DATA, signRaw(key, DATA))).toBe(true)
  })

  it('does not verify otherwise', () => {
    const signature = signRaw(key, DATA)
    const changed = signature.slice()
    changed[0]! ^= 1
    expect(isSignedP256(publicKey, utf8('other'), signature)).toBe(false)
    expect(isSignedP256(publicKey, DATA, changed)).toBe(false)
    expect(isSignedP256(publicKey, DATA, signRaw(other, DATA))).toBe(false)
    expect(isSignedP256(publicKey, DATA, sign(key, DATA))).toBe(false)
    expect(isSignedP256(publicKey, DATA, new Uint8Array(64))).toBe(false)
    expect(isSignedP256(publicKey, DATA, new Uint8Array(64).fill(0xff))).toBe(false)
  })

  it('of another curve does not verify', () => {
    const der = Buffer.from(large.spki)
    const theirs = createPublicKey({ key: der, format: 'der', type: 'spki' })
    expect(isSignedP256(theirs, DATA, signRaw(large, DATA))).toBe(false)
    expect(isSignedP256(theirs, DATA, signRaw(key, DATA))).toBe(false)
    const bitcoin = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
    const signer = { key: bitcoin.privateKey, dsaEncoding: 'ieee-p1363' as const }
    const signature = new Uint8Array(signWith('sha256', DATA, signer))
    expect(signature).toHaveLength(64)
    expect(isSignedP256(bitcoin.publicKey, DATA, signature)).toBe(false)
  })
})

describe('a point', () => {
  it('off the curve, or of another length, is no key', () => {
    const point = rawPoint(key)
    point[63]! ^= 1
    expect(pointP256(point)).toBeUndefined()
    expect(pointP256(new Uint8Array(64))).toBeUndefined()
    expect(pointP256(rawPoint(key).subarray(1))).toBeUndefined()
    expect(pointP256(concat(rawPoint(key), new Uint8Array(1)))).toBeUndefined()
  })
})
