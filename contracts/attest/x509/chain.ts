/**
 * A certificate path from a leaf to a pinned root, at a given time (RFC 5280, section 6, as far as
 * a vendor's chain of fixed length needs it).
 *
 * A root is pinned by the SHA-256 of its public key: names and serial numbers prove nothing. The
 * path is exactly what was handed in, leaf first, root last: nothing is searched, nothing is left
 * over. Revocation is a second question: `crl.ts`.
 * @module
 */
import { type Bytes, equal, toHex } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { type EvidenceCode, refused } from '../hardware.ts'
import { type Certificate, EXTENSION, KEY_USAGE } from './certificate.ts'
import { isSignedBy } from './signature.ts'

export interface ChainOptions {
  /** SHA-256 of the SubjectPublicKeyInfo of each root that is trusted. */
  readonly roots: readonly Bytes[]
  readonly atMs: number
  /** Code for a forged or broken chain: collateral has its own. */
  readonly forged?: EvidenceCode
  /** True where the path begins with an authority (an issuer of lists), not with a leaf. */
  readonly ofAuthority?: boolean
  /** Critical extensions, by identifier, that the caller itself understands and checks. */
  readonly understood?: readonly string[]
}

export interface CheckedChain {
  readonly leaf: Certificate
  readonly root: Certificate
  /** Earliest end of any certificate. */
  readonly notAfterMs: number
}

const UNDERSTOOD: readonly string[] = [EXTENSION.keyUsage, EXTENSION.basicConstraints]

/**
 * Checks signatures, names, CA flags, path lengths, key usages and dates from leaf to root.
 * Throws `evidence-root` where the path does not end at a pinned root, `evidence-expired` outside a
 * certificate's dates, and `forged` (by default `evidence-signature`) for the rest.
 */
export function checkChain(path: readonly Certificate[], options: ChainOptions): CheckedChain {
  const { roots, atMs, forged = 'evidence-signature' } = options
  const leaf = path[0]
  const root = path.at(-1)
  if (!leaf || !root || path.length > LIMITS.chainCertificates) {
    throw refused(forged, 'a certificate chain of no fitting length', { length: path.length })
  }
  if (!roots.some((pin) => equal(pin, root.keyHash))) {
    const because = 'a certificate chain ends at a key that is not a pinned root'
    throw refused('evidence-root', because, { keyHash: toHex(root.keyHash) })
  }
  const fail = (because: string, at: number) => refused(forged, because, { certificate: at })
  path.forEach((certificate, at) => {
    const issuer = path[at + 1] ?? certificate
    if (!equal(certificate.issuer, issuer.subject)) {
      throw fail('a certificate names another issuer', at)
    }
    const { publicKey } = issuer
    const { algorithm, tbs, signature } = certificate
    if (!isSignedBy(publicKey, algorithm, tbs, signature)) {
      throw fail('a certificate is not signed by its issuer', at)
    }
    const wrong = roleOf(certificate, at, options)
    if (wrong) throw fail(wrong, at)
    checkDates(certificate, atMs, at)
  })
  return { leaf, root, notAfterMs: Math.min(...path.map((each) => each.notAfterMs)) }
}

/** What is wrong with a certificate for its place in the path; nothing where nothing is. */
function roleOf(
  certificate: Certificate,
  at: number,
  { understood = [], ofAuthority = false }: ChainOptions,
): string | undefined {
  const { isCa, pathLength, keyUsage = 0, extensions } = certificate
  for (const [id, { critical }] of extensions) {
    if (critical && !UNDERSTOOD.includes(id) && !understood.includes(id)) {
      return `a certificate has a critical extension that is not understood (${id})`
    }
  }
  if (at === 0 && !ofAuthority) return isCa ? 'the leaf is a certificate authority' : undefined
  if (!isCa) return 'an issuer is no certificate authority'
  if (!(keyUsage & KEY_USAGE.certSign)) return 'an issuer may not sign certificates'
  const below = ofAuthority ? at : at - 1
  if (pathLength !== undefined && below > pathLength) return 'a path is longer than allowed'
  return undefined
}

function checkDates({ notBeforeMs, notAfterMs }: Certificate, atMs: number, at: number): void {
  const facts = { certificate: at, notBeforeS: notBeforeMs / 1_000, notAfterS: notAfterMs / 1_000 }
  if (atMs < notBeforeMs) throw refused('evidence-expired', 'a certificate is not yet valid', facts)
  if (atMs > notAfterMs) throw refused('evidence-expired', 'a certificate has expired', facts)
}
