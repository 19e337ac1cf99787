/**
 * Signatures of certificates and revocation lists: the few algorithms that hardware vendors use.
 *
 * An AlgorithmIdentifier is compared byte for byte with those below, so parameters cannot be chosen
 * by whoever wrote it, and SHA-1 and the like are not known at all. RFC 5758 (ECDSA), RFC 4055
 * (RSA-PSS, as AMD writes it: with the default trailer spelt out).
 * @module
 */
import { constants, type KeyObject, verify } from 'node:crypto'
import { type Bytes, toHex } from '../../base/bytes.ts'

interface Algorithm {
  readonly keyType: 'ec' | 'rsa'
  readonly hash: 'sha256' | 'sha384' | 'sha512'
}

/** Hash and mask SHA-384, salt of 48 bytes. */
const PSS_384 =
  'a00f300d06096086480165030402020500' +
  'a11c301a06092a864886f70d010108300d06096086480165030402020500' +
  'a203020130'

const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  '300a06082a8648ce3d040302': { keyType: 'ec', hash: 'sha256' },
  '300a06082a8648ce3d040303': { keyType: 'ec', hash: 'sha384' },
  '300a06082a8648ce3d040304': { keyType: 'ec', hash: 'sha512' },
  [`304106092a864886f70d01010a3034${PSS_384}`]: { keyType: 'rsa', hash: 'sha384' },
  [`304606092a864886f70d01010a3039${PSS_384}a303020101`]: { keyType: 'rsa', hash: 'sha384' },
}

/**
 * True where `signature` over `data`, made as the AlgorithmIdentifier (its DER) says, is that of
 * `key`. False for algorithms that are not known here. Never throws.
 */
export function isSignedBy(
  key: KeyObject,
  algorithm: Bytes,
  data: Bytes,
  signature: Bytes,
): boolean {
  const known = ALGORITHMS[toHex(algorithm)]
  if (known?.keyType !== key.asymmetricKeyType) return false
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }
  try {
    return verify(known!.hash, data, known!.keyType === 'rsa' ? { key, ...pss } : key, signature)
  } catch {
    return false // a signature that OpenSSL cannot even read
  }
}
