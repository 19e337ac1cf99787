/**
 * The HPKE suite of Chrysalis: `hpke`'s protocol (RFC 9180) over our own three primitives.
 *
 * MLKEM768-X25519 (0x647a) comes from the `Kem` port, HKDF-SHA256 (0x0001) and ChaCha20-Poly1305
 * (0x0003) from node:crypto. All three are synchronous inside, so that a set-up resolves within
 * microtasks and never through WebCrypto's thread pool, whose order no seed can fix.
 * @module
 */
import { createSecretKey, hash } from 'node:crypto'
import { type AEAD, CipherSuite, type KDF, type KEM, type Key } from 'hpke'
import { type Bytes, concat } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { Kem } from '../base/ports.ts'
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES, openAead, sealAead } from './aead.ts'
import { KEM_ENC_BYTES, KEM_PUBLIC_BYTES, KEM_SECRET_BYTES, KEM_SHARED_BYTES } from './kem.ts'

/** A raw key in the shape that `hpke` passes around. */
export interface RawKey extends Key {
  readonly raw: Bytes
}

const HASH_BYTES = 32
const KEM_NAME = 'MLKEM768-X25519'

/**
 * `hpke`'s CipherSuite over `kem`, HKDF-SHA256 and ChaCha20-Poly1305.
 *
 * @example
 * const suite = hpkeSuite(nativeKem())
 * const { encapsulatedSecret, ctx } = await suite.SetupSender(publicKeyOf(bytes), { info })
 */
export function hpkeSuite(kem: Kem): CipherSuite<RawKey> {
  const known = suites.get(kem)
  if (known) return known
  const suite = new CipherSuite<RawKey>(
    () => kemOf(kem),
    () => HKDF_SHA256,
    () => chacha20Poly1305,
  )
  suites.set(kem, suite)
  return suite
}

const suites = new WeakMap<Kem, CipherSuite<RawKey>>()

/** A serialized public key (1,216 bytes) as a key of the suite. */
export function publicKeyOf(raw: Bytes): RawKey {
  return { algorithm: { name: KEM_NAME }, extractable: true, type: 'public', raw }
}

/** A serialized secret key (32 bytes) as a key of the suite. */
export function secretKeyOf(raw: Bytes): RawKey {
  return { algorithm: { name: KEM_NAME }, extractable: true, type: 'private', raw }
}

function kemOf(kem: Kem): KEM<RawKey> {
  return {
    id: 0x647a,
    type: 'KEM',
    name: KEM_NAME,
    Nsecret: KEM_SHARED_BYTES,
    Nenc: KEM_ENC_BYTES,
    Npk: KEM_PUBLIC_BYTES,
    Nsk: KEM_SECRET_BYTES,
    // No party here derives keys from input keying material: keys come from the Kem or from bytes.
    DeriveKeyPair: async () => Promise.reject(new Error('keys are not derived in this suite')),
    async GenerateKeyPair() {
      const pair = kem.generateKeyPair()
      return { publicKey: publicKeyOf(pair.publicKey), privateKey: secretKeyOf(pair.secretKey) }
    },
    SerializePublicKey: async (key) => key.raw,
    DeserializePublicKey: async (raw) => publicKeyOf(raw),
    SerializePrivateKey: async (key) => key.raw,
    DeserializePrivateKey: async (raw) => secretKeyOf(raw),
    async Encap(key) {
      const { enc, sharedSecret } = kem.encapsulate(key.raw)
      return { enc, shared_secret: sharedSecret }
    },
    Decap: async (enc, key) => kem.decapsulate(key.raw, enc),
  }
}

/** HKDF-SHA256 (RFC 5869) of the suite, over node:crypto. */
export const HKDF_SHA256: KDF = {
  id: 0x0001,
  type: 'KDF',
  name: 'HKDF-SHA256',
  Nh: HASH_BYTES,
  stages: 2,
  Extract: async (salt, ikm) => hmac(salt, ikm),
  Expand: async (prk, info, length) => expand(prk, info, length),
  Derive: async () => Promise.reject(new Error('HKDF is a two-stage KDF')),
}

/** ChaCha20-Poly1305 (RFC 8439) of the suite, over node:crypto. */
export const chacha20Poly1305: AEAD = {
  id: 0x0003,
  type: 'AEAD',
  name: 'ChaCha20Poly1305',
  Nk: AEAD_KEY_BYTES,
  Nn: AEAD_NONCE_BYTES,
  Nt: AEAD_TAG_BYTES,
  Seal: async (key, nonce, aad, plain) => sealAead(createSecretKey(key), nonce, aad, plain),
  Open: async (key, nonce, aad, sealed) => openAead(createSecretKey(key), nonce, aad, sealed),
}

/** HKDF-Expand (RFC 5869 section 2.3), whose counter has one byte. */
function expand(prk: Bytes, info: Bytes, length: number): Bytes {
  if (length > 255 * HASH_BYTES) throw new MarketError('bad-input', { most: 255 * HASH_BYTES })
  const out = new Uint8Array(Math.ceil(length / HASH_BYTES) * HASH_BYTES)
  let block = new Uint8Array(0)
  for (let i = 0; i * HASH_BYTES < length; i++) {
    block = new Uint8Array(hmac(prk, concat(block, info, Uint8Array.of(i + 1))))
    out.set(block, i * HASH_BYTES)
  }
  return out.subarray(0, length)
}

const BLOCK_BYTES = 64

/**
 * HMAC-SHA256 (RFC 2104) as two whole hashes: node's own Hmac makes objects for a key that is used
 * once, and a job derives some thirty keys.
 */
export function hmac(key: Bytes, message: Bytes): Bytes {
  const short = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key
  const inner = new Uint8Array(BLOCK_BYTES + message.length)
  const outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES)
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const byte = short[i] ?? 0
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  }
  inner.set(message, BLOCK_BYTES)
  outer.set(hash('sha256', inner, 'buffer'), BLOCK_BYTES)
  const code = new Uint8Array(hash('sha256', outer, 'buffer'))
  inner.fill(0)
  outer.fill(0)
  return code
}
