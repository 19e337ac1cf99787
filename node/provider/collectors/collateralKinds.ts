/**
 * How each kind of collateral is checked before a cache adopts it, and which of its numbers only
 * rise: Intel's as a whole, and one revocation list of an issuer that the caller has verified.
 * @module
 */
import { parseCollateral } from '../../../contracts/attest/tdx/collateral.ts'
import type { Evaluations } from '../../../contracts/attest/tdx/evaluations.ts'
import { INTEL_ROOTS } from '../../../contracts/attest/tdx/roots.ts'
import { trustedCollateral } from '../../../contracts/attest/tdx/trusted.ts'
import { type Certificate, parseCertificate } from '../../../contracts/attest/x509/certificate.ts'
import { checkChain } from '../../../contracts/attest/x509/chain.ts'
import { checkCrl, parseCrl, type SeenCrl } from '../../../contracts/attest/x509/crl.ts'
import { type Bytes, toHex } from '../../../contracts/base/bytes.ts'
import type { CheckCollateral, Marks } from './collateral.ts'

/** Intel's collateral for TDX, in its one encoding; `roots` is for tests. */
export function tdxCollateral(roots: readonly Bytes[] = INTEL_ROOTS): CheckCollateral {
  return (bytes, atMs) => {
    const { seen, notAfterMs } = trustedCollateral(parseCollateral(bytes), { roots, atMs })
    const lists = Object.entries(seen.crls).map(([issuer, crl]) => listMarks(issuer, crl))
    return {
      validUntilMs: notAfterMs,
      marks: Object.assign(
        { tcbInfo: numberOf(seen.tcbInfo), qeIdentity: numberOf(seen.qeIdentity) },
        ...lists,
      ),
    }
  }
}

/**
 * A revocation list of an authority. `path` leads from the authority to a pinned root, in DER: for
 * AMD the root alone, for NVIDIA's line its certificate and the root.
 */
export function revocationList(path: readonly Bytes[], roots: readonly Bytes[]): CheckCollateral {
  const certificates = path.map(parseCertificate)
  return (bytes, atMs) => {
    const { leaf, notAfterMs } = checkChain(certificates, { roots, atMs, ofAuthority: true })
    const crl = parseCrl(bytes)
    checkCrl(crl, leaf, atMs)
    return {
      validUntilMs: Math.min(notAfterMs, crl.nextUpdateMs),
      marks: listMarks(keyOf(leaf), crl),
    }
  }
}

const keyOf = ({ keyHash }: Certificate): string => toHex(keyHash)

const listMarks = (issuer: string, { number, thisUpdateMs }: SeenCrl): Marks => ({
  [`list/${issuer}/number`]: number,
  [`list/${issuer}/date`]: BigInt(thisUpdateMs),
})

/** The highest number: an operator's source is of one track. */
function numberOf([highest]: Evaluations): bigint {
  return BigInt(highest?.[0] ?? 0)
}
