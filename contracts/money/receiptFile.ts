/**
 * The receipt file as JSON: its shape, a strict parser and a builder. `receipt.ts` checks it.
 *
 * Unknown keys are refused: a file that says more than was checked would be quoted for it.
 * @module
 */
import { type Bytes, fromBase64, toBase64 } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'

/** A receipt file as JSON: cells as bags of cells in base64, signatures in base64. */
export interface ReceiptFile {
  readonly version: 1
  readonly receipt: string
  readonly lease: string
  readonly accept: string
  readonly epochKey: string
  /** The evidence document as received, base64; absent where the provider had none. */
  readonly evidence?: string
  readonly signatures: {
    /** Scheduler's identity. */
    readonly lease: string
    /** Provider's identity, these three. */
    readonly accept: string
    readonly epochKey: string
    readonly receipt: string
    /** Client job key over the receipt's hash; absent until countersigned. */
    readonly client?: string
  }
}

const CELLS = ['receipt', 'lease', 'accept', 'epochKey'] as const
const SIGNATURES = ['lease', 'accept', 'epochKey', 'receipt'] as const

/**
 * Any JSON value as a receipt file. Throws `bad-receipt`: a missing or unknown key, another
 * version, text that is not base64, or more than `LIMITS.receiptFileBytes`.
 */
export function parseReceiptFile(json: unknown): ReceiptFile {
  const file = object(json, 'file', ['version', ...CELLS, 'signatures'], ['evidence'])
  if (file.version !== 1) throw malformed('version')
  const signatures = object(file.signatures, 'signatures', SIGNATURES, ['client'])
  const [cell, signature] = [text(file), text(signatures)]
  return {
    version: 1,
    receipt: cell('receipt', LIMITS.recordBytes),
    lease: cell('lease', LIMITS.recordBytes),
    accept: cell('accept', LIMITS.recordBytes),
    epochKey: cell('epochKey', LIMITS.recordBytes),
    ...(file.evidence === undefined ? {} : { evidence: cell('evidence', LIMITS.evidenceBytes) }),
    signatures: {
      lease: signature('lease', 64),
      accept: signature('accept', 64),
      epochKey: signature('epochKey', 64),
      receipt: signature('receipt', 64),
      ...(signatures.client === undefined ? {} : { client: signature('client', 64) }),
    },
  }
}

/** A receipt file from its parts, signatures as bytes. */
export function receiptFile(parts: {
  readonly receipt: Bytes
  readonly lease: Bytes
  readonly accept: Bytes
  readonly epochKey: Bytes
  readonly evidence?: Bytes
  readonly signatures: {
    readonly lease: Bytes
    readonly accept: Bytes
    readonly epochKey: Bytes
    readonly receipt: Bytes
    readonly client?: Bytes
  }
}): ReceiptFile {
  const { signatures, evidence } = parts
  const { client } = signatures
  return {
    version: 1,
    receipt: toBase64(parts.receipt),
    lease: toBase64(parts.lease),
    accept: toBase64(parts.accept),
    epochKey: toBase64(parts.epochKey),
    ...(evidence && evidence.length > 0 ? { evidence: toBase64(evidence) } : {}),
    signatures: {
      lease: toBase64(signatures.lease),
      accept: toBase64(signatures.accept),
      epochKey: toBase64(signatures.epochKey),
      receipt: toBase64(signatures.receipt),
      ...(client && client.length > 0 ? { client: toBase64(client) } : {}),
    },
  }
}

/** A plain object with exactly these keys. */
function object(
  value: unknown,
  name: string,
  required: readonly string[],
  optional: readonly string[],
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(name)
  const fields: Record<string, unknown> = Object.fromEntries(Object.entries(value))
  for (const key of required) if (!Object.hasOwn(fields, key)) throw malformed(`${name}.${key}`)
  for (const key of Object.keys(fields)) {
    if (!required.includes(key) && !optional.includes(key)) throw malformed(`unknown key ${name}`)
  }
  return fields
}

/** Reads canonical base64 of at most (for signatures: exactly) so many bytes. */
function text(fields: Record<string, unknown>): (key: string, mostBytes: number) => string {
  return (key, mostBytes) => {
    const value = fields[key]
    if (typeof value !== 'string' || value.length > Math.ceil(mostBytes / 3) * 4) {
      throw malformed(key)
    }
    const { length } = decoded(key, value)
    if (length > mostBytes || (mostBytes === 64 && length !== 64)) throw malformed(key)
    return value
  }
}

function decoded(key: string, value: string): Bytes {
  try {
    return fromBase64(value)
  } catch (cause) {
    throw new MarketError('bad-receipt', { field: key }, { cause })
  }
}

function malformed(field: string): MarketError {
  return new MarketError('bad-receipt', { field: field.slice(0, 60) })
}
