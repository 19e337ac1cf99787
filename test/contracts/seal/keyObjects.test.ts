/**
 * Keys go into node and come out of it unchanged, in either of the forms that it takes.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  DER_FORM,
  type KeyKind,
  privateObject,
  publicObject,
  RAW_FORM,
  rawPublic,
} from '../../../contracts/seal/keyObjects.ts'
import { coded } from '../attest/evidence.ts'

const KINDS: [KeyKind, number][] = [
  ['mlKem', 64],
  ['x25519', 32],
]
/** In the middle of a buffer, as keys are cut out of messages. */
const inside = (bytes: Uint8Array) => {
  const around = new Uint8Array(bytes.length + 20).fill(0xee)
  around.set(bytes, 10)
  return around.subarray(10, 10 + bytes.length)
}

describe.each(KINDS)('keys of kind %s', (kind, privateBytes) => {
  it('are the same keys in DER and raw', () => {
    const secret = inside(new Uint8Array(randomBytes(privateBytes)))
    const [der, raw] = [DER_FORM, RAW_FORM].map((form) => {
      const key = form.private(kind, secret)
      return { key, publicKey: rawPublic(kind, key) }
    })
    expect(der!.key.equals(raw!.key)).toBe(true)
    expect(der!.publicKey).toEqual(raw!.publicKey)
    const publicKey = inside(der!.publicKey)
    expect(DER_FORM.public(kind, publicKey).equals(RAW_FORM.public(kind, publicKey))).toBe(true)
    for (const form of [DER_FORM, RAW_FORM]) {
      expect(form.export(kind, form.public(kind, publicKey))).toEqual(der!.publicKey)
    }
  })

  it('are refused in any other length', () => {
    const publicKey = rawPublic(
      kind,
      privateObject(kind, new Uint8Array(randomBytes(privateBytes))),
    )
    expect(publicObject(kind, publicKey).type).toBe('public')
    for (const change of [-1, 1]) {
      const one = new Uint8Array(privateBytes + change)
      expect(() => privateObject(kind, one)).toThrow(coded('bad-input'))
      const other = new Uint8Array(publicKey.length + change)
      expect(() => publicObject(kind, other)).toThrow(coded('bad-input'))
    }
  })
})
