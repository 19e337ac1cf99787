/**
 * Sealed frames open once, in order, whole, in their own direction, and under their own request.
 * @module
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import * as noble from '@panva/hpke-noble'
import { CipherSuite } from 'hpke'
import { describe, expect, it } from 'vitest'
import { concat } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import {
  EXPORT_FRAME_KEY,
  EXPORT_FRAME_NONCE,
  EXPORT_PSK,
  requestInfo,
  responseInfo,
} from '../../../contracts/seal/binding.ts'
import { KEM_ENC_BYTES, KEM_PUBLIC_BYTES, nativeKem } from '../../../contracts/seal/kem.ts'
import { FIRST_FRAME_BYTES, FRAME_BYTES, sealer } from '../../../contracts/seal/response.ts'
import { transcriptHash } from '../../../contracts/seal/transcript.ts'
import { agree, BINDING, content, flip } from './world.ts'

const broken = { code: 'seal-broken' }

async function answered(values: readonly number[] = [1, 2, 3]) {
  const job = await agree({ kem: nativeKem() })
  const frames = values.map((v, i) => job.sealer.seal(content(v), i === values.length - 1))
  return { ...job, frames }
}

describe('a sealed response', () => {
  it('opens in order, with its final flag, and the same transcript on both sides', async () => {
    const { frames, response, sealer, sealed } = await answered()
    expect(frames.map((frame) => frame.length)).toEqual([
      FIRST_FRAME_BYTES,
      FRAME_BYTES,
      FRAME_BYTES,
    ])
    const opened = await Promise.all(frames.map((frame) => response.open(frame)))
    expect(opened).toEqual([
      { content: content(1), final: false },
      { content: content(2), final: false },
      { content: content(3), final: true },
    ])
    response.end()
    expect(response.frames).toBe(3)
    expect(response.transcriptHash()).toEqual(sealer.transcriptHash())
    expect(response.transcriptHash()).toEqual(
      transcriptHash(BINDING.network, sha256(sealed), frames),
    )
  })

  it('has another transcript for another network, request or frame', async () => {
    const { frames, sealed, sealer } = await answered()
    const whole = sealer.transcriptHash()
    const hash = sha256(sealed)
    const changed = [frames[0]!, frames[1]!, flip(frames[2]!, 5)]
    expect(transcriptHash(-1, hash, frames)).not.toEqual(whole)
    expect(transcriptHash(BINDING.network, flip(hash, 0), frames)).not.toEqual(whole)
    expect(transcriptHash(BINDING.network, hash, changed)).not.toEqual(whole)
    expect(transcriptHash(BINDING.network, hash, frames.slice(0, 2))).not.toEqual(whole)
  })

  it('is broken by truncation: the end without the final frame', async () => {
    const { frames, response } = await answered()
    expect(() => response.end()).toThrow(expect.objectContaining(broken))
    await response.open(frames[0]!)
    await response.open(frames[1]!)
    expect(() => response.end()).toThrow(
      expect.objectContaining({ ...broken, facts: { frames: 2 } }),
    )
  })

  it.each([
    ['reordering', [0, 2]],
    ['a missing first frame', [1]],
    ['a duplicate of the first', [0, 0]],
    ['a duplicate', [0, 1, 1]],
    ['a replay after the end', [0, 1, 2, 2]],
    ['a frame after the end', [0, 1, 2, 1]],
  ])('is broken by %s, and stays broken', async (_, order) => {
    const { frames, response } = await answered()
    const last = order.pop()!
    for (const i of order) await response.open(frames[i]!)
    await expect(response.open(frames[last]!)).rejects.toMatchObject(broken)
    const next = frames[order.length] ?? frames[2]!
    await expect(response.open(next)).rejects.toMatchObject(broken)
  })

  it('is broken by a flipped flag, and by any other changed byte', async () => {
    const places = [0, 1_100, KEM_ENC_BYTES, KEM_ENC_BYTES + 1, FIRST_FRAME_BYTES - 1]
    for (const at of places) {
      const { frames, response } = await answered()
      await expect(response.open(flip(frames[0]!, at))).rejects.toMatchObject(broken)
    }
    for (const [at, mask] of [
      [0, 1],
      [0, 2],
      [1, 1],
      [256, 0x80],
      [272, 1],
    ]) {
      const { frames, response } = await answered()
      await response.open(frames[0]!)
      await expect(response.open(flip(frames[1]!, at!, mask))).rejects.toMatchObject(broken)
    }
  })

  it('is broken by a final flag taken off, so that an end cannot be moved', async () => {
    const { frames, response } = await answered([1, 2])
    await response.open(frames[0]!)
    await expect(response.open(flip(frames[1]!, 0))).rejects.toMatchObject(broken)
  })

  it('is broken by frames of other lengths', async () => {
    for (const length of [0, FRAME_BYTES, FIRST_FRAME_BYTES - 1]) {
      const { frames, response } = await answered()
      await expect(response.open(frames[0]!.slice(0, length))).rejects.toMatchObject(broken)
    }
    const { frames, response } = await answered()
    const longer = concat(frames[0]!, Uint8Array.of(0))
    await expect(response.open(longer)).rejects.toMatchObject(broken)
  })

  it('is broken by the frames of another job and by its own request reflected', async () => {
    const one = await answered()
    const two = await answered()
    await expect(one.response.open(two.frames[0]!)).rejects.toMatchObject(broken)
    const reflected = two.sealed.slice(0, FIRST_FRAME_BYTES)
    await expect(two.response.open(reflected)).rejects.toMatchObject(broken)
  })

  it.each([
    ['no request secret', { psk: new Uint8Array(32).fill(1) }],
    ['another sealed request', { sealedHash: sha256(content(0)) }],
    ['another lease', { binding: { ...BINDING, leaseHash: sha256(content(1)) } }],
    ['another network', { binding: { ...BINDING, network: -3 } }],
  ])('is broken by an answer to the right key under %s', async (_, wrong) => {
    const kem = nativeKem()
    for (const changes of [{}, wrong]) {
      const job = await agree({ kem })
      const { responsePublicKey, psk } = await secretsOf(job)
      const sealedHash = sha256(job.sealed)
      const args = { kem, binding: BINDING, sealedHash, responsePublicKey, psk, ...changes }
      const opened = job.response.open((await sealer(args)).seal(content(1), true))
      if (changes === wrong) await expect(opened).rejects.toMatchObject(broken)
      else expect((await opened).content).toEqual(content(1))
    }
  })

  it('lets nobody seal after the end, or another length than 256', async () => {
    const { sealer } = await answered()
    const internal = expect.objectContaining({ code: 'internal' })
    const badInput = expect.objectContaining({ code: 'bad-input' })
    expect(() => sealer.seal(content(4), false)).toThrow(internal)
    const fresh = await agree({ kem: nativeKem() })
    expect(() => fresh.sealer.seal(content(1).subarray(1), false)).toThrow(badInput)
    expect(fresh.sealer.frames).toBe(0)
  })

  it('ends at the bound of frames', async () => {
    const { sealer } = await agree({ kem: nativeKem() })
    const empty = content(0)
    for (let i = 0; i < LIMITS.framesPerJob; i++) sealer.seal(empty, false)
    const limit = expect.objectContaining({ code: 'limit-exceeded' })
    expect(() => sealer.seal(empty, true)).toThrow(limit)
  })

  it('is what the composition in the README says, by another implementation', async () => {
    const { frames, sealed, epoch, response } = await answered([5, 6])
    const suite = oracle()
    const { responsePublicKey, psk } = await secretsOf({ sealed, epoch }, suite)
    const responseKey = await suite.DeserializePublicKey(responsePublicKey)
    // The oracle answers in the provider's place, and the client opens it.
    const answer = await suite.SetupSender(responseKey, {
      info: responseInfo(BINDING, sha256(sealed)),
      psk,
      pskId: BINDING.leaseHash,
    })
    const frameKey = await answer.ctx.Export(EXPORT_FRAME_KEY, 32)
    const nonce = await answer.ctx.Export(EXPORT_FRAME_NONCE, 12)
    const flag = Uint8Array.of(1)
    const box = chacha20poly1305(frameKey, nonce, flag).encrypt(content(8))
    const first = concat(answer.encapsulatedSecret, flag, box)
    expect(first.length).toBe(frames[0]!.length)
    expect(await response.open(first)).toEqual({ content: content(8), final: true })
  })
})

function oracle() {
  return new CipherSuite(
    noble.KEM_MLKEM768_X25519,
    noble.KDF_HKDF_SHA256,
    noble.AEAD_ChaCha20Poly1305,
  )
}

/** What a sealed request gives to the one who opens it, by the oracle. */
async function secretsOf(
  job: { sealed: Uint8Array; epoch: { secretKey: Uint8Array } },
  suite = oracle(),
) {
  const key = await suite.DeserializePrivateKey(job.epoch.secretKey, true)
  const enc = job.sealed.slice(0, KEM_ENC_BYTES)
  const request = await suite.SetupRecipient(key, enc, { info: requestInfo(BINDING) })
  const plaintext = await request.Open(job.sealed.slice(KEM_ENC_BYTES + 1), Uint8Array.of(1))
  const responsePublicKey = plaintext.slice(0, KEM_PUBLIC_BYTES)
  return { responsePublicKey, psk: await request.Export(EXPORT_PSK, 32) }
}
