/**
 * MLKEM768-X25519 in JavaScript, with all randomness from the `Random` port.
 *
 * Simulations use it, because native key encapsulation takes no seed and a run must repeat to the
 * byte; so may a runtime without native ML-KEM. Same bytes on the wire as `nativeKem`.
 * @module
 */
import { MLKEM768X25519 } from '@noble/post-quantum/hybrid.js'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { Kem, Random } from '../base/ports.ts'
import { checkLength, KEM_ENC_BYTES, KEM_PUBLIC_BYTES, KEM_SECRET_BYTES } from './kem.ts'

/** Randomness of one encapsulation: the ML-KEM message and the ephemeral X25519 scalar. */
const ENCAPSULATION_SEED_BYTES = 64
const Q = 3329
const COEFFICIENT_BYTES = 1152

/**
 * The portable form. A key pair takes 32 bytes of `random`, an encapsulation 64; decapsulation
 * takes none. Throws `bad-input` where `nativeKem` does.
 */
export function seededKem(random: Random): Kem {
  return {
    generateKeyPair() {
      const secretKey = random.bytes(KEM_SECRET_BYTES)
      return { secretKey, publicKey: MLKEM768X25519.keygen(secretKey).publicKey }
    },
    encapsulate(publicKey) {
      checkLength('publicKey', publicKey, KEM_PUBLIC_BYTES)
      checkModulus(publicKey)
      const seed = random.bytes(ENCAPSULATION_SEED_BYTES)
      const made = refusing('publicKey', () => MLKEM768X25519.encapsulate(publicKey, seed))
      return { enc: made.cipherText, sharedSecret: made.sharedSecret }
    },
    decapsulate(secretKey: Bytes, enc: Bytes) {
      checkLength('secretKey', secretKey, KEM_SECRET_BYTES)
      checkLength('enc', enc, KEM_ENC_BYTES)
      const expanded = MLKEM768X25519.keygen(secretKey).secretKey
      return refusing('enc', () => MLKEM768X25519.decapsulate(enc, expanded))
    },
  }
}

/**
 * The modulus check of an encapsulation key (FIPS 203 section 7.2), which this version of the
 * library leaves out: 768 coefficients of 12 bits, two in three bytes, each below q.
 */
function checkModulus(publicKey: Bytes): void {
  for (let at = 0; at < COEFFICIENT_BYTES; at += 3) {
    const [a, b, c] = publicKey.subarray(at, at + 3)
    if ((a! | ((b! & 15) << 8)) >= Q || ((b! >> 4) | (c! << 4)) >= Q) {
      throw new MarketError('bad-input', { field: 'publicKey' })
    }
  }
}

function refusing<T>(field: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new MarketError('bad-input', { field }, { cause })
  }
}
