/**
 * The scheduler's providers: offers in, one paid channel to each, gone when their connection ends.
 *
 * A provider becomes usable when its identity is bound to its peer (hello), it has offered a slot,
 * and the scheduler's channel to it is open on chain and at the provider. Until then its slots have
 * no capacity for the pool.
 * @module
 */
import { assetKey } from '../../contracts/base/assets.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { FrameStream } from '../../contracts/base/ports.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import {
  type OfferMessage,
  OfferMessageSchema,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import type { PeerHello } from '../net/hello.ts'
import { type MessageStream, messageStream } from '../net/messageStream.ts'
import type { PaidProvider } from './legTypes.ts'
import { modelsOnOffer, parseOffer } from './offers.ts'
import { type Pool, providerName } from './poolTypes.ts'
import { keepAccount, type Losses, noLosses, type ProviderAccount } from './providerAccount.ts'
import {
  createProviderChannels,
  type ProviderDeps,
  type ProviderOptions,
} from './providerChannels.ts'

export type { ProviderDeps, ProviderOptions } from './providerChannels.ts'

export interface Providers {
  /** Serves one offer stream; `hello` is what the peer said of itself. */
  serve(raw: FrameStream, hello: PeerHello): Promise<void>
  /** A peer's last connection has ended. */
  gone(peer: string): void
  /** A provider that can be paid now, in an asset; TON where it is not named. */
  get(identity: string, asset?: Asset): PaidProvider | undefined
  connected(): readonly { identity: string; peer: string; payable: boolean }[]
  stop(): Promise<void>
}

/** The book of connected providers. */
export function createProviders(
  deps: ProviderDeps,
  options: ProviderOptions,
  pool: Pool,
): Providers {
  return new ProviderBook(deps, options, pool)
}

type Stream = MessageStream<typeof OfferMessageSchema>

/** One offer stream of a provider, and its accounts, one for each asset that it is paid in. */
interface Link {
  readonly identity: string
  readonly peer: string
  readonly hello: PeerHello
  readonly stream: Stream
  readonly slots: Set<string>
  readonly accounts: Map<string, ProviderAccount>
}

class ProviderBook implements Providers {
  private readonly deps: ProviderDeps
  private readonly pool: Pool
  private readonly channels: ReturnType<typeof createProviderChannels>
  private readonly links = new Map<string, Link>()
  /** By identity and asset; kept when a provider leaves, or leaving would forgive it. */
  private readonly losses = new Map<string, Losses>()

  constructor(deps: ProviderDeps, options: ProviderOptions, pool: Pool) {
    this.deps = deps
    this.pool = pool
    this.channels = createProviderChannels(deps, options)
  }

  async serve(raw: FrameStream, hello: PeerHello): Promise<void> {
    const stream = messageStream(OfferMessageSchema, raw, this.deps.clock)
    if (hello.role === 'client') return answerList(stream, this.pool)
    if (hello.role !== 'provider' || !hello.server) {
      throw new MarketError('bad-frame', { unexpected: hello.role })
    }
    const identity = providerName(hello.server.identity)
    const fresh = { slots: new Set<string>(), accounts: new Map<string, ProviderAccount>() }
    const link: Link = { identity, peer: raw.peer, hello, stream, ...fresh }
    await this.join(link)
    try {
      for (;;) {
        // A provider beats; one that is silent this long is gone, whatever its connection says.
        const message = await stream.next(3 * LIMITS.heartbeatMs)
        if (!message) return
        await this.take(message, link)
      }
    } finally {
      await this.leave(link)
    }
  }

  gone(peer: string): void {
    for (const link of this.links.values()) if (link.peer === peer) void this.leave(link)
  }

  get(identity: string, asset?: Asset): PaidProvider | undefined {
    return this.links.get(identity)?.accounts.get(assetKey(asset))?.current()
  }

  connected() {
    return [...this.links.values()].map(({ identity, peer, accounts }) => ({
      identity,
      peer,
      payable: [...accounts.values()].some((account) => account.current() !== undefined),
    }))
  }

  async stop(): Promise<void> {
    this.channels.stop()
    await Promise.all([...this.links.values()].map((link) => this.leave(link)))
  }

  /** The newest stream of a provider counts: it has noticed the loss of the last one before us. */
  private async join(link: Link): Promise<void> {
    const other = this.links.get(link.identity)
    if (other && other.peer !== link.peer) {
      throw new MarketError('account-in-use', { provider: link.identity })
    }
    if (other) {
      other.stream.abort(new MarketError('unreachable', { detail: 'the peer has come back' }))
      await this.leave(other)
    }
    this.links.set(link.identity, link)
  }

  private async leave(link: Link): Promise<void> {
    if (this.links.get(link.identity) === link) {
      this.links.delete(link.identity)
      this.pool.leave(link.identity)
    }
    await Promise.all([...link.accounts.values()].map((account) => account.stop()))
  }

  /** Takes one message; an offer is answered when it is listed and can be paid for, or not. */
  private async take({ kind }: OfferMessage, link: Link): Promise<void> {
    switch (kind.case) {
      case 'offer': {
        const value = await this.list(kind.value, link)
        return link.stream.send({ kind: { case: 'result', value } })
      }
      case 'drain':
        return this.pool.drain(link.identity, kind.value.slot)
      case 'leave':
        link.slots.delete(kind.value.slot)
        return this.pool.leave(link.identity, kind.value.slot)
      case 'load':
      case 'heartbeat':
        return // the scheduler counts its own jobs; a beat has done its work by coming
      default:
        throw new MarketError('bad-frame', { unexpected: kind.case ?? 'nothing' })
    }
  }

  private async list(
    value: Extract<OfferMessage['kind'], { case: 'offer' }>['value'],
    link: Link,
  ): Promise<{ slot: string; code: string; detail: string }> {
    try {
      const offer = parseOffer(value, link.identity)
      if (!link.slots.has(offer.slot) && link.slots.size >= LIMITS.slotsPerProvider) {
        throw new MarketError('limit-exceeded', { slots: link.slots.size })
      }
      const asset = offer.asset ?? 'ton'
      this.channels.checkAsset(asset)
      link.slots.add(offer.slot)
      this.pool.offer(offer)
      await this.fund(link, asset).opened
      return { slot: offer.slot, code: 'listed', detail: '' }
    } catch (thrown) {
      const error = asMarketError(thrown)
      this.deps.logger.warn({ provider: link.identity, code: error.code }, 'offer not listed')
      const slot = value.slot.slice(0, LIMITS.nameLength)
      return { slot, code: error.code, detail: error.message }
    }
  }

  /** One payable channel per provider and asset: found again, or opened and announced. */
  private fund(link: Link, asset: Asset): ProviderAccount {
    const { identity, hello, peer } = link
    const key = assetKey(asset)
    const known = link.accounts.get(key)
    if (known) return known
    const losses = this.losses.get(`${identity} ${key}`) ?? noLosses()
    this.losses.set(`${identity} ${key}`, losses)
    const account = keepAccount({
      ...this.deps,
      peer,
      losses,
      open: (onEnd) => this.channels.open(hello, asset, peer, onEnd),
      topUp: (paid) => this.channels.topUp(hello, asset, paid),
      onPayable: (payable) => {
        if (this.links.get(identity) === link) this.pool.setPayable(identity, payable, asset)
      },
    })
    link.accounts.set(key, account)
    return account
  }
}

/** A client asks once what is on offer. */
async function answerList(stream: Stream, pool: Pool): Promise<void> {
  const asked = await stream.next(LIMITS.helloMs)
  if (asked?.kind.case !== 'list') throw new MarketError('bad-frame', { expected: 'list' })
  const models = modelsOnOffer(pool.offers())
  await stream.send({ kind: { case: 'models', value: { models } } })
  await stream.close()
}
