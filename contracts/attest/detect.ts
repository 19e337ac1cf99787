/**
 * What kind of evidence some bytes are, by what they begin with: for whoever holds a file and no
 * name for it. Finding a kind proves nothing; its verifier reads strictly.
 * @module
 */
import { type Bytes, fromHex } from '../base/bytes.ts'
import { LIMITS } from '../base/limits.ts'
import { SNP_REPORT_BYTES } from './snp/report.ts'

export type EvidenceForm =
  | 'document'
  | 'tdx'
  | 'sev-snp'
  | 'nvidia-gpu'
  | 'nvidia-list'
  | 'nvidia-token'

export interface Detected {
  readonly form: EvidenceForm
  /** The evidence itself: decoded where it was written in hex. */
  readonly bytes: Bytes
}

/** Names for a person. */
export const FORM_NAMES: Readonly<Record<EvidenceForm, string>> = {
  document: "the market's evidence document",
  tdx: 'an Intel TDX quote',
  'sev-snp': 'an AMD SEV-SNP report',
  'nvidia-gpu': "one NVIDIA GPU's measurements (SPDM)",
  'nvidia-list': 'evidence of NVIDIA GPUs',
  'nvidia-token': "tokens of NVIDIA's attestation service",
}

/** Undefined where it is nothing that is known here. */
export function detectEvidence(given: Bytes): Detected | undefined {
  const bytes = fromHexText(given) ?? given
  const form = binaryForm(bytes) ?? jsonForm(bytes)
  return form && { form, bytes }
}

/** True for a bundle of tokens of NVIDIA's service, with or without the object around it. */
export function isTokenBundle(json: unknown): boolean {
  if (isRecord(json)) return Object.hasOwn(json, 'detached_eat')
  if (!Array.isArray(json)) return false
  const first: unknown = json[0]
  return Array.isArray(first) && first[0] === 'JWT'
}

/** Parses JSON text within the bound of evidence; undefined where it is none. */
export function jsonOf(bytes: Bytes): unknown {
  if (bytes.length > LIMITS.receiptFileBytes) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined // what it is instead, others say
  }
}

function binaryForm(bytes: Bytes): EvidenceForm | undefined {
  if (bytes.length < 64) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getUint32(0, true)
  if (bytes.length === SNP_REPORT_BYTES && version >= 2 && version <= 5) return 'sev-snp'
  // Two 16-bit numbers: version of the quote, type of the key. SGX quotes are told apart there too.
  const keyType = view.getUint16(2, true)
  if ([3, 4, 5].includes(version & 0xffff) && (keyType === 2 || keyType === 3)) return 'tdx'
  const isMeasurements = bytes[0] === 0x11 && bytes[1] === 0xe0
  return isMeasurements ? 'nvidia-gpu' : undefined
}

function jsonForm(bytes: Bytes): EvidenceForm | undefined {
  const json = jsonOf(bytes)
  if (isTokenBundle(json)) return 'nvidia-token'
  if (isRecord(json) && Object.hasOwn(json, 'claims') && Object.hasOwn(json, 'proof')) {
    return 'document'
  }
  const list: unknown = isRecord(json) ? json.evidences : json
  const first: unknown = Array.isArray(list) ? list[0] : undefined
  return isRecord(first) && Object.hasOwn(first, 'evidence') ? 'nvidia-list' : undefined
}

/** Hex digits only, perhaps behind 0x and with line ends. */
function fromHexText(bytes: Bytes): Bytes | undefined {
  const isHex = bytes.length >= 128 && bytes.length <= LIMITS.receiptFileBytes
  if (!isHex || !bytes.subarray(0, 64).every((byte) => byte < 0x80)) return undefined
  const text = new TextDecoder().decode(bytes).replace(/^0x/, '').replaceAll(/\s/g, '')
  return /^([0-9a-f]{2})+$/i.test(text) ? fromHex(text.toLowerCase()) : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
