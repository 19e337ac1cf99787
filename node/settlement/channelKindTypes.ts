/**
 * What a kind of channel must tell: `channelKind.ts` has the two.
 * @module
 */
import type { Address } from '@ton/core'
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { WalletMessage } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import type { Voucher } from '../../contracts/money/voucher.ts'
import type {
  ChannelConfig,
  ChannelExpectation,
  ChannelView,
} from '../../contracts/wrappers/Channel.ts'
import type { ChannelDeps } from './channelView.ts'

/** A voucher with its signature, as its payee holds it. */
export interface HeldVoucher {
  readonly voucher: Voucher
  readonly signature: Bytes
}

/** Amounts are base units of the asset, except where they are said to be TON. */
export interface ChannelKind {
  address(config: ChannelConfig): Address
  /** The address of a channel that a payee may trust, its asset apart. Throws `bad-channel`. */
  check(config: ChannelConfig, expected: ChannelExpectation): Address
  /** Deploys the channel where it is not, and sends it `missing`. Resolves when that was sent. */
  deposit(
    deps: ChannelDeps,
    config: ChannelConfig,
    missing: bigint,
    known: ChannelView | undefined,
    signal?: AbortSignal,
  ): Promise<void>
  claim(held: HeldVoucher): WalletMessage
  cooperativeClose(channel: Address, last: HeldVoucher | undefined): WalletMessage
  startClose(channel: Address): WalletMessage
  finishClose(channel: Address): WalletMessage
  /** True where the contract takes a claim of this much from outside, without a wallet. */
  worthExternal(view: ChannelView, moves: bigint): boolean
  /** True where an open channel is claimed now, so that not too much is left unclaimed. */
  worthClaiming(view: ChannelView, moves: bigint): boolean
  /** What a claim costs, or as good as nothing: no more than this is not claimed. */
  readonly claimFees: bigint
  /** TON to have at hand: for opening, and for closing. Most of it comes back. */
  readonly chainFees: { readonly open: NanoTon; readonly close: NanoTon }
}
