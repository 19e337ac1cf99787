/**
 * ECDSA on P-384 with SHA-384 (FIPS 186-5), as SEV-SNP reports and SPDM measurements are signed:
 * r and s of 48 bytes each, big-endian. Certificates have signatures of another form: `x509/`.
 * @module
 */
import { type KeyObject, verify } from 'node:crypto'
import type { Bytes } from '../base/bytes.ts'

/** True where `signature` over `data` is that of `key`, which is on P-384. Never throws. */
export function isSignedP384(key: KeyObject, data: Bytes, signature: Bytes): boolean {
  if (signature.length !== 96 || key.asymmetricKeyDetails?.namedCurve !== 'secp384r1') return false
  try {
    return verify('sha384', data, { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    return false // numbers that OpenSSL does not even take
  }
}
