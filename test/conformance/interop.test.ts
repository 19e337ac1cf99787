/**
 * The channel with another implementation of HPKE on either side, both ways: `@hpke/core` with
 * `@hpke/hybridkem-x-wing`. It is given nothing but contracts/seal/README.md and the bytes.
 * @module
 */
import { type AeadInterface, CipherSuite, HkdfSha256 } from '@hpke/core'
import { XWing } from '@hpke/hybridkem-x-wing'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, utf8 } from '../../contracts/base/bytes.ts'
import { sha256, verifySignature } from '../../contracts/base/signing.ts'
import {
  clientStatement,
  type JobBinding,
  requestInfo,
  responseInfo,
} from '../../contracts/seal/binding.ts'
import { nativeKem } from '../../contracts/seal/kem.ts'
import { pad, unpad } from '../../contracts/seal/padding.ts'
import { CHUNK_BYTES, openRequest, sealRequest } from '../../contracts/seal/request.ts'
import { BINDING, CLIENT_JOB_KEY, content, flip } from '../contracts/seal/world.ts'

const ENC = 1_120
const PUBLIC = 1_216
const kem = nativeKem()
const bytes = (buffer: ArrayBufferLike) => new Uint8Array(buffer)
const view = (value: ArrayBufferLike | ArrayBufferView) =>
  ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value)

/** The library's own ChaCha20-Poly1305 is a package of its own; noble's behind its interface. */
const chacha: AeadInterface = {
  id: 3,
  keySize: 32,
  nonceSize: 12,
  tagSize: 16,
  createEncryptionContext: (key) => ({
    seal: async (iv, data, aad) =>
      chacha20poly1305(view(key), view(iv), view(aad)).encrypt(view(data)).slice().buffer,
    open: async (iv, data, aad) =>
      chacha20poly1305(view(key), view(iv), view(aad)).decrypt(view(data)).slice().buffer,
  }),
}

const suite = () => new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: chacha })
const label = (name: string) => utf8(`chrysalis/seal/1 ${name}`)
const nonceAt = (base: Bytes, counter: number) => flip(base, 11, counter)

/** Opens a sealed request as a provider, and seals frames, all by the other library. */
async function theirProvider(secretKey: Bytes, binding: JobBinding, sealed: Bytes) {
  const recipientKey = await new XWing().importKey('raw', secretKey.slice().buffer, false)
  const info = requestInfo(binding)
  const enc = sealed.slice(0, ENC)
  const context = await suite().createRecipientContext({ recipientKey, enc, info })
  const parts: Bytes[] = []
  for (let at = ENC; at < sealed.length; at += CHUNK_BYTES + 17) {
    const flag = sealed.slice(at, at + 1)
    parts.push(bytes(await context.open(sealed.slice(at + 1, at + CHUNK_BYTES + 17), flag)))
  }
  const plaintext = concat(...parts)
  const responsePublicKey = plaintext.slice(0, PUBLIC)
  const signature = plaintext.slice(PUBLIC, PUBLIC + 64)
  const padded = plaintext.slice(PUBLIC + 64)
  const statement = clientStatement(binding.network, { enc, info, responsePublicKey, padded })
  expect(verifySignature(statement, signature, CLIENT_JOB_KEY.publicKey)).toBe(true)
  const psk = await context.export(label('response psk'), 32)
  const sender = await suite().createSenderContext({
    recipientPublicKey: await new XWing().deserializePublicKey(responsePublicKey),
    info: responseInfo(binding, sha256(sealed)),
    psk: { key: psk, id: binding.leaseHash.slice() },
  })
  const key = bytes(await sender.export(label('frame key'), 32))
  const base = bytes(await sender.export(label('frame nonce'), 12))
  const frame = (counter: number, plain: Bytes, final: boolean) => {
    const flag = Uint8Array.of(final ? 1 : 0)
    const box = chacha20poly1305(key, nonceAt(base, counter), flag).encrypt(plain)
    return concat(counter === 0 ? bytes(sender.enc) : new Uint8Array(0), flag, box)
  }
  return { request: unpad(padded), frame }
}

/** Seals a request as a client, and opens frames, all by the other library. */
async function theirClient(epochPublicKey: Bytes, binding: JobBinding, request: Bytes) {
  const info = requestInfo(binding)
  const recipientPublicKey = await new XWing().deserializePublicKey(epochPublicKey.slice())
  const context = await suite().createSenderContext({ recipientPublicKey, info })
  const responseKey = await new XWing().generateKeyPair()
  const responsePublicKey = bytes(await new XWing().serializePublicKey(responseKey.publicKey))
  const enc = bytes(context.enc)
  const padded = pad(request)
  const signed = { enc, info, responsePublicKey, padded }
  const signature = CLIENT_JOB_KEY.sign(clientStatement(binding.network, signed))
  const plaintext = concat(responsePublicKey, signature, padded)
  const parts = [enc]
  for (let at = 0; at < plaintext.length; at += CHUNK_BYTES) {
    const flag = Uint8Array.of(at + CHUNK_BYTES >= plaintext.length ? 1 : 0)
    const chunk = await context.seal(plaintext.slice(at, at + CHUNK_BYTES), flag)
    parts.push(flag, bytes(chunk))
  }
  const sealed = concat(...parts)
  const psk = await context.export(label('response psk'), 32)
  const open = async (frames: readonly Bytes[]) => {
    const answer = await suite().createRecipientContext({
      recipientKey: responseKey.privateKey,
      enc: frames[0]!.slice(0, ENC),
      info: responseInfo(binding, sha256(sealed)),
      psk: { key: psk, id: binding.leaseHash.slice() },
    })
    const key = bytes(await answer.export(label('frame key'), 32))
    const base = bytes(await answer.export(label('frame nonce'), 12))
    return frames.map((frame, i) => {
      const body = i === 0 ? frame.slice(ENC) : frame
      const flag = body.slice(0, 1)
      return chacha20poly1305(key, nonceAt(base, i), flag).decrypt(body.slice(1))
    })
  }
  return { sealed, open }
}

describe('another implementation of HPKE', () => {
  it.each([100, 40_000])('as the provider, for a request of %i bytes', async (size) => {
    const epoch = kem.generateKeyPair()
    const request = new Uint8Array(size).fill(3)
    const made = { kem, epochPublicKey: epoch.publicKey, binding: BINDING, request }
    const client = await sealRequest({ ...made, clientJobKey: CLIENT_JOB_KEY })
    const provider = await theirProvider(epoch.secretKey, BINDING, client.sealed)
    expect(provider.request).toEqual(request)
    for (const i of [0, 1, 2]) {
      const opened = await client.response.open(provider.frame(i, content(i), i === 2))
      expect(opened).toEqual({ content: content(i), final: i === 2 })
    }
    client.response.end()
  })

  it.each([100, 40_000])('as the client, for a request of %i bytes', async (size) => {
    const epoch = kem.generateKeyPair()
    const request = new Uint8Array(size).fill(4)
    const client = await theirClient(epoch.publicKey, BINDING, request)
    const provider = await openRequest({
      kem,
      epochSecretKey: epoch.secretKey,
      binding: BINDING,
      clientJobPublicKey: CLIENT_JOB_KEY.publicKey,
      sealed: client.sealed,
    })
    expect(provider.request).toEqual(request)
    const frames = [0, 1, 2].map((i) => provider.response.seal(content(i), i === 2))
    expect(await client.open(frames)).toEqual([content(0), content(1), content(2)])
  })
})
