/**
 * The suite against published vectors: HPKE with MLKEM768-X25519 (draft-ietf-hpke-pq), and X-Wing.
 * The vectors live outside the repository, in `VECTORS_DIR`.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../contracts/base/bytes.ts'
import type { Kem } from '../../contracts/base/ports.ts'
import { nativeKem } from '../../contracts/seal/kem.ts'
import { seededKem } from '../../contracts/seal/kemSeeded.ts'
import { hpkeSuite, secretKeyOf } from '../../contracts/seal/suite.ts'
import { present, readJson } from './vectors.ts'

/** Randomness that was written down: each call takes the next bytes. */
const scripted = (hex: string) => {
  let left = fromHex(hex)
  return {
    bytes(length: number) {
      const next = left.slice(0, length)
      left = left.subarray(length)
      return next
    },
  }
}

interface HpkeVector {
  kem_id: number
  kdf_id: number
  aead_id: number
  mode: number
  info: string
  skRm: string
  pkRm: string
  enc: string
  ikmE: string
  shared_secret: string
  encryptions: { aad: string; ct: string; pt: string }[]
  exports: { exporter_context: string; L: number; exported_value: string }[]
}

interface XWingVector {
  seed: string
  pk: string
  eseed: string
  ct: string
  ss: string
}

const noRandom = { bytes: () => new Uint8Array(0) }
const forms: [string, Kem][] = [
  ['native', nativeKem()],
  ['seeded', seededKem(noRandom)],
]

describe.skipIf(!present)('published vectors', () => {
  it.each(forms)('HPKE MLKEM768-X25519, HKDF-SHA256, ChaCha20-Poly1305: %s', async (_, kem) => {
    const all = readJson<HpkeVector[]>('hpke/panva-vectors-pq.json')
    const ours = all.filter((v) => v.kem_id === 0x647a && v.kdf_id === 1 && v.aead_id === 3)
    expect(ours.length).toBe(1)
    for (const vector of ours) {
      const secret = fromHex(vector.skRm)
      const enc = fromHex(vector.enc)
      expect(toHex(kem.decapsulate(secret, enc))).toBe(vector.shared_secret)
      const sender = seededKem(scripted(vector.ikmE)).encapsulate(fromHex(vector.pkRm))
      expect([sender.enc, sender.sharedSecret]).toEqual([enc, fromHex(vector.shared_secret)])
      const info = fromHex(vector.info)
      const ctx = await hpkeSuite(kem).SetupRecipient(secretKeyOf(secret), enc, { info })
      for (const { aad, ct, pt } of vector.encryptions) {
        expect(toHex(await ctx.Open(fromHex(ct), fromHex(aad)))).toBe(pt)
      }
      for (const { exporter_context, L, exported_value } of vector.exports) {
        expect(toHex(await ctx.Export(fromHex(exporter_context), L))).toBe(exported_value)
      }
    }
  })

  it.each(forms)('the KEM also where it is joined to another KDF: %s', (_, kem) => {
    const all = readJson<HpkeVector[]>('hpke/panva-vectors-pq.json')
    const others = all.filter((v) => v.kem_id === 0x647a && v.kdf_id !== 1)
    expect(others.length).toBe(1) // the remaining eleven are of suites that nothing here speaks
    for (const { skRm, enc, shared_secret } of others) {
      expect(toHex(kem.decapsulate(fromHex(skRm), fromHex(enc)))).toBe(shared_secret)
    }
  })

  it('X-Wing: keys, encapsulations and secrets of the portable form, secrets of the native', () => {
    const { vectors } = readJson<{ vectors: XWingVector[] }>('hpke/xwing_vectors.json')
    expect(vectors.length).toBeGreaterThan(0)
    for (const { seed, pk, eseed, ct, ss } of vectors) {
      const kem = seededKem(scripted(seed + eseed))
      const keys = kem.generateKeyPair()
      const made = kem.encapsulate(keys.publicKey)
      expect([keys.publicKey, made.enc, made.sharedSecret].map(toHex)).toEqual([pk, ct, ss])
      expect(toHex(nativeKem().decapsulate(fromHex(seed), fromHex(ct)))).toBe(ss)
    }
  })
})
