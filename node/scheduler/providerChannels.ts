/**
 * The channels in which the scheduler pays its providers: one per provider, wallet and asset, found
 * again by its nonce, whose configuration is on disk before any money moves.
 * @module
 */
import type { Address } from '@ton/core'
import { assetKey, sameAsset } from '../../contracts/base/assets.ts'
import { fromHex, toHex, utf8 } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type {
  Chain,
  Clock,
  Logger,
  Random,
  Store,
  Transport,
  Wallet,
} from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import type { ChannelConfig } from '../../contracts/wrappers/Channel.ts'
import type { PeerHello } from '../net/hello.ts'
import { newChannelConfig, openChannel } from '../settlement/channels.ts'
import { openPayerAccount, type PayerAccount } from '../settlement/payerAccount.ts'

const TABLE = 'provider-channel'

export interface ProviderDeps {
  readonly transport: Transport
  readonly chain: Chain
  readonly wallet: Wallet
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** A jetton, and what is deposited at a time, in its base units. */
export interface PaidJetton {
  readonly asset: Asset
  readonly deposit: bigint
}

export interface ProviderOptions {
  readonly networkId: number
  /** The voucher key of a channel, by the hex of its nonce. */
  readonly voucherKey: (nonce: string) => SigningKey
  readonly depositNano: NanoTon
  /** Jettons that providers are paid in, beside TON. */
  readonly jettons?: readonly PaidJetton[]
  readonly closeDelayS: number
}

/** Opens, finds and tops up channels; one wallet transfer at a time. */
export function createProviderChannels(deps: ProviderDeps, options: ProviderOptions) {
  const stopping = new AbortController()
  let turn: Promise<unknown> = Promise.resolve()

  const channelTo = (hello: PeerHello, asset: Asset, fresh = false) =>
    findChannel(deps, options, hello, asset, fresh)

  /** A channel that has begun to close takes no deposit: the next one has a new nonce. */
  const openTo = async (hello: PeerHello, asset: Asset): Promise<ChannelConfig> => {
    const known = await channelTo(hello, asset)
    try {
      await fund(known, depositOf(options, asset))
      return known
    } catch (thrown) {
      if (asMarketError(thrown).code !== 'channel-closing') throw thrown
      const config = await channelTo(hello, asset, true)
      await fund(config, depositOf(options, asset))
      return config
    }
  }

  const fund = (config: ChannelConfig, deposit: bigint): Promise<unknown> => {
    const done = turn.then(() => openChannel(deps, config, deposit, stopping.signal))
    turn = done.catch(() => undefined) // the caller has the error
    return done
  }

  return {
    /** Throws `bad-asset` where providers are not paid in it here. */
    checkAsset: (asset: Asset) => void depositOf(options, asset),
    /** Opens the channel where it is not, and its account at the provider. */
    async open(
      hello: PeerHello,
      asset: Asset,
      peer: string,
      onEnd: (error: MarketError) => void,
    ): Promise<PayerAccount> {
      const config = await openTo(hello, asset)
      return openPayerAccount(
        { ...deps, networkId: options.networkId },
        {
          peer,
          payeeIdentity: hello.server!.identity,
          config,
          voucherKey: options.voucherKey(toHex(config.nonce)),
          onEnd,
        },
      )
    },
    /** One more deposit into the channel of an account. */
    async topUp(hello: PeerHello, asset: Asset, account: PayerAccount): Promise<void> {
      await fund(await channelTo(hello, asset), account.state().deposit + depositOf(options, asset))
      await account.refresh()
    },
    stop: () => stopping.abort(),
  }
}

/** The channel on disk, or a fresh one put there. */
async function findChannel(
  { wallet, store, random }: ProviderDeps,
  options: ProviderOptions,
  { server }: PeerHello,
  asset: Asset,
  fresh: boolean,
): Promise<ChannelConfig> {
  if (!server) throw new MarketError('bad-signature', { missing: 'binding' })
  const configOf = (nonce: Uint8Array) =>
    configFor(wallet.address, server.wallet, asset, nonce, options)
  const suffix = asset === 'ton' ? '' : `/${assetKey(asset)}`
  const key = `${toHex(server.identity)}/${server.wallet.toRawString()}${suffix}`
  const saved = fresh ? undefined : store.get(TABLE, key)
  if (saved) return configOf(fromHex(new TextDecoder().decode(saved), 16))
  const { nonce } = newChannelConfig(random, configOf(new Uint8Array(16)))
  await store.write([{ table: TABLE, key, value: utf8(toHex(nonce)) }])
  return configOf(nonce)
}

/** What is deposited at a time. Throws `bad-asset`. */
function depositOf({ depositNano, jettons }: ProviderOptions, asset: Asset): bigint {
  if (asset === 'ton') return depositNano
  const jetton = jettons?.find((each) => sameAsset(each.asset, asset))
  if (!jetton) throw new MarketError('bad-asset', { asset: assetKey(asset) })
  return jetton.deposit
}

function configFor(
  payer: Address,
  payee: Address,
  asset: Asset,
  nonce: Uint8Array,
  { voucherKey, closeDelayS, networkId: network }: ProviderOptions,
): ChannelConfig {
  const { publicKey } = voucherKey(toHex(nonce))
  const minter = asset === 'ton' ? {} : { minter: asset }
  return { payer, payee, voucherKey: publicKey, nonce, closeDelayS, network, ...minter }
}
