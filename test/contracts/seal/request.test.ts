/**
 * The sealed request opens for its one reader under its one binding, and for nothing else.
 * @module
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, utf8 } from '../../../contracts/base/bytes.ts'
import { CATALOGUE, MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { clientStatement, type JobBinding, requestInfo } from '../../../contracts/seal/binding.ts'
import { KEM_ENC_BYTES, KEM_PUBLIC_BYTES, nativeKem } from '../../../contracts/seal/kem.ts'
import { seededKem } from '../../../contracts/seal/kemSeeded.ts'
import { pad, paddedLength, unpad } from '../../../contracts/seal/padding.ts'
import {
  CHUNK_BYTES,
  openRequest,
  sealedLength,
  sealRequest,
} from '../../../contracts/seal/request.ts'
import { hpkeSuite, publicKeyOf } from '../../../contracts/seal/suite.ts'
import { agree, BINDING, CLIENT_JOB_KEY, content, flip, seededRandom } from './world.ts'

type Opening = Awaited<ReturnType<typeof agree>>['opening']

/** Every refusal is the same: code, sentence, no facts, no cause. */
async function expectCannotOpen(opening: Opening): Promise<void> {
  const error: unknown = await openRequest(opening).then(
    () => undefined,
    (thrown) => thrown,
  )
  if (!(error instanceof MarketError)) throw new Error('it opened')
  expect(error.code).toBe('cannot-open')
  expect(error.message).toBe(CATALOGUE['cannot-open'].message)
  expect(error.facts).toEqual({})
  expect(error.cause).toBeUndefined()
}

const other = sha256(utf8('other'))
const wrongBindings: [keyof JobBinding, JobBinding][] = [
  ['network', { ...BINDING, network: -218 }],
  ['leaseHash', { ...BINDING, leaseHash: other }],
  ['acceptHash', { ...BINDING, acceptHash: other }],
  ['minTier', { ...BINDING, minTier: 'cpu-tee' }],
  ['evidenceDigest', { ...BINDING, evidenceDigest: other }],
]

describe('a sealed request', () => {
  it.each([0, 1, 2_044, 2_045, 14_000, 15_000, 100_000])('opens with %i bytes', async (size) => {
    const request = new Uint8Array(size).fill(7)
    const job = await agree({ request, kem: nativeKem() })
    expect(job.request).toEqual(request)
    expect(job.sealed.length).toBe(sealedLength(size))
  })

  it('opens between the native and the portable form, both ways', async () => {
    const portable = seededKem(seededRandom('other side'))
    for (const [kem, providerKem] of [
      [nativeKem(), portable],
      [portable, nativeKem()],
    ]) {
      const job = await agree({ kem, providerKem })
      const { content: opened } = await job.response.open(job.sealer.seal(content(9), true))
      expect(opened).toEqual(content(9))
    }
  })

  it('is the same bytes under the same seed, and others under another', async () => {
    const [a, b, c] = await Promise.all(['s', 's', 't'].map((seed) => agree({ seed })))
    expect(a!.sealed).toEqual(b!.sealed)
    expect(a!.sealer.seal(content(1), true)).toEqual(b!.sealer.seal(content(1), true))
    expect(a!.sealed).not.toEqual(c!.sealed)
  })

  it('hides its content: no plaintext in the sealed bytes', async () => {
    const { sealed } = await agree({ request: utf8('CANARY-4711') })
    expect(Buffer.from(sealed).includes('CANARY')).toBe(false)
  })

  it.each(wrongBindings)('does not open under another %s', async (_, binding) => {
    const { opening } = await agree()
    await expectCannotOpen({ ...opening, binding })
  })

  it('covers every field of the binding in these tests', () => {
    expect(wrongBindings.map(([field]) => field)).toEqual(Object.keys(BINDING))
  })

  it('does not open with another epoch key or for another client job key', async () => {
    const { opening } = await agree()
    const { secretKey } = nativeKem().generateKeyPair()
    await expectCannotOpen({ ...opening, epochSecretKey: secretKey })
    await expectCannotOpen({ ...opening, clientJobPublicKey: signingKey(other).publicKey })
  })

  it('does not open when any region of it is changed, cut or extended', async () => {
    const { opening } = await agree({ request: new Uint8Array(20_000), kem: nativeKem() })
    const { sealed } = opening
    const places = [0, 1_087, 1_088, 1_119, 1_120, 1_121, 1_120 + 1 + CHUNK_BYTES + 16]
    for (const at of [...places, sealed.length - 1]) {
      await expectCannotOpen({ ...opening, sealed: flip(sealed, at) })
    }
    for (const length of [0, 100, 1_120, 1_120 + 17 + CHUNK_BYTES, sealed.length - 1]) {
      await expectCannotOpen({ ...opening, sealed: sealed.slice(0, length) })
    }
    await expectCannotOpen({ ...opening, sealed: concat(sealed, Uint8Array.of(0)) })
  })

  it('does not open with its chunks exchanged or the last one missing and reflagged', async () => {
    const { opening } = await agree({ request: new Uint8Array(40_000), kem: nativeKem() })
    const chunk = CHUNK_BYTES + 17
    const at = (i: number) => opening.sealed.slice(1_120 + i * chunk, 1_120 + (i + 1) * chunk)
    const enc = opening.sealed.slice(0, 1_120)
    await expectCannotOpen({ ...opening, sealed: concat(enc, at(1), at(0), at(2)) })
    const cut = concat(enc, at(0), at(1))
    cut[1_120 + chunk] = 1
    await expectCannotOpen({ ...opening, sealed: cut })
  })

  it('opens as any sender makes it, and not with flag, padding or signature amiss', async () => {
    const { opening, epoch } = await agree({ kem: nativeKem() })
    const fresh = await resealed(opening, epoch.publicKey, {})
    expect((await openRequest({ ...opening, sealed: fresh.sealed })).request).toEqual(utf8('hi'))
    for (const amiss of [
      { flag: 0 },
      { flag: 2 },
      { padded: concat(pad(utf8('hi')), new Uint8Array(128)) },
      { padded: new Uint8Array(0) },
      { signature: new Uint8Array(64) },
      // The signature of another encapsulation: what one who opened that could carry on.
      { signature: fresh.signature },
    ]) {
      const { sealed } = await resealed(opening, epoch.publicKey, amiss)
      await expectCannotOpen({ ...opening, sealed })
    }
  })

  it.each([
    ['with the body as it was', (p: Uint8Array) => p, true],
    ['not with another request', (p: Uint8Array) => replaced(p, HEAD, pad(utf8('mine'))), false],
    ['not with another response key', (p: Uint8Array) => replaced(p, 0, KEM_PUBLIC), false],
    ['not with a bit of the padding set', (p: Uint8Array) => flip(p, p.length - 1), false],
  ])('resealed by a thief of the epoch key opens %s', async (_, change, opens) => {
    const { opening, epoch } = await agree({ kem: nativeKem() })
    const sealed = await swapped(opening, epoch.secretKey, change)
    if (opens) expect((await openRequest({ ...opening, sealed })).request.length).toBeGreaterThan(0)
    else await expectCannotOpen({ ...opening, sealed })
  })

  it('does not open a response frame as a request', async () => {
    const { opening, sealer } = await agree()
    await expectCannotOpen({ ...opening, sealed: sealer.seal(content(1), true) })
  })

  it('refuses to seal what is too large or to a key that is none', async () => {
    const kem = nativeKem()
    const { publicKey } = kem.generateKeyPair()
    const args = { kem, epochPublicKey: publicKey, binding: BINDING, clientJobKey: CLIENT_JOB_KEY }
    const request = new Uint8Array(LIMITS.requestBytes)
    await expect(sealRequest({ ...args, request })).rejects.toMatchObject({ code: 'too-large' })
    const small = { ...args, request: new Uint8Array(1) }
    const cut = { ...small, epochPublicKey: publicKey.subarray(1) }
    await expect(sealRequest(cut)).rejects.toMatchObject({ code: 'bad-input' })
    const short = { ...small, binding: { ...BINDING, acceptHash: other.subarray(1) } }
    await expect(sealRequest(short)).rejects.toMatchObject({ code: 'bad-input' })
  })
})

/** A sealed request made by hand after the README, with parts to get wrong. */
async function resealed(
  opening: Opening,
  publicKey: Uint8Array,
  parts: { flag?: number; padded?: Uint8Array; signature?: Uint8Array },
) {
  const kem = nativeKem()
  const info = requestInfo(opening.binding)
  const sender = await hpkeSuite(kem).SetupSender(publicKeyOf(publicKey), { info })
  const enc = sender.encapsulatedSecret
  const responsePublicKey = kem.generateKeyPair().publicKey
  const padded = parts.padded ?? pad(utf8('hi'))
  const signed = { enc, info, responsePublicKey, padded }
  const statement = clientStatement(opening.binding.network, signed)
  const signature = parts.signature ?? CLIENT_JOB_KEY.sign(statement)
  const plaintext = concat(responsePublicKey, signature, padded)
  const flag = Uint8Array.of(parts.flag ?? 1)
  return { signature, sealed: concat(enc, flag, await sender.ctx.Seal(plaintext, flag)) }
}

const HEAD = KEM_PUBLIC_BYTES + 64
const KEM_PUBLIC = nativeKem().generateKeyPair().publicKey

function replaced(bytes: Uint8Array, at: number, by: Uint8Array): Uint8Array {
  const out = bytes.slice()
  out.set(by, at)
  return out
}

/**
 * What one who holds the epoch's secret key can do: take the encapsulation of another's request,
 * derive its AEAD key (RFC 9180 section 5.1), and seal a plaintext of his own under it.
 */
async function swapped(
  opening: Opening,
  secretKey: Uint8Array,
  change: (plaintext: Uint8Array) => Uint8Array,
): Promise<Uint8Array> {
  const enc = opening.sealed.slice(0, KEM_ENC_BYTES)
  const { key, nonce } = keySchedule(nativeKem().decapsulate(secretKey, enc), opening.binding)
  const flag = Uint8Array.of(1)
  const plaintext = chacha20poly1305(key, nonce, flag).decrypt(opening.sealed.slice(1_121))
  return concat(enc, flag, chacha20poly1305(key, nonce, flag).encrypt(change(plaintext)))
}

/** HPKE's key schedule in base mode for our suite, by another library's HKDF. */
function keySchedule(sharedSecret: Uint8Array, binding: JobBinding) {
  const suite = concat(utf8('HPKE'), Uint8Array.of(0x64, 0x7a, 0, 1, 0, 3))
  const labeled = (label: string, ikm: Uint8Array) =>
    concat(utf8('HPKE-v1'), suite, utf8(label), ikm)
  const none = new Uint8Array(0)
  const hash = (label: string, ikm: Uint8Array) => extract(nobleSha256, labeled(label, ikm), none)
  const context = concat(
    Uint8Array.of(0),
    hash('psk_id_hash', none),
    hash('info_hash', requestInfo(binding)),
  )
  const secret = extract(nobleSha256, labeled('secret', none), sharedSecret)
  const derive = (label: string, length: number) =>
    expand(nobleSha256, secret, concat(Uint8Array.of(0, length), labeled(label, context)), length)
  return { key: derive('key', 32), nonce: derive('base_nonce', 12) }
}

describe('padding', () => {
  it('follows Padmé, from 2 KiB on', () => {
    const sizes: [number, number][] = [
      [0, 2_048],
      [2_044, 2_048],
      [2_045, 2_176],
      [2_172, 2_176],
      [4_092, 4_096],
      [4_093, 4_352],
      [100_000, 100_352],
    ]
    for (const [length, padded] of sizes) expect(paddedLength(length)).toBe(padded)
  })

  it('costs at most 12 %, is monotone, and has few classes', () => {
    const classes: number[] = []
    let worst = 0
    for (let length = 2_044; length < 120_000; length++) {
      const padded = paddedLength(length)
      if (padded !== classes.at(-1)) classes.push(padded)
      worst = Math.max(worst, padded / (length + 4))
      if (padded < length + 4) expect.fail(`${length} does not fit into ${padded}`)
    }
    expect(worst).toBeLessThan(1.12)
    expect(classes).toEqual(classes.toSorted((a, b) => a - b))
    expect(classes.length).toBeLessThan(150)
  })

  it('comes off again, and only in its one form', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (request) => {
        expect(unpad(pad(request))).toEqual(request)
      }),
    )
    const refused = expect.objectContaining({ code: 'bad-input' })
    const padded = pad(utf8('abc'))
    for (const bad of [
      new Uint8Array(0),
      padded.slice(0, -1),
      concat(padded, new Uint8Array(128)),
      flip(padded, 2_047),
      flip(padded, 0, 0x80),
      flip(padded, 3, 2),
    ]) {
      expect(() => unpad(bad)).toThrow(refused)
    }
  })
})
