/**
 * What a sealed job is bound to, and the labels that keep every derivation apart.
 *
 * Both HPKE set-ups take an `info` built here: length-prefixed, so that no two bindings share an
 * encoding. A party that disagrees about any field derives other keys and opens nothing.
 * @module
 */
import { type Bytes, concat, i32, lengthPrefixed, utf8 } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { sha256, taggedHash } from '../base/signing.ts'
import type { Tier } from '../base/tier.ts'

/** What both parties of a sealed job must agree on before anything opens. */
export interface JobBinding {
  /** Network id, signed 32-bit. */
  readonly network: number
  /** Representation hash of the lease, 32 bytes. */
  readonly leaseHash: Bytes
  /** Representation hash of the accept, 32 bytes; it names the epoch key and the expiry. */
  readonly acceptHash: Bytes
  readonly minTier: Tier
  /** SHA-256 of the evidence document, 32 bytes. */
  readonly evidenceDigest: Bytes
}

const REQUEST_LABEL = utf8('chrysalis/seal/1 request')
const RESPONSE_LABEL = utf8('chrysalis/seal/1 response')
const CLIENT_TAG = 'chrysalis/seal/1 client'

/** Exporter contexts (RFC 9180 section 5.3), one for each derived secret. */
export const EXPORT_PSK = utf8('chrysalis/seal/1 response psk')
export const EXPORT_FRAME_KEY = utf8('chrysalis/seal/1 frame key')
export const EXPORT_FRAME_NONCE = utf8('chrysalis/seal/1 frame nonce')

/** `info` of the request's HPKE set-up. Throws `bad-input` on a hash that is not 32 bytes. */
export function requestInfo(binding: JobBinding): Bytes {
  return lengthPrefixed(
    REQUEST_LABEL,
    i32(binding.network),
    hash('leaseHash', binding.leaseHash),
    hash('acceptHash', binding.acceptHash),
    utf8(binding.minTier),
    hash('evidenceDigest', binding.evidenceDigest),
  )
}

/** `info` of the response's HPKE set-up; `sealedHash` is SHA-256 of the whole sealed request. */
export function responseInfo(binding: JobBinding, sealedHash: Bytes): Bytes {
  return lengthPrefixed(RESPONSE_LABEL, i32(binding.network), binding.leaseHash, sealedHash)
}

/**
 * What the client job key signs: the tagged hash of `enc || info || H(response key || padded)`, so
 * that not even a thief of the epoch key can put another body into an encapsulation. `enc` and the
 * hash have fixed lengths.
 */
export function clientStatement(
  network: number,
  parts: { enc: Bytes; info: Bytes; responsePublicKey: Bytes; padded: Bytes },
): Bytes {
  const body = sha256(parts.responsePublicKey, parts.padded)
  return taggedHash(CLIENT_TAG, network, concat(parts.enc, parts.info, body))
}

function hash(field: string, bytes: Bytes): Bytes {
  if (bytes.length !== 32) throw new MarketError('bad-input', { field, bytes: 32 })
  return bytes
}
