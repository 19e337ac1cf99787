/**
 * The payee's channels: account streams are served here, one live stream a channel, and everything
 * held is found again after a restart.
 *
 * Used by the scheduler towards clients and by the provider towards schedulers. The books of one
 * channel are `payeeAccount.ts`.
 * @module
 */
import { type Address, Address as TonAddress } from '@ton/core'
import { fromHex, toHex, utf8 } from '../../contracts/base/bytes.ts'
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
import { decodePayee } from '../../contracts/money/accountCodec.ts'
import { type PayeeState, startPayee } from '../../contracts/money/payee.ts'
import { AccountMessageSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import { type ChannelConfig, checkChannel } from '../../contracts/wrappers/Channel.ts'
import { messageStream } from '../net/messageStream.ts'
import { openedChannel } from './accountWire.ts'
import { viewChannel } from './channels.ts'
import { type Countersignature, createPayeeAccount, type PayeeAccount } from './payeeAccount.ts'

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
  /** Says whether a countersignature is that of the job's client, and keeps it. */
  readonly countersigned: (countersignature: Countersignature) => boolean
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
  const accounts = new Map<string, PayeeAccount>()
  const live = new Map<string, string>()
  for (const [channel, value] of everything(deps.store, CONFIGS)) {
    const saved = deps.store.get(BOOKS, channel)
    if (!saved) continue
    const account = make(decodePayee(saved), decodeConfig(value))
    await account.dropRunning()
    accounts.set(channel, account)
  }

  function make(state: PayeeState, config: ChannelConfig): PayeeAccount {
    return createPayeeAccount(deps, { ...options, table: BOOKS, config }, state)
  }

  /** The account of a channel that a payer names, checked against the chain. */
  const take = async (config: ChannelConfig): Promise<PayeeAccount> => {
    const { networkId: network, payee, minCloseDelayS } = options
    const address = checkChannel(config, { network, payee, minCloseDelayS })
    const channel = address.toRawString()
    const view = await viewChannel(deps.chain, address)
    if (!view) throw new MarketError('no-channel', { channel })
    if (view.status !== 'open') throw new MarketError('channel-closing', { channel })
    if (view.deposited === 0n) throw new MarketError('no-funds', { channel })
    const { deposited: deposit, claimed } = view
    const known = accounts.get(channel)
    const account = known ?? make(startPayee({ network, channel, deposit, claimed }), config)
    if (!known) {
      if (accounts.size >= LIMITS.channels)
        throw new MarketError('limit-exceeded', { channels: accounts.size })
      await deps.store.write([{ table: CONFIGS, key: channel, value: encodeConfig(config) }])
      accounts.set(channel, account)
    }
    await account.refresh(view)
    return account
  }

  const serve = async (raw: FrameStream): Promise<void> => {
    const stream = messageStream(AccountMessageSchema, raw, deps.clock)
    let account: PayeeAccount | undefined
    try {
      const first = await stream.next(LIMITS.helloMs)
      if (first?.kind.case !== 'open') throw new MarketError('bad-frame', { expected: 'open' })
      const config = openedChannel(first.kind.value, raw.peer, deps.transport.peerKey)
      if (!config) throw new MarketError('bad-signature', { record: 'account opening' })
      const opened = await take(config)
      const other = live.get(opened.channel)
      if (other !== undefined) throw new MarketError('account-in-use', { channel: opened.channel })
      live.set(opened.channel, raw.peer)
      account = opened
      await account.serve(stream, () => options.onLive?.(opened, raw.peer))
    } catch (thrown) {
      const error = asMarketError(thrown)
      deps.logger.info({ peer: raw.peer, code: error.code }, 'account stream refused or broken')
      const refused = { kind: { case: 'refused' as const, value: toRefused(error) } }
      await stream.send(refused).catch(() => undefined)
    } finally {
      // First: closing waits for a peer that may be gone, and its next connection must not be refused.
      if (account) {
        live.delete(account.channel)
        options.onGone?.(account, raw.peer)
      }
      await stream.close().catch(() => undefined)
    }
  }

  return {
    serve,
    live(channel) {
      const [account, peer] = [accounts.get(channel), live.get(channel)]
      return account && peer !== undefined ? { account, peer } : undefined
    },
    all: () => [...accounts.values()],
  }
}

/** Every entry of a table, page by page. */
function* everything(store: Store, table: string) {
  let after: string | undefined
  for (;;) {
    const page = store.list(table, { after, limit: 256 })
    yield* page
    if (page.length < 256) return
    after = page.at(-1)![0]
  }
}

function encodeConfig(config: ChannelConfig): Uint8Array {
  return utf8(
    JSON.stringify({
      ...config,
      payer: config.payer.toRawString(),
      payee: config.payee.toRawString(),
      voucherKey: toHex(config.voucherKey),
      nonce: toHex(config.nonce),
    }),
  )
}

function decodeConfig(bytes: Uint8Array): ChannelConfig {
  const saved = JSON.parse(new TextDecoder().decode(bytes))
  return {
    ...saved,
    payer: TonAddress.parseRaw(saved.payer),
    payee: TonAddress.parseRaw(saved.payee),
    voucherKey: fromHex(saved.voucherKey, 32),
    nonce: fromHex(saved.nonce, 16),
  }
}
