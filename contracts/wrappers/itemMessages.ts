/**
 * The messages of an item's owner: their ops, their bodies, and the TON to attach to each.
 *
 * Layouts are those of `contracts/tolk/items/messages.tolk`. Called by whoever owns a provider, a
 * scheduler or a GPU; sending goes through a `Wallet` port.
 * @module
 */
import { type Builder, beginCell, type Cell } from '@ton/core'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { MAX_COINS, type NanoTon } from '../base/units.ts'

/** Ops of the messages that an item takes from its owner. */
export const ITEM_OP = {
  register: 0x2c5a2101,
  heartbeat: 0x2c5a2102,
  addStake: 0x2c5a2103,
  unbond: 0x2c5a2104,
  withdraw: 0x2c5a2105,
  upgrade: 0x2c5a2106,
} as const

/** Ops of the messages that an item sends to people. */
export const ITEM_OUT = {
  withdrawn: 0x2c5a2111,
  excess: 0x2c5a2112,
  refused: 0x2c5a2113,
  compensation: 0x2c5a2114,
  burned: 0x2c5a2115,
} as const

/** What stays on the account for ever (`FLOOR` in fees.tolk). */
export const ITEM_FLOOR: NanoTon = 100_000_000n
/** For rent, on top of the floor at registration (`RENT_RESERVE` in fees.tolk). */
export const ITEM_RENT_RESERVE: NanoTon = 200_000_000n

/**
 * TON to attach to each message, in nanoTON: above the fees at the dearest price table known. What
 * is not used comes back to the owner.
 */
export const ITEM_VALUE = {
  /** On top of the stake: floor, rent reserve, and the way to the registry and back. */
  register: 400_000_000n,
  heartbeat: 20_000_000n,
  /** On top of the amount, where rent has taken nothing yet. `addStakeValue` adds what it has. */
  addStake: 20_000_000n,
  unbond: 20_000_000n,
  withdraw: 20_000_000n,
  upgrade: 60_000_000n,
} as const satisfies Record<string, NanoTon>

/** Registers an item with a stake. Attach `stake + ITEM_VALUE.register`. Throws `bad-input`. */
export function registerBody(stake: NanoTon, profile: Cell): Cell {
  return op(ITEM_OP.register).storeCoins(coins(stake)).storeRef(profile).endCell()
}

/** Says that the owner is there, with the hashes of its books and prices. Throws `bad-input`. */
export function heartbeatBody(heartbeat: {
  /** Hash of the owner's books, 32 bytes. */
  readonly anchor: Bytes
  /** Hash of its price sheet, 32 bytes. */
  readonly sheet: Bytes
  /** A new profile; a GPU must bring one. */
  readonly profile?: Cell
}): Cell {
  const { anchor, sheet, profile } = heartbeat
  return op(ITEM_OP.heartbeat)
    .storeBuffer(hash('anchor', anchor))
    .storeBuffer(hash('sheet', sheet))
    .storeMaybeRef(profile)
    .endCell()
}

/** Adds to the stake; 0 refills the rent reserve. Attach `addStakeValue`. Throws `bad-input`. */
export function addStakeBody(amount: NanoTon): Cell {
  return op(ITEM_OP.addStake).storeCoins(coins(amount)).endCell()
}

/** What to attach to `addStakeBody(amount)`, so that the rent that was paid is replaced. */
export function addStakeValue(
  amount: NanoTon,
  { balance, bonded }: { readonly balance: NanoTon; readonly bonded: NanoTon },
): NanoTon {
  const missing = bonded + ITEM_FLOOR + ITEM_RENT_RESERVE - balance
  return amount + ITEM_VALUE.addStake + (missing > 0n ? missing : 0n)
}

/** Starts the clock for an amount, and again for what is unbonding. Throws `bad-input`. */
export function unbondBody(amount: NanoTon): Cell {
  return op(ITEM_OP.unbond).storeCoins(coins(amount)).endCell()
}

/** Pays out what is unbonded, due, and not frozen. */
export function withdrawBody(): Cell {
  return op(ITEM_OP.withdraw).endCell()
}

/** Asks the registry for newer code. */
export function upgradeBody(): Cell {
  return op(ITEM_OP.upgrade).endCell()
}

function op(code: number): Builder {
  return beginCell().storeUint(code, 32)
}

function hash(field: string, value: Bytes): Buffer {
  if (value.length !== 32) throw new MarketError('bad-input', { field, bytes: 32 })
  return Buffer.from(value)
}

function coins(amount: bigint): bigint {
  if (amount < 0n || amount > MAX_COINS) throw new MarketError('bad-input', { field: 'amount' })
  return amount
}
