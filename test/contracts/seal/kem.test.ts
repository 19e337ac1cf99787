/**
 * The native and the portable key encapsulation are one scheme, also with two other libraries.
 * @module
 */
import { XWing } from '@hpke/hybridkem-x-wing'
import * as noble from '@panva/hpke-noble'
import { CipherSuite } from 'hpke'
import { describe, expect, it } from 'vitest'
import { equal, utf8 } from '../../../contracts/base/bytes.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import { KEM_ENC_BYTES, KEM_PUBLIC_BYTES, nativeKem } from '../../../contracts/seal/kem.ts'
import { seededKem } from '../../../contracts/seal/kemSeeded.ts'
import { hpkeSuite, publicKeyOf, secretKeyOf } from '../../../contracts/seal/suite.ts'
import { flip, seededRandom } from './world.ts'

const native = nativeKem()
const seeded = seededKem(seededRandom('kem'))
const forms = { native, seeded }
const pairs = Object.entries(forms).flatMap(([a, made]) =>
  Object.entries(forms).map(([b, used]) => ({ name: `${a} key, ${b} sender`, made, used })),
)
const oracle = () =>
  new CipherSuite(noble.KEM_MLKEM768_X25519, noble.KDF_HKDF_SHA256, noble.AEAD_ChaCha20Poly1305)
const info = utf8('info')
const psk = sha256(utf8('psk'))
const pskId = utf8('psk id')
const aad = utf8('aad')

describe('MLKEM768-X25519', () => {
  it.each(pairs)('agrees: $name', ({ made, used }) => {
    const { publicKey, secretKey } = made.generateKeyPair()
    const { enc, sharedSecret } = used.encapsulate(publicKey)
    expect(publicKey.length).toBe(KEM_PUBLIC_BYTES)
    expect(enc.length).toBe(KEM_ENC_BYTES)
    expect(equal(native.decapsulate(secretKey, enc), sharedSecret)).toBe(true)
    expect(equal(seeded.decapsulate(secretKey, enc), sharedSecret)).toBe(true)
  })

  it('gives another secret for an altered encapsulation, the same one in both forms', () => {
    const { publicKey, secretKey } = native.generateKeyPair()
    const { enc, sharedSecret } = native.encapsulate(publicKey)
    for (const at of [0, 1_087, 1_088, 1_118]) {
      const other = flip(enc, at)
      const secret = native.decapsulate(secretKey, other)
      expect(equal(secret, sharedSecret)).toBe(false)
      expect(equal(secret, seeded.decapsulate(secretKey, other))).toBe(true)
    }
  })

  it.each(Object.entries(forms))('%s refuses wrong lengths and points of low order', (_, kem) => {
    const { publicKey, secretKey } = kem.generateKeyPair()
    const { enc } = kem.encapsulate(publicKey)
    const refused = expect.objectContaining({ code: 'bad-input' })
    const lowOrder = (bytes: Uint8Array) => bytes.slice().fill(0, -32)
    expect(() => kem.encapsulate(publicKey.subarray(1))).toThrow(refused)
    expect(() => kem.decapsulate(secretKey.subarray(1), enc)).toThrow(refused)
    expect(() => kem.decapsulate(secretKey, enc.subarray(1))).toThrow(refused)
    expect(() => kem.encapsulate(lowOrder(publicKey))).toThrow(refused)
    expect(() => kem.decapsulate(secretKey, lowOrder(enc))).toThrow(refused)
    // Coefficients from q on (FIPS 203 section 7.2), the least of them and the greatest.
    const least = Uint8Array.of(0x01, 0x0d, 0x00)
    for (const wrong of [least, Uint8Array.of(0xff, 0xff, 0xff)]) {
      const unreduced = publicKey.slice()
      unreduced.set(wrong, 300)
      expect(() => kem.encapsulate(unreduced)).toThrow(refused)
    }
  })

  it('repeats under a seed', () => {
    const [a, b] = [0, 1].map(() => {
      const kem = seededKem(seededRandom('twice'))
      const keys = kem.generateKeyPair()
      return { keys, made: kem.encapsulate(keys.publicKey) }
    })
    expect(a).toEqual(b)
  })

  it('opens nothing with a secret that was zeroed', () => {
    const { publicKey, secretKey } = native.generateKeyPair()
    const { enc, sharedSecret } = native.encapsulate(publicKey)
    expect(equal(native.decapsulate(secretKey, enc), sharedSecret)).toBe(true)
    secretKey.fill(0)
    expect(equal(native.decapsulate(secretKey, enc), sharedSecret)).toBe(false)
  })

  it('interoperates with X-Wing of another library', async () => {
    const xWing = new XWing()
    const keys = await xWing.generateKeyPair()
    const publicKey = new Uint8Array(await xWing.serializePublicKey(keys.publicKey))
    const theirs = native.encapsulate(publicKey)
    const opened = await xWing.decap({
      recipientKey: keys.privateKey,
      enc: theirs.enc.slice().buffer,
    })
    expect(equal(new Uint8Array(opened), theirs.sharedSecret)).toBe(true)
    const ours = native.generateKeyPair()
    const recipientPublicKey = await xWing.deserializePublicKey(ours.publicKey.slice().buffer)
    const sent = await xWing.encap({ recipientPublicKey })
    const secret = native.decapsulate(ours.secretKey, new Uint8Array(sent.enc))
    expect(equal(secret, new Uint8Array(sent.sharedSecret))).toBe(true)
  })
})

describe.each(Object.entries(forms))('the suite over the %s form', (_, kem) => {
  const suite = hpkeSuite(kem)
  const { publicKey, secretKey } = kem.generateKeyPair()

  it.each([{ info }, { info, psk, pskId }])('seals to the oracle (%#)', async (options) => {
    const { encapsulatedSecret, ctx } = await suite.SetupSender(publicKeyOf(publicKey), options)
    const key = await oracle().DeserializePrivateKey(secretKey, true)
    const theirs = await oracle().SetupRecipient(key, encapsulatedSecret, options)
    const plaintext = await theirs.Open(await ctx.Seal(utf8('hello'), aad), aad)
    expect(plaintext).toEqual(utf8('hello'))
    expect(await theirs.Export(aad, 77)).toEqual(await ctx.Export(aad, 77))
  })

  it.each([{ info }, { info, psk, pskId }])('opens the oracle (%#)', async (options) => {
    const key = await oracle().DeserializePublicKey(publicKey)
    const { encapsulatedSecret, ctx } = await oracle().SetupSender(key, options)
    const ours = await suite.SetupRecipient(secretKeyOf(secretKey), encapsulatedSecret, options)
    for (const message of ['one', '', 'three']) {
      expect(await ours.Open(await ctx.Seal(utf8(message), aad), aad)).toEqual(utf8(message))
    }
    await expect(ours.Open(await ctx.Seal(utf8('x'), aad), utf8('other'))).rejects.toThrow()
  })
})
