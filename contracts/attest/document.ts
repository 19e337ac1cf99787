/**
 * The evidence document: what a provider can prove about itself, as bytes.
 *
 * JSON in exactly one encoding (the one `encodeEvidence` makes), versioned and tagged with its
 * kind. Its claims are typed and hashed into the report data that the kind's own proof must carry.
 * Nothing is verified here: that is `verify.ts`. README.md has the format.
 * @module
 */
import { createHash } from 'node:crypto'
import {
  type Bytes,
  equal,
  fromBase64,
  fromHex,
  i32,
  lengthPrefixed,
  toBase64,
  toHex,
  u32,
  u64,
  utf8,
} from '../base/bytes.ts'
import { LIMITS } from '../base/limits.ts'
import { sha256 } from '../base/signing.ts'
import { TIERS, type Tier } from '../base/tier.ts'
import { malformed } from './hardware.ts'

/** Where the model runs: in the machine that the evidence is about, or not. */
export const COMPUTES = ['cpu', 'gpu', 'outside'] as const
export type Compute = (typeof COMPUTES)[number]

/** What the evidence is about. Hashes are 32 bytes. */
export interface Claims {
  /** The provider's Ed25519 identity. */
  readonly identity: Bytes
  readonly network: number
  /** The tier that is claimed; a verdict is never above it. */
  readonly tier: Tier
  readonly compute: Compute
  /** Hash of the model's weights. */
  readonly modelHash: Bytes
  /** Hash of the backend's configuration. */
  readonly backendHash: Bytes
  /** Hash of the GPU's own evidence; zeros where there is none. */
  readonly gpuEvidenceHash: Bytes
  /**
   * A masterchain block of the network: its number, root hash and time (Unix seconds). Nobody knew
   * the hash before that time, so the proof is not older.
   */
  readonly freshSeqno: number
  readonly freshBlock: Bytes
  readonly freshAtS: number
}

/** A parsed document. `proof` holds the kind's own parts, by name. */
export interface EvidenceDocument {
  readonly kind: string
  readonly claims: Claims
  readonly proof: Readonly<Record<string, Bytes>>
}

const VERSION = 3
const HASHES = ['identity', 'modelHash', 'backendHash', 'gpuEvidenceHash', 'freshBlock'] as const
const OTHERS = ['network', 'tier', 'compute', 'freshSeqno', 'freshAtS']
const MAX_PARTS = 16
const NAME = /^[a-zA-Z]{1,32}$/

/** The digest of a document that an accept and a sealed request are bound to. */
export function evidenceDigest(bytes: Bytes): Bytes {
  return sha256(bytes)
}

/**
 * Report data: SHA-512 (64 bytes) of the claims, each behind its name and length. This is what a
 * TEE signs over, so the claims cannot be exchanged without another proof.
 */
export function reportData(claims: Claims): Bytes {
  const typed = typedClaims('chrysalis/claims/3', claims)
  return new Uint8Array(createHash('sha512').update(typed).digest())
}

/**
 * The nonce (32 bytes) that a GPU is asked to sign: all claims but the hash of its own answer,
 * which cannot be known before. README.md shows why there is no circle.
 */
export function gpuNonce(claims: Omit<Claims, 'gpuEvidenceHash'>): Bytes {
  return sha256(typedClaims('chrysalis/gpu-nonce/3', { ...claims, gpuEvidenceHash: undefined }))
}

/** A document as bytes: JSON, keys in this order, no white space. */
export function encodeEvidence(document: EvidenceDocument): Bytes {
  const { kind, claims } = document
  const parts = Object.entries(document.proof).map(([name, part]) => [name, toBase64(part)])
  const json = {
    version: VERSION,
    kind,
    claims: {
      identity: toHex(claims.identity),
      network: claims.network,
      tier: claims.tier,
      compute: claims.compute,
      modelHash: toHex(claims.modelHash),
      backendHash: toHex(claims.backendHash),
      gpuEvidenceHash: toHex(claims.gpuEvidenceHash),
      freshSeqno: claims.freshSeqno,
      freshBlock: toHex(claims.freshBlock),
      freshAtS: claims.freshAtS,
    },
    proof: Object.fromEntries(parts),
  }
  return utf8(JSON.stringify(json))
}

/**
 * A document from bytes; verifies nothing. Throws `evidence-malformed` on more than
 * `LIMITS.evidenceBytes` and on any bytes that `encodeEvidence` would not make: unknown keys,
 * other orders, white space.
 *
 * @example
 * parseEvidence(encodeEvidence(document)).kind // 'open'
 */
export function parseEvidence(bytes: Bytes): EvidenceDocument {
  if (bytes.length > LIMITS.evidenceBytes) {
    throw malformed('the document is too long', { most: LIMITS.evidenceBytes })
  }
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    const document = documentOf(json)
    if (equal(encodeEvidence(document), bytes)) return document
  } catch (cause) {
    throw malformed('the document cannot be read', {}, cause)
  }
  throw malformed('the document is not in its one encoding')
}

/** Each claim behind its name, in the order of README.md; one that is left out leaves no trace. */
function typedClaims(
  tag: string,
  claims: Omit<Claims, 'gpuEvidenceHash'> & { readonly gpuEvidenceHash: Bytes | undefined },
): Bytes {
  const fields: [string, Bytes | undefined][] = [
    ['identity', claims.identity],
    ['network', i32(claims.network)],
    ['tier', utf8(claims.tier)],
    ['compute', utf8(claims.compute)],
    ['modelHash', claims.modelHash],
    ['backendHash', claims.backendHash],
    ['gpuEvidenceHash', claims.gpuEvidenceHash],
    ['freshSeqno', u32(claims.freshSeqno)],
    ['freshBlock', claims.freshBlock],
    ['freshAtS', u64(claims.freshAtS)],
  ]
  const parts = fields.flatMap(([name, value]) => (value ? [utf8(name), value] : []))
  return lengthPrefixed(utf8(tag), ...parts)
}

function documentOf(json: unknown): EvidenceDocument {
  const document = record(json, ['version', 'kind', 'claims', 'proof'])
  const { kind, version } = document
  if (version !== VERSION || typeof kind !== 'string' || !/^[a-z0-9-]{1,32}$/.test(kind)) {
    throw malformed('an unknown version or kind')
  }
  const claims = record(document.claims, [...HASHES, ...OTHERS])
  const { network, freshSeqno, freshAtS } = claims
  const tier = TIERS.find((each) => each === claims.tier)
  const compute = COMPUTES.find((each) => each === claims.compute)
  if (!tier || !compute) throw malformed('a claim that is no word of its list')
  if (
    !integer(network, -(2 ** 31), 2 ** 31 - 1) ||
    !integer(freshSeqno, 0, 2 ** 32 - 1) ||
    !integer(freshAtS, 0, 2 ** 40)
  ) {
    throw malformed('a claim that is no integer of its range')
  }
  const [identity, modelHash, backendHash, gpuEvidenceHash, freshBlock] = HASHES.map((name) =>
    fromHex(String(claims[name]), 32),
  )
  return {
    kind,
    claims: {
      identity: identity!,
      network,
      tier,
      compute,
      modelHash: modelHash!,
      backendHash: backendHash!,
      gpuEvidenceHash: gpuEvidenceHash!,
      freshSeqno,
      freshBlock: freshBlock!,
      freshAtS,
    },
    proof: proofOf(document.proof),
  }
}

function proofOf(json: unknown): Record<string, Bytes> {
  const entries = Object.entries(record(json))
  if (entries.length > MAX_PARTS || entries.some(([name]) => !NAME.test(name))) {
    throw malformed('a proof with other names')
  }
  return Object.fromEntries(entries.map(([name, part]) => [name, fromBase64(String(part))]))
}

function record(json: unknown, keys?: readonly string[]): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw malformed('a value that is no object')
  }
  const entries = Object.entries(json)
  if (keys && (entries.length !== keys.length || keys.some((key) => !Object.hasOwn(json, key)))) {
    throw malformed('other keys than expected')
  }
  return Object.fromEntries(entries)
}

function integer(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
}
