/**
 * The sealed request: from a client to the one provider that accepted its lease.
 *
 * HPKE base mode (RFC 9180 section 5.1.1) to the provider's epoch key, `info` from `binding.ts`.
 * On the wire: `enc` (1,120 bytes), then chunks `flag || ciphertext` in order, each the HPKE seal
 * of at most 16 KiB with AAD = flag, 1 for the last and 0 before it. The plaintext of the chunks,
 * joined: response public key (1,216), signature (64), padded request. README.md has the whole
 * composition. The client calls `sealRequest`, the provider `openRequest`; a scheduler neither.
 * @module
 */
import type { RecipientContext } from 'hpke'
import { type Bytes, concat } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { Kem } from '../base/ports.ts'
import { type SigningKey, sha256, verifySignature } from '../base/signing.ts'
import { clientStatement, EXPORT_PSK, type JobBinding, requestInfo } from './binding.ts'
import { KEM_ENC_BYTES, KEM_PUBLIC_BYTES } from './kem.ts'
import { pad, paddedLength, unpad } from './padding.ts'
import { type ResponseOpener, type ResponseSealer, responseOpener, sealer } from './response.ts'
import { hpkeSuite, publicKeyOf, secretKeyOf } from './suite.ts'

/** Plaintext bytes of a chunk; the last may have fewer. */
export const CHUNK_BYTES = 16_384
const CHUNK_OVERHEAD = 1 + 16
const SIGNATURE_BYTES = 64
const HEAD_BYTES = KEM_PUBLIC_BYTES + SIGNATURE_BYTES
const PSK_BYTES = 32

/** Length on the wire of a sealed request whose content has `length` bytes. */
export function sealedLength(length: number): number {
  const plaintext = HEAD_BYTES + paddedLength(length)
  return KEM_ENC_BYTES + plaintext + Math.ceil(plaintext / CHUNK_BYTES) * CHUNK_OVERHEAD
}

/**
 * Seals `request` to an epoch key under `binding`.
 *
 * The epoch key, its signature, its time and the evidence must have been checked before. Throws
 * `too-large` where the result would exceed `LIMITS.requestBytes`, `bad-input` where the key or a
 * hash of the binding is malformed.
 *
 * @example
 * const { sealed, response } = await sealRequest(
 *   { kem, epochPublicKey, binding, clientJobKey, request })
 * const { content, final } = await response.open(firstFrame)
 */
export async function sealRequest(args: {
  kem: Kem
  epochPublicKey: Bytes
  binding: JobBinding
  clientJobKey: SigningKey
  request: Bytes
}): Promise<{ sealed: Bytes; response: ResponseOpener }> {
  const { kem, binding } = args
  const bytes = sealedLength(args.request.length)
  if (bytes > LIMITS.requestBytes) {
    throw new MarketError('too-large', { bytes, most: LIMITS.requestBytes })
  }
  const info = requestInfo(binding)
  const suite = hpkeSuite(kem)
  const { encapsulatedSecret: enc, ctx } = await suite
    .SetupSender(publicKeyOf(args.epochPublicKey), { info })
    .catch((cause) => {
      throw new MarketError('bad-input', { field: 'epochPublicKey' }, { cause })
    })
  const responseKey = kem.generateKeyPair()
  const responsePublicKey = responseKey.publicKey
  const padded = pad(args.request)
  const statement = clientStatement(binding.network, { enc, info, responsePublicKey, padded })
  const plaintext = concat(responsePublicKey, args.clientJobKey.sign(statement), padded)
  padded.fill(0) // a copy, never the caller's own bytes
  const parts: Bytes[] = [enc]
  try {
    for (let at = 0; at < plaintext.length; at += CHUNK_BYTES) {
      const flag = Uint8Array.of(at + CHUNK_BYTES >= plaintext.length ? 1 : 0)
      parts.push(flag, await ctx.Seal(plaintext.subarray(at, at + CHUNK_BYTES), flag))
    }
  } finally {
    plaintext.fill(0)
  }
  const sealed = concat(...parts)
  const psk = await ctx.Export(EXPORT_PSK, PSK_BYTES)
  const secretKey = responseKey.secretKey
  return { sealed, response: responseOpener({ kem, binding, sealed, secretKey, psk }) }
}

/**
 * Opens a sealed request with the secret of the epoch key that the accept named. `request` is the
 * only copy of the plaintext left: whoever has parsed it wipes it.
 *
 * Throws `cannot-open`, without facts, for every failure alike: a key or binding that differs, a
 * changed byte, a wrong signature, a malformed plaintext. The caller has made sure that the lease
 * has not been opened before (`epoch.ts`).
 */
export async function openRequest(args: {
  kem: Kem
  epochSecretKey: Bytes
  binding: JobBinding
  clientJobPublicKey: Bytes
  sealed: Bytes
}): Promise<{ request: Bytes; response: ResponseSealer }> {
  try {
    return await open(args)
  } catch {
    throw new MarketError('cannot-open') // no cause: nothing may tell one failure from another
  }
}

async function open(args: Parameters<typeof openRequest>[0]) {
  const { kem, binding, sealed } = args
  if (sealed.length > LIMITS.requestBytes) throw new MarketError('too-large')
  const info = requestInfo(binding)
  const enc = sealed.slice(0, KEM_ENC_BYTES)
  const key = secretKeyOf(args.epochSecretKey)
  const ctx = await hpkeSuite(kem).SetupRecipient(key, enc, { info })
  const plaintext = await openChunks(ctx, sealed.subarray(KEM_ENC_BYTES))
  try {
    const responsePublicKey = plaintext.slice(0, KEM_PUBLIC_BYTES)
    const signature = plaintext.slice(KEM_PUBLIC_BYTES, HEAD_BYTES)
    const padded = plaintext.subarray(HEAD_BYTES)
    const statement = clientStatement(binding.network, { enc, info, responsePublicKey, padded })
    if (!verifySignature(statement, signature, args.clientJobPublicKey)) {
      throw new MarketError('bad-signature')
    }
    const request = unpad(padded)
    const psk = await ctx.Export(EXPORT_PSK, PSK_BYTES)
    const sealedHash = sha256(sealed)
    return { request, response: await sealer({ kem, binding, sealedHash, responsePublicKey, psk }) }
  } catch (cause) {
    plaintext.fill(0)
    throw cause
  }
}

async function openChunks(ctx: RecipientContext, chunks: Bytes): Promise<Bytes> {
  const whole = CHUNK_BYTES + CHUNK_OVERHEAD
  const parts: Bytes[] = []
  try {
    for (let at = 0; at < chunks.length; at += whole) {
      const last = at + whole >= chunks.length
      const flag = chunks.slice(at, at + 1)
      if (flag[0] !== (last ? 1 : 0)) throw new MarketError('bad-frame')
      parts.push(await ctx.Open(chunks.slice(at + 1, at + whole), flag))
    }
    return concat(...parts)
  } finally {
    for (const part of parts) part.fill(0)
  }
}
