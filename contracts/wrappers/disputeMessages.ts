/**
 * The messages of a case: their ops, their bodies, and the TON to attach to each.
 *
 * Layouts are those of `contracts/tolk/dispute/messages.tolk` and of the protocol between registry,
 * items and cases, `contracts/tolk/common/protocol.tolk`.
 * @module
 */
import { type Address, type Builder, beginCell, type Cell } from '@ton/core'
import { type Bytes, toBigInt } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { MAX_COINS, type NanoTon } from '../base/units.ts'

/** Ops of the messages that a case takes, in order: four of its own, the registry's, the item's. */
export const DISPUTE_OP = {
  open: 0x2c5a2201,
  verdict: 0x2c5a2202,
  appeal: 0x2c5a2203,
  conclude: 0x2c5a2204,
} as const

/** Ops of the messages that a case sends, besides those to the registry. */
export const DISPUTE_OUT = { payout: 0x2c5a2212, excess: 0x2c5a2213 } as const

/** Ops between registry, items and cases that a case takes or sends. */
export const CASE_PROTOCOL = {
  openCase: 0x2c5a2003,
  closeCase: 0x2c5a2004,
  caseOpened: 0x2c5a2015,
  frozen: 0x2c5a2211,
} as const

/**
 * TON to attach to each message, in nanoTON. What a verdict does not use comes back; what a
 * conclusion does not use goes to the winner.
 */
export const DISPUTE_VALUE = {
  /** On top of the bond: floor, five years of rent, registry and item (`OPEN_COSTS`). */
  open: 400_000_000n,
  /** On top of the bond of an appeal (`APPEAL_COSTS`). */
  appeal: 20_000_000n,
  verdict: 50_000_000n,
  conclude: 20_000_000n,
  /** Of a conclusion that was told before: it pays the way to registry and item anew. */
  concludeAgain: 100_000_000n,
} as const satisfies Record<string, NanoTon>

/** One arbiter's signature over a verdict; `arbiter` is its place in the rules of the case. */
export interface Vote {
  readonly arbiter: number
  /** 32 bytes; votes are ordered by it. */
  readonly key: Bytes
  readonly signature: Bytes
}

/** Opens a case; from the challenger, with the StateInit. Throws `bad-input`. */
export function openBody(evidence: Bytes, amount: NanoTon): Cell {
  if (evidence.length !== 32) throw new MarketError('bad-input', { field: 'evidence', bytes: 32 })
  const body = op(DISPUTE_OP.open).storeBuffer(Buffer.from(evidence))
  return body.storeCoins(coins(amount)).endCell()
}

/**
 * Shows a verdict; from anyone. Votes are put in the order that the contract asks for. Throws
 * `bad-input` where there is none.
 */
export function verdictBody(uphold: boolean, loss: NanoTon, votes: readonly Vote[]): Cell {
  const ordered = votes.toSorted((a, b) => (toBigInt(a.key) < toBigInt(b.key) ? -1 : 1))
  const chain = chainOfVotes(ordered)
  if (!chain) throw new MarketError('bad-input', { field: 'votes', least: 1 })
  return op(DISPUTE_OP.verdict).storeBit(uphold).storeCoins(coins(loss)).storeRef(chain).endCell()
}

/** Votes as a chain of cells, in the order given. */
export function chainOfVotes(votes: readonly Vote[]): Cell | undefined {
  let next: Cell | null = null
  for (const { arbiter, signature } of votes.toReversed()) {
    if (signature.length !== 64) {
      throw new MarketError('bad-input', { field: 'signature', bytes: 64 })
    }
    const vote = beginCell().storeUint(arbiter, 8).storeBuffer(Buffer.from(signature))
    next = vote.storeMaybeRef(next).endCell()
  }
  return next ?? undefined
}

/** Appeals; from the loser of the first verdict, with a bond. */
export function appealBody(): Cell {
  return op(DISPUTE_OP.appeal).endCell()
}

/** Ends a case whose deadline has passed, or tells its end again; from anyone. */
export function concludeBody(): Cell {
  return op(DISPUTE_OP.conclude).endCell()
}

/** The registry's yes to a case (`CaseOpened`). */
export function caseOpenedBody(accused: Address, untilS: number, rules: Cell): Cell {
  const body = op(CASE_PROTOCOL.caseOpened).storeAddress(accused).storeUint(untilS, 32)
  return body.storeRef(rules).endCell()
}

/** The item's answer to a freeze (`Frozen`). */
export function frozenBody(amount: NanoTon, ticket: number): Cell {
  return op(CASE_PROTOCOL.frozen).storeCoins(coins(amount)).storeUint(ticket, 32).endCell()
}

function op(code: number): Builder {
  return beginCell().storeUint(code, 32)
}

function coins(amount: bigint): bigint {
  if (amount < 0n || amount > MAX_COINS) throw new MarketError('bad-input', { field: 'amount' })
  return amount
}
