/**
 * The messages of a channel: their ops, their bodies, and the TON to attach to each.
 *
 * Layouts are those of `contracts/tolk/channel/messages.tolk`. Called by whoever pays into a
 * channel, claims from it or closes it; sending goes through a `Wallet` or `Chain` port.
 * @module
 */
import { type Builder, beginCell, type Cell } from '@ton/core'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { MAX_COINS, type NanoTon } from '../base/units.ts'
import type { Voucher } from '../money/voucher.ts'

/** Ops of the messages that a channel takes. */
export const CHANNEL_OP = {
  topUp: 0x2c5a1b01,
  claim: 0x2c5a1b02,
  startClose: 0x2c5a1b03,
  finishClose: 0x2c5a1b04,
  cooperativeClose: 0x2c5a1b05,
  sweep: 0x2c5a1b06,
} as const

/** Ops of the messages that a channel sends. */
export const CHANNEL_OUT = {
  payout: 0x2c5a1b11,
  refund: 0x2c5a1b12,
  excess: 0x2c5a1b13,
} as const

/**
 * TON to attach to each message, in nanoTON: above the fees at the default price table. What is
 * not used comes back from a claim, a cooperative close and start-close; goes to the payer from
 * finish-close and sweep; stays for rent and fees after a top-up.
 */
export const CHANNEL_VALUE = {
  /** On top of the first deposit: floor, five years of rent, and fees. */
  open: 80_000_000n,
  /** On top of every further deposit. `topUpValue` adds what the rent has taken. */
  topUp: 6_000_000n,
  claim: 10_000_000n,
  startClose: 10_000_000n,
  finishClose: 10_000_000n,
  cooperativeClose: 10_000_000n,
  sweep: 10_000_000n,
} as const satisfies Record<string, NanoTon>

/** Adds `amount` nanoTON to the deposit. Attach `topUpValue`. Throws `bad-input`. */
export function topUpBody(amount: NanoTon): Cell {
  return op(CHANNEL_OP.topUp).storeCoins(coins(amount)).endCell()
}

/**
 * What to attach to a top-up of `amount`: for a new channel, or for one whose balance and state
 * are known, so that the rent it has paid is replaced.
 */
export function topUpValue(
  amount: NanoTon,
  known?: { readonly balance: NanoTon; readonly deposited: NanoTon; readonly claimed: NanoTon },
): NanoTon {
  if (!known) return amount + CHANNEL_VALUE.open
  const spare = known.balance - (known.deposited - known.claimed)
  const missing = CHANNEL_VALUE.open - spare
  return amount + (missing > CHANNEL_VALUE.topUp ? missing : CHANNEL_VALUE.topUp)
}

/**
 * Shows a voucher: as an external message by anyone, or from the payee's wallet. The network and
 * the channel are not sent: the contract knows its own. Throws `bad-input`.
 */
export function claimBody(voucher: Voucher, signature: Bytes): Cell {
  return storeVoucher(op(CHANNEL_OP.claim), voucher, signature).endCell()
}

/** Starts closing; from the payer. */
export function startCloseBody(): Cell {
  return op(CHANNEL_OP.startClose).endCell()
}

/** Closes after the delay; from anyone. */
export function finishCloseBody(): Cell {
  return op(CHANNEL_OP.finishClose).endCell()
}

/** Closes at once, after a last claim where one is given; from the payee. Throws `bad-input`. */
export function cooperativeCloseBody(last?: {
  readonly voucher: Voucher
  readonly signature: Bytes
}): Cell {
  const body = op(CHANNEL_OP.cooperativeClose).storeBit(last !== undefined)
  return (last ? storeVoucher(body, last.voucher, last.signature) : body).endCell()
}

/** Sends what a closed channel holds above its floor to the payer; from anyone. */
export function sweepBody(): Cell {
  return op(CHANNEL_OP.sweep).endCell()
}

function op(code: number): Builder {
  return beginCell().storeUint(code, 32)
}

/** A voucher with its signature as it travels; a jetton-channel's messages carry the same. */
export function storeVoucher(body: Builder, voucher: Voucher, signature: Bytes): Builder {
  if (signature.length !== 64) throw new MarketError('bad-input', { field: 'signature', bytes: 64 })
  if (voucher.receiptsHash.length !== 32) {
    throw new MarketError('bad-input', { field: 'receiptsHash', bytes: 32 })
  }
  return body
    .storeCoins(coins(voucher.cumulative))
    .storeBuffer(Buffer.from(voucher.receiptsHash), 32)
    .storeBuffer(Buffer.from(signature), 64)
}

function coins(amount: bigint): bigint {
  if (amount < 0n || amount > MAX_COINS) throw new MarketError('bad-input', { field: 'amount' })
  return amount
}
