/**
 * Verifying evidence of any known kind: the table of verifiers, and the way in.
 * @module
 */
import type { Bytes } from '../base/bytes.ts'
import { parseEvidence } from './document.ts'
import { refused } from './hardware.ts'
import { openVerifier } from './open.ts'
import { simulatedVerifier } from './simulated.ts'
import { type VendorOptions, vendorVerifiers } from './vendors.ts'
import type { EvidenceContext, EvidenceVerifier, Verdict } from './verifier.ts'

/** The verifiers of this version, one a kind. */
export const VERIFIERS: readonly EvidenceVerifier[] = allVerifiers()

/** The same, with what the vendors' verifiers may be given: a cache, keys of NVIDIA's service. */
export function allVerifiers(options: VendorOptions = {}): readonly EvidenceVerifier[] {
  return [openVerifier, simulatedVerifier, ...vendorVerifiers(options)]
}

/**
 * The verdict on a document. Throws `evidence-..` (`evidence-kind` for one that nobody here
 * verifies) or `unknown-provider`. A verdict is no permission: hand it to `applyPolicy`.
 *
 * @example
 * const verdict = await verifyEvidence(bytes, { atMs, network, isRegistered })
 * applyPolicy(verdict, policy, facts)
 */
export async function verifyEvidence(
  bytes: Bytes,
  context: EvidenceContext,
  verifiers: readonly EvidenceVerifier[] = VERIFIERS,
): Promise<Verdict> {
  const { kind } = parseEvidence(bytes)
  const verifier = verifiers.find((candidate) => candidate.kind === kind)
  if (!verifier) throw refused('evidence-kind', 'no verifier knows its kind', { kind })
  return verifier.verify(bytes, context)
}
