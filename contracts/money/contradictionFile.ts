/**
 * The contradiction file: two signed statements of one party, as JSON. `contradiction.ts` checks
 * it.
 *
 * There is one text for given statements, and its hash is what a case on chain names as evidence.
 * Unknown keys are refused. The format is described in the README of this room.
 * @module
 */
import { Address } from '@ton/core'
import { type Bytes, fromBase64, utf8 } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import { sha256 } from '../base/signing.ts'

/** An acknowledgement as it was signed. Amounts are decimal digits, the signature is base64. */
export interface SignedAcknowledgement {
  readonly sequence: number
  readonly cumulative: string
  readonly credit: string
  readonly signature: string
}

/** A record as a bag of cells and its signature, both base64. */
export interface SignedStatement {
  readonly record: string
  readonly signature: string
}

type Two<T> = readonly [T, T]

/** A contradiction file as JSON. `signer` is the identity key, hex, that signed both statements. */
export type ContradictionFile = {
  readonly version: 1
  readonly network: number
  readonly signer: string
} & (
  | {
      readonly kind: 'acknowledgements'
      /** Raw address. */
      readonly channel: string
      readonly statements: Two<SignedAcknowledgement>
    }
  | { readonly kind: 'leases'; readonly statements: Two<SignedStatement> }
  | ({ readonly kind: 'accepts' } & OfOneLease)
  | ({ readonly kind: 'receipts' } & OfOneLease)
)

interface OfOneLease {
  /** The lease that both statements name, as a bag of cells in base64. */
  readonly lease: string
  readonly statements: Two<SignedStatement>
}

/** Any JSON value as a contradiction file. Throws `bad-contradiction`. */
export function parseContradiction(json: unknown): ContradictionFile {
  const all = object(json, 'file')
  const { version, network, kind, signer } = all
  if (version !== 1) throw malformed('version')
  if (typeof network !== 'number' || network !== (network | 0)) throw malformed('network')
  if (typeof signer !== 'string' || !/^[0-9a-f]{64}$/.test(signer)) throw malformed('signer')
  const head = { version: 1 as const, network, signer }
  const common = ['version', 'network', 'kind', 'signer', 'statements']
  switch (kind) {
    case 'acknowledgements': {
      onlyKeys(all, 'file', [...common, 'channel'])
      const [one, other] = two(all.statements, acknowledgement)
      return { ...head, kind, channel: rawAddress(all.channel), statements: inOrder(one, other) }
    }
    case 'leases': {
      onlyKeys(all, 'file', common)
      const [one, other] = two(all.statements, statement)
      return { ...head, kind, statements: inOrder(one, other) }
    }
    case 'accepts':
    case 'receipts': {
      onlyKeys(all, 'file', [...common, 'lease'])
      const [one, other] = two(all.statements, statement)
      const lease = base64(all.lease, 'lease', LIMITS.recordBytes)
      return { ...head, kind, lease, statements: inOrder(one, other) }
    }
    default:
      throw malformed('kind')
  }
}

/** The text of a file, as parsed from untrusted bytes. Throws `bad-contradiction`. */
export function readContradiction(text: string): ContradictionFile {
  if (text.length > LIMITS.contradictionBytes) throw malformed('size')
  try {
    return parseContradiction(JSON.parse(text))
  } catch (cause) {
    if (cause instanceof MarketError) throw cause
    throw new MarketError('bad-contradiction', { field: 'JSON' }, { cause })
  }
}

/** The one text of a contradiction: keys and statements in order, a newline at its end. */
export function contradictionText(file: ContradictionFile): string {
  const { version, network, kind, signer, statements, ...rest } = parseContradiction(file)
  return `${JSON.stringify({ version, network, kind, signer, ...rest, statements })}\n`
}

/** SHA-256 of that text: what a case on chain names as its evidence, 32 bytes. */
export function contradictionHash(file: ContradictionFile): Bytes {
  return sha256(utf8(contradictionText(file)))
}

/** Which statement was caught first says nothing: the order is that of their texts. */
function inOrder<T>(one: T, other: T): Two<T> {
  return JSON.stringify(one) <= JSON.stringify(other) ? [one, other] : [other, one]
}

function acknowledgement(json: unknown): SignedAcknowledgement {
  const all = object(json, 'statement')
  onlyKeys(all, 'statement', ['sequence', 'cumulative', 'credit', 'signature'])
  const { sequence } = all
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 0) {
    throw malformed('sequence')
  }
  const amount = (name: string): string => {
    const value = all[name]
    if (typeof value !== 'string' || !/^(?:0|[1-9]\d{0,36})$/.test(value)) throw malformed(name)
    return value
  }
  const [cumulative, credit] = [amount('cumulative'), amount('credit')]
  return { sequence, cumulative, credit, signature: signature(all.signature) }
}

function statement(json: unknown): SignedStatement {
  const all = object(json, 'statement')
  onlyKeys(all, 'statement', ['record', 'signature'])
  const record = base64(all.record, 'record', LIMITS.recordBytes)
  return { record, signature: signature(all.signature) }
}

function two<T>(json: unknown, read: (json: unknown) => T): Two<T> {
  if (!Array.isArray(json) || json.length !== 2) throw malformed('statements')
  return [read(json[0]), read(json[1])]
}

function object(json: unknown, name: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw malformed(name)
  return Object.fromEntries(Object.entries(json))
}

function onlyKeys(all: Record<string, unknown>, name: string, keys: readonly string[]): void {
  for (const key of keys) if (!Object.hasOwn(all, key)) throw malformed(`${name}.${key}`)
  if (Object.keys(all).length !== keys.length) throw malformed(`unknown key of ${name}`)
}

function rawAddress(json: unknown): string {
  if (typeof json === 'string' && /^0:[0-9a-f]{64}$/.test(json)) {
    return Address.parseRaw(json).toRawString()
  }
  throw malformed('channel')
}

function signature(json: unknown): string {
  const text = base64(json, 'signature', 64)
  if (fromBase64(text).length !== 64) throw malformed('signature')
  return text
}

function base64(json: unknown, name: string, mostBytes: number): string {
  if (typeof json !== 'string' || json.length > Math.ceil(mostBytes / 3) * 4) throw malformed(name)
  try {
    if (fromBase64(json).length > mostBytes) throw malformed(name)
  } catch (cause) {
    throw new MarketError('bad-contradiction', { field: name }, { cause })
  }
  return json
}

function malformed(field: string): MarketError {
  return new MarketError('bad-contradiction', { field: field.slice(0, 60) })
}
