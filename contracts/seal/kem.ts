/**
 * MLKEM768-X25519 over node:crypto: the production form of the `Kem` port.
 *
 * The hybrid of draft-ietf-hpke-pq (KEM id 0x647a), which is X-Wing
 * (draft-connolly-cfrg-xwing-kem): a 32-byte secret expands by SHAKE256 into an ML-KEM-768 seed
 * and an X25519 scalar, and the shared secret is SHA3-256 over both secrets, the X25519 transcript
 * and a label. Node has both halves natively (OpenSSL 3.5), forty times as fast as JavaScript.
 * Only the roles' composition roots pick a Kem; everything else takes the port. `seededKem` is the
 * portable twin, and the oracle in tests.
 * @module
 */
import {
  createHash,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { type Bytes, concat } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { Kem } from '../base/ports.ts'
import { privateObject, publicObject, rawPublic } from './keyObjects.ts'

/** Lengths in bytes of MLKEM768-X25519: secret, public key, encapsulation, shared secret. */
export const KEM_SECRET_BYTES = 32
export const KEM_PUBLIC_BYTES = 1216
export const KEM_ENC_BYTES = 1120
export const KEM_SHARED_BYTES = 32

const ML_PUBLIC_BYTES = 1184
const ML_CIPHERTEXT_BYTES = 1088
const ML_SEED_BYTES = 64
/** The label of the combiner, as in X-Wing: six ASCII characters. */
const LABEL = Buffer.from('5c2e2f2f5e5c', 'hex')

/**
 * MLKEM768-X25519 with native keys and the operating system's randomness.
 *
 * Keys and encapsulations are raw bytes of the lengths above. `encapsulate` and `decapsulate`
 * throw `bad-input` on a wrong length and on an X25519 point of low order; an altered
 * encapsulation of the right form gives another secret (implicit rejection), which the AEAD above
 * then refuses.
 *
 * @example
 * const kem = nativeKem()
 * const { publicKey, secretKey } = kem.generateKeyPair()
 * const { enc, sharedSecret } = kem.encapsulate(publicKey)
 * equal(kem.decapsulate(secretKey, enc), sharedSecret) // true
 */
export function nativeKem(): Kem {
  return { generateKeyPair, encapsulate: encapsulateTo, decapsulate: decapsulateWith }
}

/** Throws `bad-input` unless `bytes` has exactly `length` bytes. */
export function checkLength(field: string, bytes: Bytes, length: number): void {
  if (bytes.length !== length) throw new MarketError('bad-input', { field, bytes: length })
}

function generateKeyPair() {
  const secretKey = new Uint8Array(randomBytes(KEM_SECRET_BYTES))
  const { ml, xPublic } = expand(secretKey)
  return { publicKey: concat(rawPublic('mlKem', ml), xPublic), secretKey }
}

function encapsulateTo(publicKey: Bytes) {
  checkLength('publicKey', publicKey, KEM_PUBLIC_BYTES)
  try {
    const mlKey = publicObject('mlKem', publicKey.subarray(0, ML_PUBLIC_BYTES))
    const xPublic = publicKey.subarray(ML_PUBLIC_BYTES)
    const ml = encapsulate(mlKey)
    const ephemeral = generateKeyPairSync('x25519')
    const xSecret = diffieHellman({
      privateKey: ephemeral.privateKey,
      publicKey: publicObject('x25519', xPublic),
    })
    const xCiphertext = rawPublic('x25519', ephemeral.publicKey)
    const sharedSecret = combine(ml.sharedKey, xSecret, xCiphertext, xPublic)
    return { enc: concat(ml.ciphertext, xCiphertext), sharedSecret }
  } catch (cause) {
    throw new MarketError('bad-input', { field: 'publicKey' }, { cause })
  }
}

function decapsulateWith(secretKey: Bytes, enc: Bytes): Bytes {
  checkLength('secretKey', secretKey, KEM_SECRET_BYTES)
  checkLength('enc', enc, KEM_ENC_BYTES)
  const { ml, x, xPublic } = expand(secretKey)
  try {
    const xCiphertext = enc.subarray(ML_CIPHERTEXT_BYTES)
    const mlSecret = decapsulate(ml, enc.subarray(0, ML_CIPHERTEXT_BYTES))
    const publicKey = publicObject('x25519', xCiphertext)
    const xSecret = diffieHellman({ privateKey: x, publicKey })
    return combine(mlSecret, xSecret, xCiphertext, xPublic)
  } catch (cause) {
    throw new MarketError('bad-input', { field: 'enc' }, { cause })
  }
}

interface Expanded {
  readonly ml: KeyObject
  readonly x: KeyObject
  readonly xPublic: Bytes
}

/**
 * Importing costs four times a decapsulation, and an epoch key serves many: kept with its bytes.
 */
const imported = new WeakMap<Bytes, Expanded>()

/** The private keys of a secret: SHAKE256 to 96 bytes, ML-KEM seed (d, z) first. */
function expand(secretKey: Bytes): Expanded {
  const erased = secretKey.every((byte) => byte === 0)
  if (erased) imported.delete(secretKey) // who zeroes a secret means its imported form too
  const known = imported.get(secretKey)
  if (known) return known
  const seed = createHash('shake256', { outputLength: ML_SEED_BYTES + 32 }).update(secretKey)
  const bytes = seed.digest()
  const ml = privateObject('mlKem', bytes.subarray(0, ML_SEED_BYTES))
  const x = privateObject('x25519', bytes.subarray(ML_SEED_BYTES))
  bytes.fill(0)
  const made = { ml, x, xPublic: rawPublic('x25519', x) }
  if (!erased) imported.set(secretKey, made)
  return made
}

function combine(mlSecret: Bytes, xSecret: Bytes, xCiphertext: Bytes, xPublic: Bytes): Bytes {
  const hash = createHash('sha3-256').update(mlSecret).update(xSecret)
  return new Uint8Array(hash.update(xCiphertext).update(xPublic).update(LABEL).digest())
}
