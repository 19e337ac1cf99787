/**
 * An item of the registry as TypeScript sees it: its address and its state. Providers, schedulers
 * and GPUs have one each; `Provider.ts`, `Scheduler.ts` and `Gpu.ts` are their faces.
 *
 * The first code of each kind is pinned by the committed artefact and makes the address, for good:
 * an upgrade moves nobody. Message bodies are in `itemMessages.ts`, profiles in `itemProfiles.ts`.
 * Nothing here touches a network except `readItem` and its like, which are handed one.
 * @module
 */
import type { Address, TupleReader } from '@ton/core'
import { type Bytes, fromBigInt } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { Chain } from '../base/ports.ts'
import { MAX_COINS, type NanoTon } from '../base/units.ts'
import { ITEM_KINDS, type ItemConfig } from './itemConfig.ts'

export { type ItemConfig, type ItemKind, itemAddress, itemStateInit } from './itemConfig.ts'

/** State of an item at the time of the chain. */
export interface ItemView {
  /** `pending`: the registry was asked to enrol it and has not answered. */
  readonly status: 'blank' | 'pending' | 'enrolled'
  readonly config: ItemConfig
  readonly stake: NanoTon
  /** What leaves, from `unbondAtS` on. No part of the stake. */
  readonly unbonding: NanoTon
  readonly unbondAtS: number
  /** What cases have frozen of stake and unbonding together, until `frozenUntilS`. */
  readonly frozen: NanoTon
  readonly frozenUntilS: number
  /** 1 for the first of its kind; 0 before it is enrolled. */
  readonly index: number
  /** The item of this kind that was enrolled before this one. */
  readonly previous?: Address
  readonly enrolledAtS: number
  readonly unbondingS: number
  /** Enrolled, or the last heartbeat. */
  readonly seenAtS: number
  /** Hash of the owner's books; zeros before the first heartbeat. */
  readonly anchor: Bytes
  /** Hash of the owner's price sheet; zeros before the first heartbeat. */
  readonly sheet: Bytes
  /** Version of the code it runs; 0 is the first. */
  readonly codeVersion: number
  /** In all. */
  readonly slashed: NanoTon
  /** In all. */
  readonly withdrawn: NanoTon
  /** Cases whose freezes stand. */
  readonly cases: number
}

/** Whether the account covers what the item owes, as `get_solvency` tells it. */
export interface ItemSolvency {
  readonly balance: NanoTon
  readonly bonded: NanoTon
  readonly floor: NanoTon
  readonly solvent: boolean
}

/** Exit codes of the items (`contracts/tolk/items/errors.tolk`). */
export const ITEM_EXIT = {
  notOwner: 740,
  notRegistry: 741,
  notBlank: 742,
  notPending: 743,
  notEnrolled: 744,
  tooLittleValue: 745,
  badProfile: 746,
  noProfile: 747,
  tooSoon: 748,
  ended: 749,
  amount: 750,
  tooEarly: 751,
  nothingDue: 752,
  notAsked: 753,
  oldCode: 754,
  unknownMessage: 0xffff,
} as const

const STATUS = ['blank', 'pending', 'enrolled'] as const
const DAY_S = 86_400
/** Seen by a heartbeat this recently, an item counts as live. */
export const ITEM_LIVE_S = 30 * DAY_S

/**
 * State of an item. Its address alone proves code and configuration where it was computed from the
 * first code of its kind. Throws `contract-failed` where there is no item, `bad-frame`.
 *
 * @example
 * const { status, stake } = await readItem(chain, address)
 */
export async function readItem(chain: Chain, address: Address): Promise<ItemView> {
  return parseItemView(await chain.getter(address, 'get_item'))
}

/** Whether an item's account covers what it owes. Throws `contract-failed`, `bad-frame`. */
export async function readItemSolvency(chain: Chain, address: Address): Promise<ItemSolvency> {
  return parseItemSolvency(await chain.getter(address, 'get_solvency'))
}

/** True where an item may be given work: enrolled, bonded enough, and seen lately. */
export function isLive(
  item: Pick<ItemView, 'status' | 'stake' | 'seenAtS'>,
  leastStake: NanoTon,
  nowS: number,
): boolean {
  const seen = nowS < itemExpiresAtS(item)
  return item.status === 'enrolled' && item.stake >= leastStake && seen
}

/** Freezes that stand and double the bond of the next case (`contracts/tolk/items/bond.tolk`). */
export const CASES_A_DOUBLING = 16

/**
 * What a case against an item must risk to freeze anything, nanoTON: the least bond of the
 * registry, doubled with every sixteenth case that stands already.
 *
 * @example
 * bondAgainst({ cases: 16 }, 5_000_000_000n) // 10000000000n
 */
export function bondAgainst({ cases }: Pick<ItemView, 'cases'>, leastBond: NanoTon): NanoTon {
  return leastBond << BigInt(Math.floor(cases / CASES_A_DOUBLING))
}

/**
 * When an item counts as live no more, unless it is seen before, Unix seconds; of a GPU the
 * contract itself then lets the whole stake unbond.
 */
export function itemExpiresAtS({ seenAtS }: Pick<ItemView, 'seenAtS'>): number {
  return seenAtS + ITEM_LIVE_S
}

/** The answer of `get_item`. Throws `bad-frame`. */
export function parseItemView(reader: TupleReader): ItemView {
  try {
    const status = STATUS[reader.readNumber()]
    const kind = ITEM_KINDS[reader.readNumber() - 1]
    if (!status || !kind) throw new MarketError('bad-frame', { field: 'status or kind' })
    const owner = reader.readAddress()
    const key = fromBigInt(reader.readBigNumber(), 32)
    const registry = reader.readAddress()
    const stake = amount(reader)
    const unbonding = amount(reader)
    const unbondAtS = number(reader)
    const frozen = amount(reader)
    const frozenUntilS = number(reader)
    const index = number(reader)
    const previous = reader.readAddressOpt() ?? undefined
    const enrolledAtS = number(reader)
    const unbondingS = number(reader)
    const seenAtS = number(reader)
    const anchor = fromBigInt(reader.readBigNumber(), 32)
    const sheet = fromBigInt(reader.readBigNumber(), 32)
    const codeVersion = number(reader)
    const slashed = amount(reader)
    const withdrawn = amount(reader)
    const cases = number(reader)
    const config = { registry, kind, owner, ...(kind === 'gpu' ? { key } : {}) }
    return {
      ...{ status, config, stake, unbonding, unbondAtS, frozen, frozenUntilS, index },
      ...{ ...(previous ? { previous } : {}), enrolledAtS, unbondingS, seenAtS },
      ...{ anchor, sheet, codeVersion, slashed, withdrawn, cases },
    }
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'item' }, { cause })
  }
}

/** The answer of `get_solvency`. Throws `bad-frame`. */
export function parseItemSolvency(reader: TupleReader): ItemSolvency {
  try {
    const balance = amount(reader)
    const bonded = amount(reader)
    const floor = amount(reader)
    return { balance, bonded, floor, solvent: reader.readBoolean() }
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'item solvency' }, { cause })
  }
}

function amount(reader: TupleReader): NanoTon {
  const value = reader.readBigNumber()
  if (value < 0n || value > MAX_COINS) throw new MarketError('bad-frame', { field: 'amount' })
  return value
}

/** A time, a span or a count of the contract: 32 bits. */
function number(reader: TupleReader): number {
  const value = reader.readNumber()
  if (value !== value >>> 0) throw new MarketError('bad-frame', { field: 'number' })
  return value
}
