/**
 * The one interface of all verifiers of evidence, and what every kind checks alike.
 *
 * A verifier turns a document into a `Verdict`: a tier, and in plain sentences what was proved and
 * what was not. It gets the time and whatever it may know as arguments, so that a verdict can be
 * repeated by anyone at any later time. Kinds for real hardware stand behind the same interface.
 * @module
 */
import { type Bytes, equal } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { ChainBlock } from '../base/ports.ts'
import { type Tier, tierAtLeast } from '../base/tier.ts'
import type { Claims, EvidenceDocument } from './document.ts'
import { type HardwareVerdict, malformed, refused } from './hardware.ts'
import type { SeenCollateral } from './seen.ts'

/** What the verifier is told; it reads no clock and asks nobody. */
export interface EvidenceContext {
  readonly atMs: number
  readonly network: number
  /** True on a development network: only there does simulated evidence verify at all. */
  readonly development?: boolean
  /**
   * Whether the identity stands in the registry, by the client's own access to the chain. `unasked`
   * is for looks at a file only: the verdict says that it is not proved.
   */
  readonly isRegistered?: (identity: Bytes) => boolean | 'unasked'
  /** What was seen of collateral before: an older one is refused. */
  readonly seen?: SeenCollateral
  /**
   * The block of number `freshSeqno` on the chain of whoever asks. Without it nothing is said about
   * freshness.
   */
  readonly block?: ChainBlock
}

/** What the evidence is worth, in figures and in sentences. */
export interface Verdict {
  readonly kind: string
  readonly tier: Tier
  readonly claims: Claims
  /** What the hardware proved, CPU before GPU; the policy looks at it above tier `open`. */
  readonly hardware: readonly HardwareVerdict[]
  /** SHA-256 of the document, as the accept names it. */
  readonly digest: Bytes
  /** How new the vendors' statements were that it rests on: for the next `seen`. */
  readonly seen?: SeenCollateral
  /** Hash of a proved device identity, where the kind has one. */
  readonly deviceId?: Bytes
  readonly proved: readonly string[]
  readonly notProved: readonly string[]
  /** Unix seconds after which the evidence proves nothing. */
  readonly validUntilS: number
}

/** The verifier of one kind. Throws `evidence-..` (or `unknown-provider`) and nothing else. */
export interface EvidenceVerifier {
  readonly kind: string
  verify(bytes: Bytes, context: EvidenceContext): Verdict | Promise<Verdict>
}

/** What the registry says of an identity. Throws `unknown-provider` where that is nothing. */
export function checkRegistered(
  identity: Bytes,
  { isRegistered }: EvidenceContext,
): Pick<Verdict, 'proved' | 'notProved'> {
  const found = isRegistered?.(identity) ?? false
  if (found === 'unasked') {
    return { proved: [], notProved: ['that the provider is registered: no registry was asked'] }
  }
  if (found) return { proved: ['the identity is registered on this network'], notProved: [] }
  throw new MarketError('unknown-provider', { because: 'its identity is not in the registry' })
}

/**
 * The tier of a verdict: the one that was claimed, where no more was claimed than `proved`. Throws
 * `evidence-tier`. `simulated` stands apart: nothing else proves it, and it proves nothing else.
 */
export function settleTier(claims: Claims, proved: Tier): Tier {
  const apart = (claims.tier === 'simulated') !== (proved === 'simulated')
  if (!apart && tierAtLeast(proved, claims.tier)) return claims.tier
  throw refused('evidence-tier', 'it claims another tier than it proves', {
    claimed: claims.tier,
    proved,
  })
}

/**
 * What every kind checks of the claims: the network, the freshness. Gives the last second at which
 * they hold, and the sentences about them. Throws `evidence-binding`, `evidence-expired` or
 * `evidence-block`.
 */
export function checkClaims(
  claims: Claims,
  context: EvidenceContext,
): { validUntilS: number; proved: string[]; notProved: string[] } {
  if (claims.network !== context.network) {
    throw refused('evidence-binding', 'it is for another network', { network: claims.network })
  }
  const atS = Math.floor(context.atMs / 1_000)
  const validUntilS = claims.freshAtS + LIMITS.evidenceLifeS
  if (claims.freshAtS > atS + LIMITS.clockSkewS) {
    throw refused('evidence-expired', 'it is dated in the future')
  }
  if (atS > validUntilS) throw refused('evidence-expired', 'it has expired', { validUntilS })
  if (!context.block) {
    const unproved = 'that it is fresh: the block it names was not looked up on a chain'
    return { validUntilS, proved: [], notProved: [unproved] }
  }
  checkBlock(claims, context.block)
  const { seqno } = context.block
  const since = new Date(claims.freshAtS * 1_000).toISOString()
  const fresh = `it was made after block ${seqno} of this network, ${since}`
  return { validUntilS, proved: [fresh], notProved: [] }
}

/** The claims name this block as it stands on the chain. Throws `evidence-block`. */
export function checkBlock(claims: Claims, block: ChainBlock): void {
  const { freshSeqno, freshBlock, freshAtS } = claims
  if (block.seqno !== freshSeqno || !equal(block.hash, freshBlock)) {
    throw refused('evidence-block', 'the chain has another block there', { seqno: freshSeqno })
  }
  if (block.atS !== freshAtS) {
    const facts = { seqno: freshSeqno, claimedS: freshAtS, atS: block.atS }
    throw refused('evidence-block', 'the block is of another time', facts)
  }
}

/** A part of the proof by name. Throws `evidence-malformed` where its length is another. */
export function proofPart(document: EvidenceDocument, name: string, length: number): Bytes {
  const part = Object.hasOwn(document.proof, name) ? document.proof[name] : undefined
  if (part?.length !== length) throw malformed('a part of the proof is malformed', { part: name })
  return part
}

/** Throws `evidence-malformed` unless the proof has exactly these parts. */
export function checkParts(document: EvidenceDocument, names: readonly string[]): void {
  const found = Object.keys(document.proof).join()
  if (found !== names.join()) {
    throw malformed('the proof has other parts', { expected: names.join() })
  }
}
