/**
 * ECDSA on P-384 as evidence is signed: accepted, refused, and never throwing.
 * @module
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isSignedP384 } from '../../../contracts/attest/p384.ts'
import { concat, utf8 } from '../../../contracts/base/bytes.ts'

const DATA = utf8('measured')
const signed = (namedCurve: string) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  return { publicKey, signature: new Uint8Array(sign('sha384', DATA, key)) }
}
const { publicKey, signature } = signed('P-384')

describe('a signature on P-384', () => {
  it('is accepted', () => {
    expect(isSignedP384(publicKey, DATA, signature)).toBe(true)
  })

  it('is refused over other data, of another key, and changed', () => {
    expect(isSignedP384(publicKey, utf8('Measured'), signature)).toBe(false)
    expect(isSignedP384(signed('P-384').publicKey, DATA, signature)).toBe(false)
    const changed = signature.map((byte, i) => (i === 95 ? byte ^ 1 : byte))
    expect(isSignedP384(publicKey, DATA, changed)).toBe(false)
  })

  it('is refused with numbers that are none, and in another length', () => {
    for (const bytes of [
      new Uint8Array(96),
      new Uint8Array(96).fill(0xff),
      signature.subarray(1),
      concat(signature, new Uint8Array(1)),
      new Uint8Array(),
    ]) {
      expect(isSignedP384(publicKey, DATA, bytes)).toBe(false)
    }
  })

  it('is refused on any other curve, also one of the same size', () => {
    for (const curve of ['P-256', 'P-521', 'brainpoolP384r1']) {
      const other = signed(curve)
      expect(isSignedP384(other.publicKey, DATA, other.signature)).toBe(false)
    }
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(isSignedP384(rsa.publicKey, DATA, signature)).toBe(false)
  })
})
