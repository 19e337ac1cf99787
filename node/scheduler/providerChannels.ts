/**
 * The channels in which the scheduler pays its providers: one per provider and wallet, found again
 * by its nonce, whose configuration is on disk before any money moves.
 * @module
 */
import type { Address } from '@ton/core'
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

export interface ProviderOptions {
  readonly networkId: number
  /** The voucher key of a channel, by the hex of its nonce. */
  readonly voucherKey: (nonce: string) => SigningKey
  readonly depositNano: NanoTon
  readonly closeDelayS: number
}

/** Opens, finds and tops up channels; one wallet transfer at a time. */
export function createProviderChannels(deps: ProviderDeps, options: ProviderOptions) {
  const { wallet, store, random } = deps
  const stopping = new AbortController()
  let turn: Promise<unknown> = Promise.resolve()

  const configOf = (payee: Address, nonce: Uint8Array) =>
    configFor(wallet.address, payee, nonce, options)

  const channelTo = async ({ server }: PeerHello, fresh = false): Promise<ChannelConfig> => {
    if (!server) throw new MarketError('bad-signature', { missing: 'binding' })
    const key = `${toHex(server.identity)}/${server.wallet.toRawString()}`
    const saved = fresh ? undefined : store.get(TABLE, key)
    if (saved) return configOf(server.wallet, fromHex(new TextDecoder().decode(saved), 16))
    const { nonce } = newChannelConfig(random, configOf(server.wallet, new Uint8Array(16)))
    await store.write([{ table: TABLE, key, value: utf8(toHex(nonce)) }])
    return configOf(server.wallet, nonce)
  }

  /** A channel that has begun to close takes no deposit: the next one has a new nonce. */
  const openTo = async (hello: PeerHello): Promise<ChannelConfig> => {
    const known = await channelTo(hello)
    try {
      await fund(known, options.depositNano)
      return known
    } catch (thrown) {
      if (asMarketError(thrown).code !== 'channel-closing') throw thrown
      const config = await channelTo(hello, true)
      await fund(config, options.depositNano)
      return config
    }
  }

  const fund = (config: ChannelConfig, depositNano: NanoTon): Promise<unknown> => {
    const done = turn.then(() => openChannel(deps, config, depositNano, stopping.signal))
    turn = done.catch(() => undefined) // the caller has the error
    return done
  }

  return {
    /** Opens the channel where it is not, and its account at the provider. */
    async open(
      hello: PeerHello,
      peer: string,
      onEnd: (error: MarketError) => void,
    ): Promise<PayerAccount> {
      const config = await openTo(hello)
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
    async topUp(hello: PeerHello, account: PayerAccount): Promise<void> {
      await fund(await channelTo(hello), account.state().deposit + options.depositNano)
      await account.refresh()
    },
    stop: () => stopping.abort(),
  }
}

function configFor(
  payer: Address,
  payee: Address,
  nonce: Uint8Array,
  { voucherKey, closeDelayS, networkId: network }: ProviderOptions,
): ChannelConfig {
  const { publicKey } = voucherKey(toHex(nonce))
  return { payer, payee, voucherKey: publicKey, nonce, closeDelayS, network }
}
