/**
 * AMD's root keys (ARK), one a product line, pinned by SHA-256 of their SubjectPublicKeyInfo.
 *
 * Source: the certificates that AMD's key distribution service gives out at
 * `https://kdsintf.amd.com/vcek/v1/{Milan,Genoa,Turin}/cert_chain`, the second of each file, as
 * embedded also in google/go-sev-guest (`verify/trust`). `test/conformance/snp.test.ts` computes
 * the hashes again from those files.
 * @module
 */
import { type Bytes, fromHex } from '../../base/bytes.ts'
import type { SnpProduct } from './tcb.ts'

export type SnpRoots = Readonly<Partial<Record<SnpProduct, Bytes>>>

export const AMD_ROOTS: SnpRoots = {
  Milan: fromHex('9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9'),
  Genoa: fromHex('429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831'),
  Turin: fromHex('4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08'),
}
