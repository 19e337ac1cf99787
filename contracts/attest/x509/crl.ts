/**
 * A certificate revocation list (RFC 5280, section 5): read strictly, checked against its issuer.
 *
 * A list that is missing, empty, garbage, forged, of another issuer, of another time or of a kind
 * that needs more than this (deltas, indirect lists: they are marked by critical extensions) is an
 * error, never "nothing is revoked".
 * @module
 */
import { type Bytes, equal, toBigInt, toHex } from '../../base/bytes.ts'
import { asMarketError, type MarketError } from '../../base/errors.ts'
import { LIMITS } from '../../base/limits.ts'
import { refused } from '../hardware.ts'
import { type Certificate, EXTENSION, extensionsOf, KEY_USAGE } from './certificate.ts'
import {
  bitBytes,
  contextTag,
  type Der,
  derOf,
  itemsOf,
  listOf,
  smallInteger,
  TAG,
  timeMs,
  unsignedBytes,
} from './der.ts'
import { looksLikePem, pemBlocks } from './pem.ts'
import { isSignedBy } from './signature.ts'

export interface Crl {
  readonly tbs: Bytes
  readonly algorithm: Bytes
  readonly signature: Bytes
  readonly issuer: Bytes
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  readonly number: bigint
  /** Serial numbers in lower-case hex, as `Certificate.serial`. */
  readonly revoked: ReadonlySet<string>
}

/** What was seen of an issuer's lists: an older one is refused. Some issuers never count up. */
export interface SeenCrl {
  readonly number: bigint
  readonly thisUpdateMs: number
}

const UNDERSTOOD: readonly string[] = [EXTENSION.crlNumber, EXTENSION.authorityKeyId]

/** A list from DER or from one block of PEM. Throws `evidence-collateral`. */
export function parseCrl(bytes: Bytes): Crl {
  if (bytes.length > LIMITS.crlBytes) throw bad('it is too long')
  try {
    if (!looksLikePem(bytes)) return crlOf(bytes)
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    return crlOf(pemBlocks(text, 'X509 CRL', 1)[0]!)
  } catch (thrown) {
    const cause = asMarketError(thrown)
    throw cause.code === 'evidence-malformed' ? bad(String(cause.facts.because), cause) : cause
  }
}

/**
 * Checks a list against the certificate of its issuer, whose own chain has been checked, at a time,
 * and against what was seen. Throws `evidence-collateral`, `evidence-expired`, `evidence-rollback`.
 */
export function checkCrl(crl: Crl, issuer: Certificate, atMs: number, seen?: SeenCrl): void {
  const { algorithm, tbs, signature, thisUpdateMs, nextUpdateMs } = crl
  if (!equal(crl.issuer, issuer.subject)) throw bad('it is of another issuer')
  if (!((issuer.keyUsage ?? 0) & KEY_USAGE.crlSign)) throw bad('its issuer may not sign lists')
  if (!isSignedBy(issuer.publicKey, algorithm, tbs, signature)) {
    throw bad('it is not signed by its issuer')
  }
  const facts = { thisUpdateS: thisUpdateMs / 1_000, nextUpdateS: nextUpdateMs / 1_000 }
  if (atMs < thisUpdateMs) {
    throw refused('evidence-expired', 'a revocation list is of the future', facts)
  }
  if (atMs > nextUpdateMs) throw refused('evidence-expired', 'a revocation list has expired', facts)
  if (seen && (crl.number < seen.number || thisUpdateMs < seen.thisUpdateMs)) {
    throw refused('evidence-rollback', 'a revocation list is older than one seen before', facts)
  }
}

/** Throws `evidence-revoked` where the list, checked before, names the certificate. */
export function checkNotRevoked(crl: Crl, certificate: Certificate): void {
  if (!equal(crl.issuer, certificate.issuer)) throw bad('it is of another issuer')
  if (!crl.revoked.has(certificate.serial)) return
  const { serial } = certificate
  throw refused('evidence-revoked', 'a certificate of the platform is revoked', { serial })
}

function crlOf(bytes: Bytes): Crl {
  const whole = itemsOf(derOf(bytes, TAG.sequence))
  const tbs = whole.next(TAG.sequence)
  const algorithm = whole.next(TAG.sequence).whole
  const signature = bitBytes(whole.next(TAG.bitString))
  whole.end()
  const items = itemsOf(tbs)
  if (smallInteger(items.next(TAG.integer)) !== 1) throw bad('it is not of version 2')
  if (!equal(items.next(TAG.sequence).whole, algorithm)) throw bad('it names two algorithms')
  const issuer = items.next(TAG.sequence).whole
  const thisUpdate = timeMs(time(items.any()))
  const nextUpdate = timeMs(time(items.any()))
  const entries = items.optional(TAG.sequence)
  const extensions = extensionsOf(only(items.next(contextTag(0))))
  items.end()
  refuseUnknown(extensions, UNDERSTOOD)
  const number = extensions.get(EXTENSION.crlNumber)
  if (!number) throw bad('it has no number')
  if (nextUpdate < thisUpdate) throw bad('it ends before it begins')
  return {
    tbs: tbs.whole,
    algorithm,
    signature,
    issuer,
    thisUpdateMs: thisUpdate,
    nextUpdateMs: nextUpdate,
    number: toBigInt(unsignedBytes(derOf(number.value, TAG.integer))),
    revoked: entries ? revokedOf(entries) : new Set(),
  }
}

function revokedOf(entries: Der): ReadonlySet<string> {
  const list = listOf(entries)
  // An empty list is left out (RFC 5280, 5.1.2.6), so that there is one way to write it.
  if (list.length === 0) throw bad('it has an empty list')
  const revoked = new Set<string>()
  for (const entry of list) {
    const items = itemsOf(entry)
    revoked.add(toHex(unsignedBytes(items.next(TAG.integer))))
    timeMs(time(items.any()))
    const extensions = items.optional(TAG.sequence)
    items.end()
    if (extensions) refuseUnknown(extensionsOf(extensions), [EXTENSION.reasonCode])
  }
  return revoked
}

function refuseUnknown(
  extensions: ReturnType<typeof extensionsOf>,
  understood: readonly string[],
): void {
  for (const [id, { critical }] of extensions) {
    if (critical && !understood.includes(id)) {
      throw bad(`a critical extension is not understood (${id})`)
    }
  }
}

function only(value: Der): Der {
  const items = itemsOf(value)
  const found = items.next(TAG.sequence)
  items.end()
  return found
}

function time(value: Der | undefined): Der {
  if (!value) throw bad('a time is missing')
  return value
}

function bad(because: string, cause?: MarketError) {
  return refused('evidence-collateral', `bad revocation list: ${because}`, {}, cause)
}
