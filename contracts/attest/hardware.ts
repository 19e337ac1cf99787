/**
 * What every verifier of hardware evidence answers, whatever the vendor.
 *
 * The verifiers of `tdx/`, `snp/` and `nvidia/` take raw evidence, collateral and the time, and
 * give this or throw one `evidence-*` error. They know nothing of providers or prompts: the
 * evidence document binds `reportData` to claims, the policy decides what is enough.
 * @module
 */
import type { Bytes } from '../base/bytes.ts'
import { type ErrorCode, type Facts, MarketError } from '../base/errors.ts'

/** Codes that a verifier of hardware may throw. */
export type EvidenceCode = Extract<ErrorCode, `evidence-${string}`>

/** What raw evidence of one vendor proves, before anybody's policy. */
export interface HardwareVerdict {
  readonly vendor: 'intel-tdx' | 'amd-snp' | 'nvidia'
  /** What the caller put in to be signed: report data (64 bytes), or a nonce (32 bytes). */
  readonly reportData: Bytes
  /** SHA-256 over what was measured, in the order the verifier's README names: for allow-lists. */
  readonly measurement: Bytes
  /** SHA-256 of what identifies the physical machine, stable over reboots. */
  readonly platformId: Bytes
  /** State of the platform's security updates in the vendor's own word, like `UpToDate`. */
  readonly tcbStatus: string
  /** Plain sentences, for showing. */
  readonly proved: readonly string[]
  readonly notProved: readonly string[]
  /** Unix seconds after which the verdict no longer holds: the earliest end of anything used. */
  readonly validUntilS: number
}

/** The refusal of evidence: a code, and in plain words what was wrong. */
export function refused(
  code: EvidenceCode,
  because: string,
  facts: Facts = {},
  cause?: unknown,
): MarketError {
  return new MarketError(code, { because, ...facts }, { cause })
}

/** `evidence-malformed`, which most readers need most often. */
export function malformed(because: string, facts: Facts = {}, cause?: unknown): MarketError {
  return refused('evidence-malformed', because, facts, cause)
}
