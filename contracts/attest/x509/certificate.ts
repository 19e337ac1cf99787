/**
 * An X.509 certificate (RFC 5280): read strictly, its key through node:crypto.
 *
 * Only what a pinned chain needs is understood; every extension is kept by its identifier for the
 * vendor's verifier. Reading proves nothing: that is `chain.ts`.
 * @module
 */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { type Bytes, equal, toHex } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { sha256 } from '../../base/signing.ts'
import { refused } from '../hardware.ts'
import {
  bitBytes,
  boolean,
  contextTag,
  type Der,
  derOf,
  itemsOf,
  listOf,
  namedBits,
  oidOf,
  smallInteger,
  TAG,
  timeMs,
  unsignedBytes,
} from './der.ts'
import { pemBlocks } from './pem.ts'

export interface Extension {
  readonly critical: boolean
  /** What its OCTET STRING holds. */
  readonly value: Bytes
}

export interface Certificate {
  readonly der: Bytes
  /** What is signed. */
  readonly tbs: Bytes
  /** AlgorithmIdentifier of the signature, as DER. */
  readonly algorithm: Bytes
  readonly signature: Bytes
  /** Serial number in lower-case hex, without a sign byte. */
  readonly serial: string
  /** Distinguished names as DER: equal names are equal bytes. */
  readonly issuer: Bytes
  readonly subject: Bytes
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly publicKey: KeyObject
  /** SHA-256 of the SubjectPublicKeyInfo: what a pin names. */
  readonly keyHash: Bytes
  readonly extensions: ReadonlyMap<string, Extension>
  readonly isCa: boolean
  /** CA certificates that may follow below, where that is bounded. */
  readonly pathLength: number | undefined
  /** The bits of keyUsage, `KEY_USAGE` names them; nothing where the extension is absent. */
  readonly keyUsage: number | undefined
}

/** Bits of keyUsage as `namedBits` gives them. */
export const KEY_USAGE = { digitalSignature: 0x8000, certSign: 0x0400, crlSign: 0x0200 } as const

/** Identifiers of the extensions that are understood here. */
export const EXTENSION = {
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  authorityKeyId: '2.5.29.35',
} as const

/** A certificate from DER. Throws `evidence-malformed`. */
export function parseCertificate(der: Bytes): Certificate {
  if (der.length > LIMITS.certificateBytes) throw malformed('it is too long')
  const whole = itemsOf(derOf(der, TAG.sequence))
  const tbs = whole.next(TAG.sequence)
  const algorithm = whole.next(TAG.sequence).whole
  const signature = bitBytes(whole.next(TAG.bitString))
  whole.end()
  const fields = signedFields(tbs)
  if (!equal(fields.algorithm, algorithm)) throw malformed('it names two signature algorithms')
  return { der, tbs: tbs.whole, signature, publicKey: publicKeyOf(der), ...fields }
}

/** Certificates of a PEM text, in its order, at most `most`. Throws `evidence-malformed`. */
export function parsePemChain(text: string, most: number = LIMITS.chainCertificates) {
  return pemBlocks(text, 'CERTIFICATE', most).map(parseCertificate)
}

/** The common name in a distinguished name; nothing where there is none, or more than one. */
export function commonNameOf(name: Bytes): string | undefined {
  const found: string[] = []
  for (const set of listOf(derOf(name, TAG.sequence))) {
    for (const pair of listOf(set)) {
      const [id, value] = listOf(pair)
      if (!id || !value || oidOf(id) !== '2.5.4.3') continue
      found.push(Buffer.from(value.body).toString('latin1'))
    }
  }
  return found.length === 1 ? found[0] : undefined
}

/** Extensions by their identifiers, each once. */
export function extensionsOf(list: Der): ReadonlyMap<string, Extension> {
  const found = new Map<string, Extension>()
  for (const each of listOf(list)) {
    const items = itemsOf(each)
    const id = oidOf(items.next(TAG.oid))
    const flag = items.optional(TAG.boolean)
    const critical = flag !== undefined && boolean(flag)
    if (flag && !critical) throw malformed('a default is written out')
    const value = items.next(TAG.octetString).body
    items.end()
    if (found.has(id)) throw malformed('an extension stands twice', { id })
    if (found.size >= LIMITS.certificateExtensions) throw malformed('it has too many extensions')
    found.set(id, { critical, value })
  }
  return found
}

function signedFields(tbs: Der) {
  const items = itemsOf(tbs)
  const version = itemsOf(items.next(contextTag(0)))
  if (smallInteger(version.next(TAG.integer)) !== 2) throw malformed('it is not of version 3')
  version.end()
  const serial = unsignedBytes(items.next(TAG.integer))
  if (serial.length > 20) throw malformed('its serial number is too long')
  const algorithm = items.next(TAG.sequence).whole
  const issuer = items.next(TAG.sequence).whole
  const [from, until, more] = listOf(items.next(TAG.sequence))
  if (!from || !until || more) throw malformed('its validity is not two times')
  const subject = items.next(TAG.sequence).whole
  const keyHash = sha256(items.next(TAG.sequence).whole)
  const extensions = extensionsOf(onlyOf(items.next(contextTag(3))))
  items.end()
  return {
    algorithm,
    serial: toHex(serial),
    issuer,
    subject,
    notBeforeMs: timeMs(from),
    notAfterMs: timeMs(until),
    keyHash,
    extensions,
    ...constraintsOf(extensions.get(EXTENSION.basicConstraints)?.value),
    keyUsage: keyUsageOf(extensions.get(EXTENSION.keyUsage)?.value),
  }
}

function onlyOf(value: Der): Der {
  const items = itemsOf(value)
  const only = items.next(TAG.sequence)
  items.end()
  return only
}

function constraintsOf(value: Bytes | undefined) {
  if (!value) return { isCa: false, pathLength: undefined }
  const items = itemsOf(derOf(value, TAG.sequence))
  const flag = items.optional(TAG.boolean)
  const isCa = flag !== undefined && boolean(flag)
  const length = items.optional(TAG.integer)
  items.end()
  if ((flag && !isCa) || (length && !isCa)) throw malformed('bad basic constraints')
  return { isCa, pathLength: length && smallInteger(length) }
}

function keyUsageOf(value: Bytes | undefined): number | undefined {
  return value && namedBits(derOf(value, TAG.bitString))
}

function publicKeyOf(der: Bytes): KeyObject {
  try {
    return new X509Certificate(der).publicKey
  } catch (cause) {
    throw refused('evidence-malformed', 'bad certificate: its key cannot be read', {}, cause)
  }
}

function malformed(because: string, facts: Record<string, string> = {}) {
  return refused('evidence-malformed', `bad certificate: ${because}`, facts)
}
