/**
 * The payee's channels: account streams are served here, one live stream a channel, and everything
 * held is found again after a restart.
 *
 * Used by the scheduler towards clients and by the provider towards schedulers. The books of one
 * channel are `payeeAccount.ts`.
 * @module
 */
import type { Address } from '@ton/core'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type {
  Chain,
  Clock,
  FrameStream,
  Logger,
  Store,
  Transport,
} from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import { decodePayee } from '../../contracts/money/accountCodec.ts'
import { type PayeeState, startPayee } from '../../contracts/money/payee.ts'
import { AccountMessageSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import type { ChannelConfig } from '../../contracts/wrappers/Channel.ts'
import { messageStream } from '../net/messageStream.ts'
import { openedChannel } from './accountWire.ts'
import { decodeConfig, encodeConfig } from './channelCodec.ts'
import { channelAddress, checkChannelOf } from './channelKind.ts'
import { viewChannel } from './channelView.ts'
import {
  type AccountStream,
  type Countersignature,
  createPayeeAccount,
  type PayeeAccount,
} from './payeeAccount.ts'

export type { PayeeAccount } from './payeeAccount.ts'

const CONFIGS = 'payee-channel'
const BOOKS = 'payee'

export interface PayeeDeps {
  readonly transport: Transport
  readonly store: Store
  readonly chain: Chain
  readonly clock: Clock
  readonly logger: Logger
}

export interface PayeeBookOptions {
  readonly networkId: number
  /** Signs acknowledgements. */
  readonly identity: SigningKey
  /** Own wallet: the payee of every channel taken here. */
  readonly payee: Address
  readonly minCloseDelayS: number
  /** What may be paid with; absent: TON. */
  readonly assets?: readonly Asset[]
  /** Says whether a countersignature is that of the job's client, and keeps it. */
  readonly countersigned: (countersignature: Countersignature) => boolean
  /** Whether a job is being worked on; absent: any may be. Others are ended at no charge. */
  readonly isOpen?: (channel: string, jobId: string) => boolean
  /** A payer has opened its account, or its stream has ended. */
  readonly onLive?: (account: PayeeAccount, peer: string) => void
  readonly onGone?: (account: PayeeAccount, peer: string) => void
}

export interface PayeeBook {
  /** Serves one account stream until it ends. */
  serve(raw: FrameStream): Promise<void>
  /** The account of a channel (raw address) with a live stream. */
  live(channel: string): { readonly account: PayeeAccount; readonly peer: string } | undefined
  /** Every account ever taken. */
  all(): readonly PayeeAccount[]
}

/**
 * Opens the book from the store. Jobs that were running when the process ended are ended at no
 * charge: there is no receipt for them.
 */
export async function openPayeeBook(
  deps: PayeeDeps,
  options: PayeeBookOptions,
): Promise<PayeeBook> {
  const book = new Book(deps, options)
  await book.restore()
  return {
    serve: (raw) => book.serve(raw),
    live: (channel) => book.live(channel),
    all: () => book.all(),
  }
}

class Book {
  private readonly deps: PayeeDeps
  private readonly options: PayeeBookOptions
  private readonly accounts = new Map<string, PayeeAccount>()
  /** Channels that a stream holds: nobody else may, while it opens and while it lives. */
  private readonly held = new Set<string>()
  private readonly open = new Map<string, string>()

  constructor(deps: PayeeDeps, options: PayeeBookOptions) {
    this.deps = deps
    this.options = options
  }

  async restore(): Promise<void> {
    const { store } = this.deps
    for (const [channel, value] of everything(store, CONFIGS)) {
      const saved = store.get(BOOKS, channel)
      if (!saved) continue
      const account = this.make(decodePayee(saved), decodeConfig(value))
      await account.dropRunning()
      this.accounts.set(channel, account)
    }
  }

  live(channel: string) {
    const [account, peer] = [this.accounts.get(channel), this.open.get(channel)]
    return account && peer !== undefined ? { account, peer } : undefined
  }

  all(): readonly PayeeAccount[] {
    return [...this.accounts.values()]
  }

  async serve(raw: FrameStream): Promise<void> {
    const { clock, logger } = this.deps
    const stream = messageStream(AccountMessageSchema, raw, clock)
    try {
      await this.serveOpened(stream)
    } catch (thrown) {
      const error = asMarketError(thrown)
      logger.info({ peer: raw.peer, code: error.code }, 'account stream refused or broken')
      const refused = { kind: { case: 'refused' as const, value: toRefused(error) } }
      await stream.send(refused).catch(() => undefined)
    } finally {
      await stream.close().catch(() => undefined)
    }
  }

  private async serveOpened(stream: AccountStream): Promise<void> {
    const { networkId: network, payee, minCloseDelayS, assets = ['ton'] } = this.options
    const first = await stream.next(LIMITS.helloMs)
    if (first?.kind.case !== 'open') throw new MarketError('bad-frame', { expected: 'open' })
    const config = openedChannel(first.kind.value, stream.peer, this.deps.transport.peerKey)
    if (!config) throw new MarketError('bad-signature', { record: 'account opening' })
    const address = checkChannelOf(config, { network, payee, minCloseDelayS, assets })
    const channel = address.toRawString()
    // Held before the first wait: two openings at once must not both find it free.
    if (this.held.has(channel)) throw new MarketError('account-in-use', { channel })
    this.held.add(channel)
    try {
      const account = await this.take(config, channel)
      await this.serveAccount(account, stream)
    } finally {
      this.held.delete(channel)
    }
  }

  private async serveAccount(account: PayeeAccount, stream: AccountStream): Promise<void> {
    const { onLive, onGone } = this.options
    let opened = false
    try {
      await account.serve(stream, () => {
        opened = true
        this.open.set(account.channel, stream.peer)
        onLive?.(account, stream.peer)
      })
    } finally {
      this.open.delete(account.channel)
      if (opened) onGone?.(account, stream.peer)
    }
  }

  /** The account of a channel that a payer names, checked against the chain. */
  private async take(config: ChannelConfig, channel: string): Promise<PayeeAccount> {
    const view = await viewChannel(this.deps.chain, channelAddress(config))
    if (!view) throw new MarketError('no-channel', { channel })
    if (view.status !== 'open') throw new MarketError('channel-closing', { channel })
    if (view.deposited === 0n) throw new MarketError('no-funds', { channel })
    const account = this.accounts.get(channel) ?? (await this.begin(config, channel, view))
    await account.refresh(view)
    return account
  }

  private async begin(
    config: ChannelConfig,
    channel: string,
    view: { readonly deposited: bigint; readonly claimed: bigint },
  ): Promise<PayeeAccount> {
    const { size } = this.accounts
    if (size >= LIMITS.channels) throw new MarketError('limit-exceeded', { channels: size })
    const { networkId: network } = this.options
    const { deposited: deposit, claimed } = view
    const account = this.make(startPayee({ network, channel, deposit, claimed }), config)
    await this.deps.store.write([{ table: CONFIGS, key: channel, value: encodeConfig(config) }])
    this.accounts.set(channel, account)
    return account
  }

  private make(state: PayeeState, config: ChannelConfig): PayeeAccount {
    const view = () => viewChannel(this.deps.chain, channelAddress(config))
    return createPayeeAccount(this.deps, { ...this.options, table: BOOKS, config, view }, state)
  }
}

/** Every entry of a table, page by page. */
function* everything(store: PayeeDeps['store'], table: string) {
  let after: string | undefined
  for (;;) {
    const page = store.list(table, { after, limit: 256 })
    yield* page
    if (page.length < 256) return
    after = page.at(-1)![0]
  }
}
