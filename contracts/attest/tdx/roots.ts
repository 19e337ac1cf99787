/**
 * Intel's one root for SGX and TDX, and the names of those below it.
 *
 * The pin is the SHA-256 of the SubjectPublicKeyInfo of "Intel SGX Root CA" (serial number
 * 22650cd65a9d3489f383b49552bf501b392706ac, valid until 2049-12-31), which Intel publishes at
 * https://certificates.trustedservices.intel.com/IntelSGXRootCA.der; the certificate's own SHA-256
 * is 44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3. No configuration changes it.
 * @module
 */
import { type Bytes, fromHex } from '../../base/bytes.ts'

export const INTEL_ROOTS: readonly Bytes[] = [
  fromHex('a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e'),
]

/** Common names by which Intel tells its certificates apart. */
export const INTEL_NAMES = {
  pck: ['Intel SGX PCK Certificate'],
  pckAuthority: ['Intel SGX PCK Platform CA', 'Intel SGX PCK Processor CA'],
  tcbSigning: ['Intel SGX TCB Signing'],
} as const
