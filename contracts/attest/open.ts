/**
 * Evidence of kind `open`: a registered identity key and nothing more.
 *
 * The identity signs its own claims, which shows only that whoever answers holds the key. The
 * registry must know the key, by the client's own look at the chain: otherwise a scheduler could
 * invent providers. The owner of the machine can read every prompt, and the verdict says so.
 * @module
 */
import type { Bytes } from '../base/bytes.ts'
import { type SigningKey, taggedHash, verifySignature } from '../base/signing.ts'
import {
  type Claims,
  encodeEvidence,
  evidenceDigest,
  parseEvidence,
  reportData,
} from './document.ts'
import { refused } from './hardware.ts'
import {
  checkClaims,
  checkParts,
  checkRegistered,
  type EvidenceVerifier,
  proofPart,
  settleTier,
} from './verifier.ts'

const KIND = 'open'
const TAG = 'chrysalis/evidence/open/1'

/** Makes open evidence. `identityKey` must be the key of `claims.identity`. */
export function makeOpenEvidence(claims: Claims, identityKey: SigningKey): Bytes {
  const signature = identityKey.sign(taggedHash(TAG, claims.network, reportData(claims)))
  return encodeEvidence({ kind: KIND, claims, proof: { signature } })
}

/** Throws `evidence-..`; `unknown-provider` where the registry does not confirm the identity. */
export const openVerifier: EvidenceVerifier = {
  kind: KIND,
  verify(bytes, context) {
    const document = parseEvidence(bytes)
    const { claims } = document
    if (document.kind !== KIND) throw refused('evidence-kind', 'it is of another kind')
    checkParts(document, ['signature'])
    const checked = checkClaims(claims, context)
    const message = taggedHash(TAG, claims.network, reportData(claims))
    if (!verifySignature(message, proofPart(document, 'signature', 64), claims.identity)) {
      throw refused('evidence-signature', 'the identity key has not signed it')
    }
    const registered = checkRegistered(claims.identity, context)
    return {
      kind: KIND,
      tier: settleTier(claims, 'open'),
      hardware: [],
      claims,
      digest: evidenceDigest(bytes),
      validUntilS: checked.validUntilS,
      proved: ['whoever answers holds the identity key', ...registered.proved, ...checked.proved],
      notProved: [
        "that nobody reads the prompt: this computer's owner can",
        'which model, backend and GPU run: the provider only says so',
        ...registered.notProved,
        ...checked.notProved,
      ],
    }
  },
}
