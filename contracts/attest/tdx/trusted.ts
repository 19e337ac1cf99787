/**
 * Collateral that may be believed: signed below the pinned root, current, not revoked, and not
 * older than what was seen before.
 *
 * Both revocation lists are needed before anything else is: they say whether the authority over PCK
 * certificates, and the signer of TCB info, still are what they were.
 * @module
 */
import type { Bytes } from '../../base/bytes.ts'
import { asMarketError } from '../../base/errors.ts'
import { refused } from '../hardware.ts'
import { isSignedP256 } from '../p256.ts'
import { type Certificate, commonNameOf, parsePemChain } from '../x509/certificate.ts'
import { type CheckedChain, checkChain } from '../x509/chain.ts'
import { type Crl, checkCrl, checkNotRevoked, parseCrl } from '../x509/crl.ts'
import type { TdxCollateral } from './collateral.ts'
import { checkEvaluation, type Evaluations } from './evaluations.ts'
import {
  type Published,
  parseQeIdentity,
  parseTcbInfo,
  type QeIdentity,
  type TcbInfo,
} from './published.ts'
import { INTEL_NAMES } from './roots.ts'
import { seenCrl, seenCrls, type TdxSeen } from './seen.ts'

export interface Trust {
  readonly roots: readonly Bytes[]
  readonly atMs: number
  readonly seen?: TdxSeen | undefined
}

export interface TrustedCollateral {
  readonly info: TcbInfo
  readonly identity: QeIdentity
  /** The authority over PCK certificates whose list this is. */
  readonly authority: Certificate
  readonly rootCrl: Crl
  readonly pckCrl: Crl
  /** Earliest end of anything in it. */
  readonly notAfterMs: number
  readonly seen: TdxSeen
}

/**
 * Checks all of it. Throws `evidence-collateral`, `evidence-root`, `evidence-expired`,
 * `evidence-revoked`, `evidence-rollback`.
 */
export function trustedCollateral(collateral: TdxCollateral, trust: Trust): TrustedCollateral {
  const { atMs, seen } = trust
  const above = chainOf(collateral.pckCrlChain, INTEL_NAMES.pckAuthority, trust, true)
  const { leaf: authority, root } = above
  const rootCrl = parseCrl(collateral.rootCrl)
  checkCrl(rootCrl, root, atMs, seenCrl(seen, root))
  checkNotRevoked(rootCrl, authority)
  const pckCrl = parseCrl(collateral.pckCrl)
  checkCrl(pckCrl, authority, atMs, seenCrl(seen, authority))

  // One root for all of it: its list answers for both signers.
  const below = { ...trust, roots: [root.keyHash] }
  const { tcbInfo, tcbInfoSignature, tcbInfoChain } = collateral
  const infoChain = signed(tcbInfo, tcbInfoSignature, tcbInfoChain, below, rootCrl)
  const { qeIdentity, qeIdentitySignature, qeIdentityChain } = collateral
  const identityChain = signed(qeIdentity, qeIdentitySignature, qeIdentityChain, below, rootCrl)
  const info = parseTcbInfo(tcbInfo)
  const identity = parseQeIdentity(qeIdentity)
  checkCurrent(info, atMs, seen?.tcbInfo, 'TCB info')
  checkCurrent(identity, atMs, seen?.qeIdentity, 'identity of the quoting enclave')
  const chains = [above, infoChain, identityChain]
  const updates = [info, identity, rootCrl, pckCrl].map(({ nextUpdateMs }) => nextUpdateMs)
  return {
    info,
    identity,
    authority,
    rootCrl,
    pckCrl,
    notAfterMs: Math.min(...updates, ...chains.map(({ notAfterMs }) => notAfterMs)),
    seen: {
      tcbInfo: [[info.evaluationNumber, info.issueMs]],
      qeIdentity: [[identity.evaluationNumber, identity.issueMs]],
      crls: seenCrls([
        [root, rootCrl],
        [authority, pckCrl],
      ]),
    },
  }
}

/** The chain of whoever signed a text, after the signature was checked. */
function signed(
  text: string,
  signature: Bytes,
  chain: string,
  trust: Trust,
  rootCrl: Crl,
): CheckedChain {
  const checked = chainOf(chain, INTEL_NAMES.tcbSigning, trust, false)
  checkNotRevoked(rootCrl, checked.leaf)
  if (!isSignedP256(checked.leaf.publicKey, Buffer.from(text), signature)) {
    throw bad('TCB info or identity is not signed by Intel')
  }
  return checked
}

/** A chain of two, a certificate of one of these names and the root above it. */
function chainOf(
  pem: string,
  names: readonly string[],
  { roots, atMs }: Trust,
  ofAuthority: boolean,
): CheckedChain {
  const path = readChain(pem)
  if (path.length !== 2) throw bad('a certificate chain has not two certificates')
  const forged = 'evidence-collateral'
  const checked = checkChain(path, { roots, atMs, forged, ofAuthority })
  const name = commonNameOf(checked.leaf.subject) ?? ''
  if (!names.includes(name)) throw bad(`a certificate is not of ${names.join(' or ')}`)
  return checked
}

function readChain(pem: string): Certificate[] {
  try {
    return parsePemChain(pem)
  } catch (thrown) {
    const cause = asMarketError(thrown)
    throw cause.code === 'evidence-malformed' ? bad(String(cause.facts.because), cause) : cause
  }
}

function checkCurrent(
  { issueMs, nextUpdateMs, evaluationNumber }: Published,
  atMs: number,
  seen: Evaluations | undefined,
  of: string,
): void {
  const facts = { issueS: issueMs / 1_000, nextUpdateS: nextUpdateMs / 1_000 }
  if (atMs < issueMs) throw refused('evidence-expired', `the ${of} is of the future`, facts)
  if (atMs > nextUpdateMs) throw refused('evidence-expired', `the ${of} has expired`, facts)
  checkEvaluation([evaluationNumber, issueMs], seen ?? [], of)
}

function bad(because: string, cause?: unknown) {
  return refused('evidence-collateral', `bad collateral: ${because}`, {}, cause)
}
