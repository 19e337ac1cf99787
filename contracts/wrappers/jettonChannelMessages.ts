/**
 * The messages of a jetton-channel: ops, bodies, and the TON to attach to each.
 *
 * Layouts are those of `contracts/tolk/jettonChannel/messages.tolk`. A deposit is an ordinary
 * transfer of jettons (TEP-74, `jetton.ts`) to the channel, once `view.wallet` is known.
 * @module
 */
import { type Builder, beginCell, type Cell } from '@ton/core'
import type { Bytes } from '../base/bytes.ts'
import type { NanoTon } from '../base/units.ts'
import type { Voucher } from '../money/voucher.ts'
import { storeVoucher } from './channelMessages.ts'

/** Ops of the messages that a jetton-channel takes, beside those of TEP-74 and TEP-89. */
export const JETTON_CHANNEL_OP = {
  open: 0x2c5a2501,
  claim: 0x2c5a2502,
  startClose: 0x2c5a2503,
  finishClose: 0x2c5a2504,
  cooperativeClose: 0x2c5a2505,
  sweep: 0x2c5a2506,
} as const

/** Op of the TON that a jetton-channel sends to its payer when it closes or is swept. */
export const JETTON_CHANNEL_REFUND = 0x2c5a2512

/**
 * TON to attach to each message, in nanoTON: above the fees at the default price table. Each
 * transfer of jettons takes 0.13 along, so that even a wallet in debt for its rent can make it;
 * what is not used comes back to the sender.
 */
export const JETTON_CHANNEL_VALUE = {
  /** The reserve (0.1), the question to the minter, and fees. */
  open: 130_000_000n,
  claim: 140_000_000n,
  startClose: 10_000_000n,
  finishClose: 140_000_000n,
  cooperativeClose: 270_000_000n,
  sweep: 270_000_000n,
} as const satisfies Record<string, NanoTon>

/** Opens the channel, with its StateInit; later: fills its reserve, or asks the minter again. */
export function openBody(): Cell {
  return op(JETTON_CHANNEL_OP.open).endCell()
}

/** Shows a voucher; from the payee. Throws `bad-input`. */
export function jettonClaimBody(voucher: Voucher, signature: Bytes): Cell {
  return storeVoucher(op(JETTON_CHANNEL_OP.claim), voucher, signature).endCell()
}

/** Starts closing; from the payer. */
export function jettonStartCloseBody(): Cell {
  return op(JETTON_CHANNEL_OP.startClose).endCell()
}

/** Closes after the delay; from anyone. */
export function jettonFinishCloseBody(): Cell {
  return op(JETTON_CHANNEL_OP.finishClose).endCell()
}

/** Closes at once, after a last claim where one is given; from the payee. Throws `bad-input`. */
export function jettonCooperativeCloseBody(last?: {
  readonly voucher: Voucher
  readonly signature: Bytes
}): Cell {
  const body = op(JETTON_CHANNEL_OP.cooperativeClose).storeBit(last !== undefined)
  return (last ? storeVoucher(body, last.voucher, last.signature) : body).endCell()
}

/** Sends a closed channel's rest to the payer, and `extra` jettons that no deposit counted. */
export function jettonSweepBody(extra = 0n): Cell {
  return op(JETTON_CHANNEL_OP.sweep).storeCoins(extra).endCell()
}

function op(code: number): Builder {
  return beginCell().storeUint(code, 32)
}
