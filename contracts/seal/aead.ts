/**
 * ChaCha20-Poly1305 (RFC 8439) over node:crypto: the one AEAD of the channel, for HPKE's chunks
 * (`suite.ts`) and for frames (`response.ts`).
 *
 * Keys are KeyObjects: node takes a raw key at four times the cost. Synchronous.
 * @module
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'

export const AEAD_KEY_BYTES = 32
export const AEAD_NONCE_BYTES = 12
export const AEAD_TAG_BYTES = 16

const CIPHER = 'chacha20-poly1305'
const OPTIONS = { authTagLength: AEAD_TAG_BYTES }

/** Ciphertext and tag, behind `room` free bytes. Throws `bad-input` on another nonce length. */
export function sealAead(key: KeyObject, nonce: Bytes, aad: Bytes, plain: Bytes, room = 0): Bytes {
  checkNonce(nonce)
  const cipher = createCipheriv(CIPHER, key, nonce, OPTIONS)
  cipher.setAAD(aad, { plaintextLength: plain.length })
  const out = pooled(room + plain.length + AEAD_TAG_BYTES).fill(0, 0, room)
  out.set(cipher.update(plain), room)
  cipher.final() // a stream cipher keeps nothing back
  out.set(cipher.getAuthTag(), room + plain.length)
  return out
}

/** The plaintext of ciphertext and tag. Throws where they are not authentic under all the rest. */
export function openAead(key: KeyObject, nonce: Bytes, aad: Bytes, sealed: Bytes): Bytes {
  checkNonce(nonce)
  const length = sealed.length - AEAD_TAG_BYTES
  if (length < 0) throw new MarketError('bad-input', { least: AEAD_TAG_BYTES })
  const decipher = createDecipheriv(CIPHER, key, nonce, OPTIONS)
  decipher.setAAD(aad, { plaintextLength: length })
  decipher.setAuthTag(sealed.subarray(length))
  const plain = decipher.update(sealed.subarray(0, length))
  decipher.final()
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.length) // memory of its own, no copy
}

/** Memory that is set to nothing yet, from node's pool: a frame's own would cost a tenth more. */
function pooled(length: number): Bytes {
  const { buffer, byteOffset } = Buffer.allocUnsafe(length)
  return new Uint8Array(buffer, byteOffset, length)
}

/** OpenSSL fills a shorter nonce up, so that two would be one. */
function checkNonce(nonce: Bytes): void {
  if (nonce.length !== AEAD_NONCE_BYTES) {
    throw new MarketError('bad-input', { field: 'nonce', bytes: AEAD_NONCE_BYTES })
  }
}
