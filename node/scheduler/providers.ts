/**
 * The scheduler's providers: offers in, one paid channel to each, gone when their connection ends.
 *
 * A provider becomes usable when its identity is bound to its peer (hello), it has offered a slot, and
 * the scheduler's channel to it is open on chain and at the provider. Until then its slots have no
 * capacity for the pool.
 * @module
 */
import type { Address } from '@ton/core'
import { fromHex, toHex, utf8 } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type {
  Chain,
  Clock,
  FrameStream,
  Logger,
  Random,
  Store,
  Transport,
  Wallet,
} from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import {
  type OfferMessage,
  OfferMessageSchema,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import type { ChannelConfig } from '../../contracts/wrappers/Channel.ts'
import type { PeerHello } from '../net/hello.ts'
import { type MessageStream, messageStream } from '../net/messageStream.ts'
import { newChannelConfig, openChannel } from '../settlement/channels.ts'
import { openPayerAccount, type PayerAccount } from '../settlement/payerAccount.ts'
import type { PaidProvider } from './leg.ts'
import { modelsOnOffer, parseOffer } from './offers.ts'
import { type Pool, providerName } from './pool.ts'

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

export interface Providers {
  /** Serves one offer stream; `hello` is what the peer said of itself. */
  serve(raw: FrameStream, hello: PeerHello): Promise<void>
  /** A peer's last connection has ended. */
  gone(peer: string): void
  get(identity: string): PaidProvider | undefined
  connected(): readonly { identity: string; peer: string; payable: boolean }[]
  stop(): Promise<void>
}

interface Link {
  readonly identity: string
  readonly peer: string
  readonly hello: PeerHello
  account?: PayerAccount
  opening?: Promise<void>
}

/** The book of connected providers. */
export function createProviders(
  deps: ProviderDeps,
  options: ProviderOptions,
  pool: Pool,
): Providers {
  const links = new Map<string, Link>()
  const stopping = new AbortController()

  const serveProvider = async (stream: Stream, link: Link) => {
    const slots = new Set<string>()
    for await (const message of stream) {
      const slot = await take(message, link, slots)
      if (slot) await stream.send({ kind: { case: 'result', value: slot } })
    }
  }

  /** Takes one message; gives the result to answer with, where the message is an offer. */
  const take = async ({ kind }: OfferMessage, link: Link, slots: Set<string>) => {
    switch (kind.case) {
      case 'offer':
        try {
          const offer = parseOffer(kind.value, link.identity)
          slots.add(offer.slot)
          if (slots.size > LIMITS.slotsPerProvider) throw new MarketError('limit-exceeded', {})
          pool.offer(offer)
          await fund(link)
          return { slot: offer.slot, code: 'listed', detail: '' }
        } catch (thrown) {
          const error = asMarketError(thrown)
          deps.logger.warn({ provider: link.identity, code: error.code }, 'offer refused')
          return { slot: kind.value.slot.slice(0, 128), code: error.code, detail: error.message }
        }
      case 'drain':
        return void pool.drain(link.identity, kind.value.slot)
      case 'leave':
        return void pool.leave(link.identity, kind.value.slot)
      case 'load':
      case 'heartbeat':
        return undefined // the scheduler counts its own jobs; a dead peer is seen by its connection
      default:
        throw new MarketError('bad-frame', { unexpected: kind.case ?? 'nothing' })
    }
  }

  /** One payable channel per provider: found again, or opened and announced to the provider. */
  const fund = async (link: Link): Promise<void> => {
    link.opening ??= openAccount(link).catch((error) => {
      link.opening = undefined
      throw error
    })
    await link.opening
    pool.setPayable(link.identity, true)
  }

  const openAccount = async (link: Link): Promise<void> => {
    const { server } = link.hello
    if (!server) throw new MarketError('bad-signature', { missing: 'binding' })
    const config = await channelTo(link.identity, server.wallet)
    await openChannel(deps, config, options.depositNano, stopping.signal)
    link.account = await openPayerAccount(
      { ...deps, networkId: options.networkId },
      {
        peer: link.peer,
        payeeIdentity: server.identity,
        config,
        voucherKey: options.voucherKey(toHex(config.nonce)),
        onEnd: () => {
          pool.setPayable(link.identity, false)
          link.opening = undefined
          link.account = undefined
        },
      },
    )
  }

  /** The channel to a provider, its configuration on disk before any money moves. */
  const channelTo = async (identity: string, payee: Address): Promise<ChannelConfig> => {
    const key = `${identity}/${payee.toRawString()}`
    const saved = deps.store.get(TABLE, key)
    const { wallet, random } = deps
    if (saved) {
      const nonce = fromHex(new TextDecoder().decode(saved), 16)
      return configOf(wallet.address, payee, nonce)
    }
    const { nonce } = newChannelConfig(random, configOf(wallet.address, payee, new Uint8Array(16)))
    await deps.store.write([{ table: TABLE, key, value: utf8(toHex(nonce)) }])
    return configOf(wallet.address, payee, nonce)
  }

  const configOf = (payer: Address, payee: Address, nonce: Uint8Array): ChannelConfig => ({
    payer,
    payee,
    voucherKey: options.voucherKey(toHex(nonce)).publicKey,
    nonce,
    closeDelayS: options.closeDelayS,
    network: options.networkId,
  })

  return {
    async serve(raw, hello) {
      const stream = messageStream(OfferMessageSchema, raw, deps.clock)
      if (hello.role === 'client') return answerList(stream, pool)
      if (hello.role !== 'provider' || !hello.server) {
        throw new MarketError('bad-frame', { unexpected: hello.role })
      }
      const identity = providerName(hello.server.identity)
      const other = links.get(identity)
      if (other && other.peer !== raw.peer) {
        throw new MarketError('account-in-use', { provider: identity })
      }
      const link = other ?? { identity, peer: raw.peer, hello }
      links.set(identity, link)
      try {
        await serveProvider(stream, link)
      } finally {
        leave(link)
      }
    },
    gone(peer) {
      for (const link of links.values()) if (link.peer === peer) leave(link)
    },
    get(identity) {
      const link = links.get(identity)
      return link?.account && { peer: link.peer, account: link.account }
    },
    connected: () =>
      [...links.values()].map(({ identity, peer, account }) => ({
        identity,
        peer,
        payable: account !== undefined,
      })),
    async stop() {
      stopping.abort()
      for (const { account } of links.values()) await account?.close()
    },
  }

  function leave(link: Link): void {
    if (links.get(link.identity) !== link) return
    links.delete(link.identity)
    pool.leave(link.identity)
    void link.account?.close()
  }
}

type Stream = MessageStream<typeof OfferMessageSchema>

/** A client asks once what is on offer. */
async function answerList(stream: Stream, pool: Pool): Promise<void> {
  const asked = await stream.next(LIMITS.helloMs)
  if (asked?.kind.case !== 'list') throw new MarketError('bad-frame', { expected: 'list' })
  const models = modelsOnOffer(pool.offers())
  await stream.send({ kind: { case: 'models', value: { models } } })
  await stream.close()
}
