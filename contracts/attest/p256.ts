/**
 * ECDSA on P-256 with SHA-256 (FIPS 186-5), as TDX quotes and Intel's collateral are signed: r and
 * s of 32 bytes each, big-endian. Certificates have signatures of another form: `x509/`.
 * @module
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { Bytes } from '../base/bytes.ts'

/** SubjectPublicKeyInfo of an uncompressed point of P-256, before the point (RFC 5480). */
const SPKI = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')

/** The key of a point, x and y of 32 bytes each; nothing where it is not on the curve. */
export function pointP256(point: Bytes): KeyObject | undefined {
  if (point.length !== 64) return undefined
  try {
    return createPublicKey({ key: Buffer.concat([SPKI, point]), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

/** True where `signature` over `data` is that of `key`, which is on P-256. Never throws. */
export function isSignedP256(key: KeyObject, data: Bytes, signature: Bytes): boolean {
  if (signature.length !== 64 || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false
  try {
    return verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    return false // numbers that OpenSSL does not even take
  }
}
