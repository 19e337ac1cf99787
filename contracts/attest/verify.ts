/**
 * Verifying evidence of any known kind: the table of verifiers, and the way in.
 * @module
 */
import type { Bytes } from '../base/bytes.ts'
import { badEvidence, parseEvidence } from './document.ts'
import { openVerifier } from './open.ts'
import { simulatedVerifier } from './simulated.ts'
import type { EvidenceContext, EvidenceVerifier, Verdict } from './verifier.ts'

/** The verifiers of this version, one a kind. */
const VERIFIERS: readonly EvidenceVerifier[] = [openVerifier, simulatedVerifier]

/**
 * The verdict on a document. Throws `bad-evidence` (also on a kind nobody here verifies) or
 * `unknown-provider`. A verdict is no permission: hand it to `applyPolicy`.
 *
 * @example
 * const verdict = verifyEvidence(bytes, { atMs, network, isRegistered })
 * applyPolicy(verdict, policy, facts)
 */
export function verifyEvidence(
  bytes: Bytes,
  context: EvidenceContext,
  verifiers: readonly EvidenceVerifier[] = VERIFIERS,
): Verdict {
  const { kind } = parseEvidence(bytes)
  const verifier = verifiers.find((candidate) => candidate.kind === kind)
  if (!verifier) throw badEvidence('no verifier knows its kind', { kind })
  return verifier.verify(bytes, context)
}
