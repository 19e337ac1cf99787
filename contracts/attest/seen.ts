/**
 * What was seen of the vendors' collateral: an older one could hide a revocation, so it is refused.
 *
 * A client keeps one such record for all providers: lists and numbers are signed by the vendors, so
 * no provider can push it further than the vendor has gone. As bytes it is JSON in one encoding,
 * for the client's store and for the keys of remembered verdicts.
 * @module
 */
import { type Bytes, utf8 } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { Evaluations } from './tdx/evaluations.ts'
import { encodeSeen, newestSeen, type TdxSeen } from './tdx/seen.ts'
import type { SeenCrl } from './x509/crl.ts'

export interface SeenCollateral {
  readonly tdx?: TdxSeen
  /** Revocation lists of AMD and NVIDIA, by the SHA-256 of their issuer's key in hex. */
  readonly crls?: Readonly<Record<string, SeenCrl>>
}

/** The newer of each. */
export function newestCollateral(one: SeenCollateral, other: SeenCollateral): SeenCollateral {
  const tdx = one.tdx && other.tdx ? newestSeen(one.tdx, other.tdx) : (one.tdx ?? other.tdx)
  const nothing = { tcbInfo: [], qeIdentity: [] }
  const { crls } = newestSeen(
    { ...nothing, crls: one.crls ?? {} },
    { ...nothing, crls: other.crls ?? {} },
  )
  return { ...(tdx && { tdx }), ...(Object.keys(crls).length > 0 && { crls }) }
}

/** What was seen, as bytes; equal records are equal bytes. */
export function encodeCollateralSeen({ tdx, crls = {} }: SeenCollateral): Bytes {
  const text = (seen: TdxSeen) => new TextDecoder().decode(encodeSeen(seen))
  const others = text({ tcbInfo: [], qeIdentity: [], crls })
  return utf8(`{"tdx":${tdx ? text(tdx) : 'null'},"others":${others}}`)
}

/** Reads what `encodeCollateralSeen` wrote. Throws `store-failed` on anything else. */
export function decodeCollateralSeen(bytes: Bytes): SeenCollateral {
  try {
    const { tdx, others } = JSON.parse(new TextDecoder().decode(bytes)) as Written
    const crls = seenOf(others).crls
    const seen = { ...(tdx && { tdx: seenOf(tdx) }), ...(Object.keys(crls).length > 0 && { crls }) }
    if (utf8Equal(encodeCollateralSeen(seen), bytes)) return seen
  } catch (cause) {
    throw unreadable(cause)
  }
  throw unreadable()
}

type WrittenSeen = [
  Evaluations,
  Evaluations,
  [issuer: string, number: string, thisUpdateMs: number][],
]
interface Written {
  readonly tdx: WrittenSeen | null
  readonly others: WrittenSeen
}

function seenOf([tcbInfo, qeIdentity, lists]: WrittenSeen): TdxSeen {
  const evaluations = [tcbInfo, qeIdentity].flat()
  if (!evaluations.flat().every((each) => Number.isSafeInteger(each))) throw unreadable()
  const crls = lists.map(([issuer, number, thisUpdateMs]) => [
    issuer,
    { number: BigInt(number), thisUpdateMs },
  ])
  return { tcbInfo, qeIdentity, crls: Object.fromEntries(crls) as TdxSeen['crls'] }
}

function utf8Equal(a: Bytes, b: Bytes): boolean {
  return new TextDecoder().decode(a) === new TextDecoder().decode(b)
}

function unreadable(cause?: unknown): MarketError {
  return new MarketError('store-failed', { record: 'seen collateral' }, { cause })
}
