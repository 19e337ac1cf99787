/**
 * Whether a quote is genuine: from the pinned root down to the report of the protected machine.
 *
 * Root, authority and PCK certificate; the PCK key signs a report of the quoting enclave; that
 * report holds the hash of the attestation key; the attestation key signs the quote. Who the
 * quoting enclave is and how well the platform is kept, the collateral must say.
 * @module
 */
import { concat, equal } from '../../base/bytes.ts'
import { sha256 } from '../../base/signing.ts'
import { refused } from '../hardware.ts'
import { isSignedP256, pointP256 } from '../p256.ts'
import { type Certificate, commonNameOf, KEY_USAGE, parsePemChain } from '../x509/certificate.ts'
import { checkChain } from '../x509/chain.ts'
import { type PckPlatform, pckPlatform } from './pck.ts'
import type { TdxQuote } from './quote.ts'
import { INTEL_NAMES } from './roots.ts'
import { type QeReport, qeReportOf } from './tcb.ts'
import type { Trust } from './trusted.ts'

export interface GenuineQuote {
  readonly platform: PckPlatform
  readonly pck: Certificate
  /** The authority that issued the PCK certificate. */
  readonly authority: Certificate
  readonly qe: QeReport
  readonly notAfterMs: number
}

/** Checks the signatures of a quote. Throws `evidence-signature`, `evidence-root`,
 * `evidence-expired`, `evidence-malformed`. */
export function genuineQuote(quote: TdxQuote, { roots, atMs }: Trust): GenuineQuote {
  // From the report upwards: what was tampered with costs the least.
  const key = pointP256(quote.attestationKey)
  if (!key || !isSignedP256(key, quote.signed, quote.signature)) {
    throw forged('it is not signed by the attestation key')
  }
  const qe = qeReportOf(quote.qeReport)
  const bound = concat(sha256(quote.attestationKey, quote.qeAuthData), new Uint8Array(32))
  if (!equal(qe.reportData, bound)) {
    throw forged('the quoting enclave does not vouch for the attestation key')
  }
  const path = parsePemChain(quote.pckChain)
  const [pck, authority] = path
  if (!pck || !authority || path.length !== 3) throw forged('its chain has not three certificates')
  const { notAfterMs } = checkChain(path, { roots, atMs })
  checkName(pck, INTEL_NAMES.pck)
  checkName(authority, INTEL_NAMES.pckAuthority)
  if (!((pck.keyUsage ?? 0) & KEY_USAGE.digitalSignature)) throw forged('its PCK may not sign')
  if (!isSignedP256(pck.publicKey, quote.qeReport, quote.qeReportSignature)) {
    throw forged('the report of the quoting enclave is not signed by the platform')
  }
  return { platform: pckPlatform(pck), pck, authority, qe, notAfterMs }
}

function checkName(certificate: Certificate, names: readonly string[]): void {
  const name = commonNameOf(certificate.subject) ?? ''
  if (!names.includes(name)) throw forged(`a certificate is not of ${names.join(' or ')}`)
}

function forged(because: string) {
  return refused('evidence-signature', `the quote is not genuine: ${because}`)
}
