/**
 * NVIDIA's revocation lists over a GPU's chain: one of the root, one of each line of chips.
 *
 * A list that is handed in must fit: forged, expired, older than one seen, or of an issuer that is
 * not in the chain, it is an error. Certificates that name a list (a distribution point) and have
 * none here are told to the caller, or refused where the caller wants that.
 * @module
 */
import { type Bytes, equal, toHex } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { refused } from '../hardware.ts'
import type { Certificate } from '../x509/certificate.ts'
import { type Crl, checkCrl, checkNotRevoked, parseCrl, type SeenCrl } from '../x509/crl.ts'
import { shownNameOf } from './dice.ts'

const DISTRIBUTION_POINT = '2.5.29.31'

export interface Revocation {
  readonly seen: ReadonlyMap<string, SeenCrl>
  /** Names of certificates whose list is missing. */
  readonly unchecked: readonly string[]
  /** Earliest end of a list, or infinity. */
  readonly untilMs: number
}

interface Lists {
  readonly atMs: number
  readonly crls?: readonly Bytes[]
  readonly seen?: ReadonlyMap<string, SeenCrl>
  readonly requireCrl?: boolean
}

/** Throws `evidence-collateral`, `-expired`, `-rollback` or `-revoked`. */
export function checkRevocation(path: readonly Certificate[], lists: Lists): Revocation {
  const { crls = [] } = lists
  if (crls.length > LIMITS.chainCertificates) {
    throw refused('evidence-collateral', 'there are more revocation lists than issuers')
  }
  const parsed = crls.map(parseCrl)
  const seen = new Map(parsed.map((crl) => checkOne(crl, path, lists)))
  const unchecked: string[] = []
  for (const certificate of path.slice(0, -1)) {
    const crl = parsed.find(({ issuer }) => equal(issuer, certificate.issuer))
    if (crl) checkNotRevoked(crl, certificate)
    else if (certificate.extensions.has(DISTRIBUTION_POINT)) {
      unchecked.push(shownNameOf(certificate))
    }
  }
  if (lists.requireCrl && unchecked.length > 0) {
    throw refused('evidence-collateral', `the revocation list for ${unchecked[0]} is missing`)
  }
  return { seen, unchecked, untilMs: Math.min(...parsed.map((crl) => crl.nextUpdateMs)) }
}

/** A list against the certificate of the chain that issued it. */
function checkOne(
  crl: Crl,
  path: readonly Certificate[],
  { atMs, seen }: Lists,
): readonly [string, SeenCrl] {
  const issuer = path.find(({ subject, isCa }) => isCa && equal(subject, crl.issuer))
  if (!issuer) throw refused('evidence-collateral', 'a revocation list is of another issuer')
  const key = toHex(issuer.keyHash)
  checkCrl(crl, issuer, atMs, seen?.get(key))
  const { number, thisUpdateMs } = crl
  return [key, { number, thisUpdateMs }]
}
