/**
 * Wycheproof, symmetric primitives and signatures, through the functions that we call: what is
 * valid verifies or opens, what is not does not. Key encapsulation: `wycheproofKem.test.ts`.
 * @module
 */
import { createPublicKey, createSecretKey, hkdfSync } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { describe, expect, it } from 'vitest'
import { isSignedP256, pointP256 } from '../../contracts/attest/p256.ts'
import { isSignedP384 } from '../../contracts/attest/p384.ts'
import { isSignedBy } from '../../contracts/attest/x509/signature.ts'
import { type Bytes, concat, fromHex, toHex } from '../../contracts/base/bytes.ts'
import { verifySignature } from '../../contracts/base/signing.ts'
import { openAead, sealAead } from '../../contracts/seal/aead.ts'
import { HKDF_SHA256 } from '../../contracts/seal/suite.ts'
import { bytesOf, present, wycheproof } from './vectors.ts'

type AeadField = 'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag'
type HkdfField = 'ikm' | 'salt' | 'info' | 'okm'
type EcGroup = { publicKey: { uncompressed: string }; publicKeyDer: string }

/** AlgorithmIdentifier of ECDSA with SHA-384 (RFC 5758). */
const ECDSA_SHA384 = fromHex('300a06082a8648ce3d040303')

/** How many tests of each result there were; a file that has changed shows here. */
function tally(tests: readonly { test: { result: string } }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { test } of tests) counts[test.result] = (counts[test.result] ?? 0) + 1
  return counts
}

/** The outcome, or nothing where it threw. */
function orNothing<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

describe.skipIf(!present)('Wycheproof', () => {
  it('ChaCha20-Poly1305, as chunks and frames use it', () => {
    const tests = wycheproof<AeadField>('chacha20_poly1305_test.json')
    for (const { test } of tests) {
      const [raw, iv, aad, msg, ct, tag] = bytesOf(test, 'key', 'iv', 'aad', 'msg', 'ct', 'tag')
      const key = createSecretKey(raw!)
      const opened = orNothing(() => openAead(key, iv!, aad!, concat(ct!, tag!)))
      expect(opened && toHex(opened), `case ${test.tcId}`).toBe(
        test.result === 'valid' ? test.msg : undefined,
      )
      if (test.result !== 'valid') continue
      expect(toHex(sealAead(key, iv!, aad!, msg!))).toBe(test.ct + test.tag)
    }
    expect(tally(tests)).toEqual({ valid: 256, invalid: 69 })
  })

  it('XChaCha20-Poly1305, as the key file uses it', () => {
    const tests = wycheproof<AeadField>('xchacha20_poly1305_test.json')
    for (const { test } of tests) {
      const [key, iv, aad, msg, ct, tag] = bytesOf(test, 'key', 'iv', 'aad', 'msg', 'ct', 'tag')
      const box = concat(ct!, tag!)
      const opened = orNothing(() => xchacha20poly1305(key!, iv!, aad!).decrypt(box))
      expect(opened && toHex(opened), `case ${test.tcId}`).toBe(
        test.result === 'valid' ? test.msg : undefined,
      )
      if (test.result !== 'valid') continue
      expect(toHex(xchacha20poly1305(key!, iv!, aad!).encrypt(msg!))).toBe(test.ct + test.tag)
    }
    expect(tally(tests)).toEqual({ valid: 246, invalid: 69 })
  })

  it('HKDF-SHA256, as HPKE and the key file use it', async () => {
    const tests = wycheproof<HkdfField>('hkdf_sha256_test.json')
    for (const { test } of tests) {
      const { size } = test as unknown as { size: number }
      const [ikm, salt, info] = bytesOf(test, 'ikm', 'salt', 'info')
      const prk = await HKDF_SHA256.Extract(salt!, ikm!)
      const ours = HKDF_SHA256.Expand(prk, info!, size).then(toHex, () => undefined)
      const nodes = orNothing(() => Buffer.from(hkdfSync('sha256', ikm!, salt!, info!, size)))
      const expected = test.result === 'valid' ? test.okm : undefined
      expect(await ours, `case ${test.tcId}`).toBe(expected)
      expect(nodes?.toString('hex'), `case ${test.tcId}, node`).toBe(expected)
    }
    expect(tally(tests)).toEqual({ valid: 83, invalid: 3 })
  })

  it('Ed25519, as every signature is verified', () => {
    const tests = wycheproof<'msg' | 'sig', { publicKey: { pk: string } }>('ed25519_test.json')
    for (const { group, test } of tests) {
      const [msg, sig] = bytesOf(test, 'msg', 'sig')
      const verified = verifySignature(msg!, sig!, fromHex(group.publicKey.pk))
      expect(verified, `case ${test.tcId}`).toBe(test.result === 'valid')
    }
    expect(tally(tests)).toEqual({ valid: 88, invalid: 63 })
  })

  it('ECDSA P-256 with SHA-256, as TDX quotes are signed', () => {
    const tests = wycheproof<'msg' | 'sig', EcGroup>('ecdsa_secp256r1_sha256_p1363_test.json')
    for (const { group, test } of tests) {
      const point = fromHex(group.publicKey.uncompressed).subarray(1)
      const [msg, sig] = bytesOf(test, 'msg', 'sig')
      const verified = isSignedP256(pointP256(point)!, msg!, sig!)
      expect(verified, `case ${test.tcId}`).toBe(test.result === 'valid')
    }
    expect(tally(tests)).toEqual({ valid: 173, invalid: 89 })
  })

  it('ECDSA P-384 with SHA-384, as certificates are signed, and reports', () => {
    const tests = wycheproof<'msg' | 'sig', EcGroup>('ecdsa_secp384r1_sha384_test.json')
    for (const { group, test } of tests) {
      const der = Buffer.from(group.publicKeyDer, 'hex')
      const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
      const [msg, sig] = bytesOf(test, 'msg', 'sig')
      const verified = isSignedBy(key, ECDSA_SHA384, msg!, sig!)
      expect(verified, `case ${test.tcId}`).toBe(test.result === 'valid')
      if (!verified) continue
      // The same numbers as SEV-SNP and SPDM write them.
      const fixed = fixedLength(sig!)
      expect(isSignedP384(key, msg!, fixed), `case ${test.tcId}, fixed`).toBe(true)
      fixed[95]! ^= 1
      expect(isSignedP384(key, msg!, fixed), `case ${test.tcId}, changed`).toBe(false)
    }
    expect(tally(tests)).toEqual({ valid: 194, invalid: 310 })
  })

  it.skip('AES-GCM: nothing here calls it, neither the channel nor the key file', () => undefined)
  it.skip('HKDF-SHA512: nothing here calls it, all derivation is with SHA-256', () => undefined)
})

/** r and s of a valid DER signature of P-384, 48 bytes each. */
function fixedLength(der: Bytes): Bytes {
  const out = new Uint8Array(96)
  let at = der[1]! >= 0x80 ? 3 : 2
  for (const end of [48, 96]) {
    const number = der.subarray(at + 2, at + 2 + der[at + 1]!)
    const digits = number.subarray(Math.max(0, number.length - 48))
    out.set(digits, end - digits.length)
    at += 2 + der[at + 1]!
  }
  return out
}
