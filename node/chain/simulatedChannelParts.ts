/**
 * What every message of the channel model is made of: its state, what comes in and goes out, the
 * refusals, and the sums that several messages share.
 *
 * Names follow `contracts/tolk/channel`. Used by `simulatedChannel.ts` and
 * `simulatedChannelClose.ts`.
 * @module
 */
import { type Address, beginCell, type Cell, type Slice } from '@ton/core'
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { ChainPrices } from '../../contracts/base/chainPrices.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { verifyVoucher } from '../../contracts/money/voucher.ts'
import {
  CHANNEL_EXIT,
  CHANNEL_FLOOR,
  type ChannelConfig,
} from '../../contracts/wrappers/Channel.ts'
import { CHANNEL_OUT } from '../../contracts/wrappers/channelMessages.ts'
import { CONTRACT_GAS, forwardFee, gasFee } from './simulatedFees.ts'

/** Data of a channel. `closeAt` is 0 while open and `CLOSED_AT` once closed, as in the contract. */
export interface ChannelState {
  readonly config: ChannelConfig
  readonly deposited: NanoTon
  readonly claimed: NanoTon
  readonly closeAt: number
  readonly receiptsHash: Bytes
  readonly bounced: boolean
}

export const CLOSED_AT = 0xffffffff

/** A message that reaches a channel. */
export type ChannelInput =
  | {
      readonly kind: 'internal'
      readonly from: Address
      readonly value: NanoTon
      readonly body: Cell
    }
  | { readonly kind: 'external'; readonly body: Cell; readonly hasInit: boolean }
  | { readonly kind: 'bounced'; readonly value: NanoTon; readonly body: Cell }

export interface ChannelContext {
  readonly address: Address
  readonly networkId: number
  readonly nowS: number
  /** After rent, the value of the message, and an external message's import fee. */
  readonly balance: NanoTon
  readonly prices: ChainPrices
}

/** A message of the channel. `value` arrives; `fee` was taken for forwarding it. */
export interface ChannelOutput {
  readonly to: Address
  readonly value: NanoTon
  readonly fee: NanoTon
  readonly body: Cell
  readonly bounce: boolean
}

export interface ChannelResult {
  /** 0, or the exit code of the refusal; a refused message changes nothing and sends nothing. */
  readonly exit: number
  readonly gas: bigint
  readonly state: ChannelState
  readonly out: readonly ChannelOutput[]
}

export type Internal = Extract<ChannelInput, { kind: 'internal' }>

export interface SignedVoucher {
  readonly cumulative: NanoTon
  readonly receiptsHash: Bytes
  readonly signature: Bytes
}

export class Refusal extends Error {
  readonly exit: number
  constructor(exit: number) {
    super(`exit ${exit}`)
    this.exit = exit
  }
}

export function assert(holds: boolean, exit: number): asserts holds {
  if (!holds) throw new Refusal(exit)
}

export function checkVoucher(
  state: ChannelState,
  voucher: SignedVoucher,
  context: ChannelContext,
): void {
  const { network, voucherKey } = state.config
  assert(network === context.networkId, CHANNEL_EXIT.wrongNetwork)
  const { cumulative, receiptsHash, signature } = voucher
  const signed = { network, channel: context.address, cumulative, receiptsHash }
  assert(verifyVoucher(signed, signature, voucherKey), CHANNEL_EXIT.badSignature)
}

export function loadVoucher(body: Slice): SignedVoucher {
  const cumulative = body.loadCoins()
  const receiptsHash = new Uint8Array(body.loadBuffer(32))
  return { cumulative, receiptsHash, signature: new Uint8Array(body.loadBuffer(64)) }
}

export function externalClaimFee(prices: ChainPrices): NanoTon {
  return gasFee(prices, CONTRACT_GAS.claim) + forwardFee(prices, 1023n, 1n)
}

export function available(value: NanoTon, context: ChannelContext): NanoTon {
  return context.balance - value - CHANNEL_FLOOR
}

export function payout(
  state: ChannelState,
  paid: NanoTon,
  value: NanoTon,
  prices: ChainPrices,
): ChannelOutput {
  const body = beginCell().storeUint(CHANNEL_OUT.payout, 32).storeCoins(paid).endCell()
  const fee = prices.forward.lump
  return { to: state.config.payee, value: value - fee, fee, body, bounce: true }
}

/** A message to the payer that ignores errors: what does not pay its own way is not sent. */
export function toPayer(
  op: number,
  state: ChannelState,
  value: NanoTon,
  prices: ChainPrices,
): ChannelOutput[] {
  const fee = prices.forward.lump
  if (value < fee) return []
  const body = beginCell().storeUint(op, 32).endCell()
  return [{ to: state.config.payer, value: value - fee, fee, body, bounce: false }]
}
