/**
 * Composition root of the scheduler role: matches, forwards and keeps accounts; reads no prompt.
 *
 * Everything it needs comes in through ports, so the same code runs over libp2p and TON and in the
 * simulated world.
 * @module
 */
import { assetKey } from '../../contracts/base/assets.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import type { MarketError } from '../../contracts/base/errors.ts'
import type {
  Chain,
  Clock,
  Directory,
  FrameStream,
  Logger,
  Random,
  Store,
  Trace,
  Transport,
  Wallet,
} from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { termsOf } from '../../contracts/money/marketTerms.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import type { StrategyName } from '../matching/events.ts'
import { type OwnHello, signBinding } from '../net/hello.ts'
import { anchorOf } from '../settlement/anchor.ts'
import type { ClaimReport } from '../settlement/claims.ts'
import { failStop, guarded } from '../settlement/guards.ts'
import { openPayeeBook, type PayeeBook } from '../settlement/payeeBook.ts'
import { createReceiptBook } from '../settlement/receiptBook.ts'
import { createSettler } from '../settlement/settler.ts'
import { type ClientDeps, type Clients, createClients } from './clients.ts'
import { createGreeted } from './greeted.ts'
import type { OfferView } from './offers.ts'
import { createPool } from './pool.ts'
import type { Pool } from './poolTypes.ts'
import type { PaidJetton } from './providerChannels.ts'
import { createProviders, type Providers } from './providers.ts'

export interface SchedulerDeps {
  readonly transport: Transport
  readonly chain: Chain
  readonly directory: Directory
  readonly wallet: Wallet
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly trace?: Trace
}

export interface SchedulerOptions {
  readonly networkId: number
  /** One key per purpose. `voucherKey` gives one per channel, by the hex of its nonce. */
  readonly keys: {
    readonly identity: SigningKey
    readonly peer: SigningKey
    readonly wallet: SigningKey
    readonly voucherKey: (nonce: string) => SigningKey
  }
  /** Parts per 10,000 on top of the provider's cost. */
  readonly fee: number
  readonly strategy: StrategyName
  readonly salt: number
  readonly seed: number
  readonly queueLimit: number
  /** Matchers among which models are divided; 1 by default. */
  readonly owners?: number
  /** What a remembered prefix tag takes off a score, millionths of a nanoTON; 0 by default. */
  readonly affinityBonus?: number
  /** Deposit in the channel to each provider. */
  readonly providerDepositNano: NanoTon
  /** Jettons taken from clients and paid to providers, beside TON. */
  readonly jettons?: readonly PaidJetton[]
  /** Close delay of own channels, and the least one accepted from clients. */
  readonly closeDelayS: number
  /**
   * Told once that the store has failed: nothing is acknowledged any more, every connection is
   * closed, and the process should end.
   */
  readonly onFault?: (error: MarketError) => void
}

/** Figures for the owner: nothing here names a client. */
export interface SchedulerStatus {
  readonly identity: string
  readonly addresses: readonly string[]
  readonly providers: readonly { identity: string; peer: string; payable: boolean }[]
  readonly slots: readonly (Pick<
    OfferView,
    'provider' | 'model' | 'tick' | 'capacity' | 'tier' | 'demo'
  > & { readonly asset: string })[]
  readonly openJobs: number
  readonly waiting: number
  readonly clientChannels: readonly ChannelFigures[]
}

export interface ChannelFigures {
  readonly channel: string
  /** What the amounts are in: `ton` for nanoTON, or a minter's raw address. */
  readonly asset: string
  readonly deposit: NanoTon
  readonly cumulative: NanoTon
  readonly spent: NanoTon
  readonly claimed: NanoTon
}

export interface Scheduler {
  readonly identity: Uint8Array
  status(): SchedulerStatus
  /** One hash over the books of every channel held, for the registry. */
  anchor(): Uint8Array
  /** Claims every voucher held from clients; waits until that is final. */
  settle(signal?: AbortSignal): Promise<readonly ClaimReport[]>
  stop(): Promise<void>
}

/** A binding is signed anew for each greeting. */
const BINDING_S = 86_400

/** Starts the role. Throws `store-failed`, `chain-unavailable`. */
export async function startScheduler(
  given: SchedulerDeps,
  options: SchedulerOptions,
): Promise<Scheduler> {
  const deps = { ...given, store: failStop(given.store, (error) => fault(error)) }
  const { transport, clock, logger, store } = deps
  const { networkId, keys, closeDelayS } = options
  const receipts = createReceiptBook(deps)
  const pool = createPool(clock, options)
  const { voucherKey, identity: identityKey } = keys
  const { providerDepositNano: depositNano, jettons } = options
  const channels = { networkId, voucherKey, depositNano, jettons, closeDelayS }
  const providers = createProviders(deps, channels, pool)
  const book = await openPayeeBook(deps, {
    networkId,
    identity: identityKey,
    payee: deps.wallet.address,
    minCloseDelayS: closeDelayS,
    assets: assetsOf(options),
    countersigned: receipts.countersigned,
    isOpen: (channel, jobId) => clients.isOpen(channel, jobId),
  })
  const { fee, strategy } = options
  const provider: ClientDeps['provider'] = (id, asset) => providers.get(id, asset)
  const terms = (model: string) => termsOf(deps.directory.current(), model)
  const legs = { networkId, identity: identityKey, fee, strategy, provider, terms }
  const clients = createClients({ ...deps, ...legs, pool, book, receipts })
  const settler = createSettler(deps, book.all)
  const greeted = createGreeted(deps, () => ownHello(deps, options))
  const stopGone = transport.onGone((peer) => {
    greeted.forget(peer)
    providers.gone(peer)
  })
  const known = (stream: FrameStream) => void greeted.hello(stream)
  await transport.handle(PROTOCOLS.hello, greeted.serve)
  await transport.handle(
    PROTOCOLS.offer,
    guarded(logger, known, (stream) => providers.serve(stream, greeted.hello(stream))),
  )
  await transport.handle(PROTOCOLS.account, guarded(logger, known, book.serve))
  await transport.handle(PROTOCOLS.job, guarded(logger, known, clients.serve))
  settler.start()
  const identity = identityKey.publicKey
  logger.info({ identity: toHex(identity) }, 'scheduler started')

  const disconnect = async () => {
    await settler.stop()
    stopGone()
    await providers.stop()
    await transport.stop()
    receipts.stop()
  }
  function fault(error: MarketError): void {
    logger.error({ code: error.code }, 'the store has failed: serving nothing more')
    disconnect().catch(() => undefined)
    options.onFault?.(error)
  }
  return {
    identity,
    status: () => statusOf({ identity, transport, providers, pool, clients, book }),
    anchor: () => anchorOf(networkId, book),
    settle: settler.settle,
    async stop() {
      await disconnect()
      await clients.idle()
      pool.stop()
      await store.close()
    },
  }
}

/** What a status is told from. */
interface Parts {
  readonly identity: Uint8Array
  readonly transport: Transport
  readonly providers: Providers
  readonly pool: Pool
  readonly clients: Clients
  readonly book: PayeeBook
}

/** TON, and the listed jettons. */
function assetsOf({ jettons = [] }: SchedulerOptions): readonly Asset[] {
  return ['ton', ...jettons.map(({ asset }) => asset)]
}

function ownHello({ clock, directory }: SchedulerDeps, options: SchedulerOptions): OwnHello {
  const { networkId, keys, fee, strategy, closeDelayS: minCloseDelayS } = options
  const expiryS = Math.floor(clock.nowMs() / 1000) + BINDING_S
  const parameterVersion = directory.current().version
  const assets = assetsOf(options).map(assetKey)
  return {
    networkId,
    role: 'scheduler',
    binding: signBinding({ networkId, role: 'scheduler', ...keys, expiryS }),
    terms: { fee, strategy, parameterVersion, minCloseDelayS, assets },
  }
}

function statusOf({ identity, transport, providers, pool, clients, book }: Parts): SchedulerStatus {
  return {
    identity: toHex(identity),
    addresses: transport.addresses(),
    providers: providers.connected(),
    slots: pool.offers().map(({ provider, model, tick, capacity, tier, demo, asset }) => {
      return { provider, model, tick, capacity, tier, demo, asset: assetKey(asset) }
    }),
    openJobs: clients.open(),
    waiting: pool.waiting(),
    clientChannels: book.all().map((account) => {
      const { channel, deposit, cumulative, spent, claimed } = account.state()
      const asset = assetKey(account.config.minter)
      return { channel, asset, deposit, cumulative, spent, claimed }
    }),
  }
}
