/**
 * The certificates that a host hands to its guest beside a report (GHCB specification, AMD 56421,
 * extended guest request; what Linux shows as `auxblob`): entries of identifier, offset and length,
 * ended by an entry of zeros, then the certificates.
 *
 * The host writes it, so it is only a hint where certificates come from: `verify.ts` checks them.
 * @module
 */
import { type Bytes, toHex } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { refused } from '../hardware.ts'
import { looksLikePem, pemBlocks } from '../x509/pem.ts'

const ENTRY_BYTES = 24
const END = '0'.repeat(32)
const IDENTIFIERS: Readonly<Record<string, keyof SnpCertificates>> = {
  '63da758de6644564adc5f4b93be8accd': 'vcek',
  a8074bc2a25a483eaae639c045a0b8a1: 'vlek',
  '4ab7b379bbac4fe4a02f05aef327c782': 'ask',
  c0b406a4a803495297433fb6014cd0ae: 'ark',
}

/** Certificates in DER; which are there is the host's choice. */
export interface SnpCertificates {
  readonly vcek?: Bytes
  readonly vlek?: Bytes
  readonly ask?: Bytes
  readonly ark?: Bytes
}

/** Reads a table; entries of other kinds are passed over. Throws `evidence-malformed`. */
export function parseCertTable(bytes: Bytes): SnpCertificates {
  if (bytes.length > LIMITS.snpCertTableBytes) throw malformed('it is too long')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Partial<Record<keyof SnpCertificates, Bytes>> = {}
  for (let at = 0; ; at += ENTRY_BYTES) {
    if (at + ENTRY_BYTES > bytes.length) throw malformed('it has no end')
    const identifier = toHex(bytes.subarray(at, at + 16))
    if (identifier === END) return found
    const offset = view.getUint32(at + 16, true)
    const length = view.getUint32(at + 20, true)
    if (offset + length > bytes.length) throw malformed('a certificate is cut')
    const name = IDENTIFIERS[identifier]
    if (!name) continue
    if (found[name]) throw malformed(`it has two certificates of kind ${name}`)
    found[name] = derOf(bytes.slice(offset, offset + length))
  }
}

/** Some hosts put PEM into the table. */
function derOf(bytes: Bytes): Bytes {
  if (!looksLikePem(bytes)) return bytes
  return pemBlocks(Buffer.from(bytes).toString('latin1'), 'CERTIFICATE', 1)[0]!
}

const malformed = (because: string) =>
  refused('evidence-malformed', `bad certificate table: ${because}`)
