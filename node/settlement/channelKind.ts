/**
 * A channel of an asset: what differs between one of TON and one of a jetton.
 *
 * The books, the vouchers' travel, the watch and the verbs are the same for both; they ask the kind
 * where a channel is, how it is paid into, what is sent to it, and what is worth claiming.
 * @module
 */
import type { Address } from '@ton/core'
import { assetKey } from '../../contracts/base/assets.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import type { Voucher } from '../../contracts/money/voucher.ts'
import type { ChannelConfig, ChannelExpectation } from '../../contracts/wrappers/Channel.ts'
import type { ChannelKind } from './channelKindTypes.ts'
import { jettonChannels } from './jettonChannel.ts'
import { tonChannels } from './tonChannel.ts'

/** The kind of a channel. */
export function kindOf({ minter }: Pick<ChannelConfig, 'minter'>): ChannelKind {
  return minter ? jettonChannels : tonChannels
}

/** Where a channel is. Throws `bad-input`. */
export function channelAddress(config: ChannelConfig): Address {
  return kindOf(config).address(config)
}

/** A promise on a channel, as its voucher. */
export function voucherOf(
  config: ChannelConfig,
  promise: Pick<Voucher, 'cumulative' | 'receiptsHash'>,
): Voucher {
  const { network, minter } = config
  const asset = minter ? { asset: 'jetton' as const } : {}
  return { ...asset, network, channel: channelAddress(config), ...promise }
}

/** True where a voucher is for this channel: its network, its address, its kind. */
export function isVoucherOf(config: ChannelConfig, voucher: Voucher): boolean {
  const { network, minter } = config
  if (voucher.network !== network || !voucher.channel.equals(channelAddress(config))) return false
  return (voucher.asset === 'jetton') === (minter !== undefined)
}

/** What a channel is of. */
export function assetOfChannel({ minter }: Pick<ChannelConfig, 'minter'>): Asset {
  return minter ?? 'ton'
}

/** The kind of an asset's channels. */
export function kindOfAsset(asset: Asset): ChannelKind {
  return asset === 'ton' ? tonChannels : jettonChannels
}

/**
 * A payee's refusal of channels that it cannot trust, whatever the asset. Throws `bad-channel`
 * naming the field, `bad-asset` for a jetton that `assets` does not list.
 */
export function checkChannelOf(
  config: ChannelConfig,
  expected: ChannelExpectation & { readonly assets: readonly Asset[] },
): Address {
  const { assets } = expected
  const key = assetKey(assetOfChannel(config))
  if (!assets.some((asset) => assetKey(asset) === key)) {
    throw new MarketError('bad-asset', { asset: key, listed: assets.map(assetKey).join(', ') })
  }
  return kindOf(config).check(config, expected)
}
