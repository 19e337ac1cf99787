/**
 * What was seen of Intel's collateral: an older one could hide a revocation, so it is refused.
 *
 * A verifier keeps this beside its other state and hands it in with each verification. Intel
 * numbers the TCB info of all its processors together and counts up with each recovery, in two
 * tracks (`evaluations.ts`); its revocation lists keep one number for ever, so their dates count.
 * @module
 */
import { type Bytes, toHex, utf8 } from '../../base/bytes.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Crl, SeenCrl } from '../x509/crl.ts'
import { type Evaluations, newestEvaluations } from './evaluations.ts'

export interface TdxSeen {
  /** Of TCB info and of the quoting enclave's identity. */
  readonly tcbInfo: Evaluations
  readonly qeIdentity: Evaluations
  /** Revocation lists, by the SHA-256 of their issuer's key in hex. */
  readonly crls: Readonly<Record<string, SeenCrl>>
}

/** The newer of each; for keeping after a verdict. */
export function newestSeen(one: TdxSeen, other: TdxSeen): TdxSeen {
  const crls: Record<string, SeenCrl> = { ...one.crls }
  for (const [issuer, crl] of Object.entries(other.crls)) {
    const known = crls[issuer] ?? crl
    crls[issuer] = {
      number: crl.number > known.number ? crl.number : known.number,
      thisUpdateMs: Math.max(crl.thisUpdateMs, known.thisUpdateMs),
    }
  }
  return {
    tcbInfo: newestEvaluations(one.tcbInfo, other.tcbInfo),
    qeIdentity: newestEvaluations(one.qeIdentity, other.qeIdentity),
    crls,
  }
}

/** What was seen, as bytes: a verdict is remembered together with it. */
export function encodeSeen({ tcbInfo, qeIdentity, crls }: TdxSeen): Bytes {
  const lists = Object.entries(crls)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([issuer, { number, thisUpdateMs }]) => [issuer, number.toString(), thisUpdateMs])
  return utf8(JSON.stringify([tcbInfo, qeIdentity, lists]))
}

/** What was seen of the lists of an issuer. */
export function seenCrl(seen: TdxSeen | undefined, issuer: Certificate): SeenCrl | undefined {
  const key = toHex(issuer.keyHash)
  return seen && Object.hasOwn(seen.crls, key) ? seen.crls[key] : undefined
}

/** The lists as seen, by their issuers. */
export function seenCrls(lists: readonly (readonly [Certificate, Crl])[]): TdxSeen['crls'] {
  return Object.fromEntries(
    lists.map(([issuer, { number, thisUpdateMs }]) => [
      toHex(issuer.keyHash),
      { number, thisUpdateMs },
    ]),
  )
}
