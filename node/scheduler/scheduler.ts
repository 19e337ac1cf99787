/**
 * Composition root of the scheduler role: matches, forwards and keeps accounts; reads no prompt.
 *
 * Everything it needs comes in through ports, so the same code runs over libp2p and TON and in the
 * simulated world.
 * @module
 */
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
import { DEFAULT_PARAMETERS } from '../../contracts/money/price.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import type { StrategyName } from '../matching/events.ts'
import { answerHello, type PeerHello, signBinding } from '../net/hello.ts'
import { type ClaimReport, claimAll } from '../settlement/claims.ts'
import { openPayeeBook } from '../settlement/payeeBook.ts'
import { createReceiptBook } from '../settlement/receiptBook.ts'
import { createClients } from './clients.ts'
import { createPool, type OfferView } from './pool.ts'
import { createProviders } from './providers.ts'

export interface SchedulerDeps {
  readonly transport: Transport
  readonly chain: Chain
  readonly wallet: Wallet
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
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
  /** Deposit in the channel to each provider. */
  readonly providerDepositNano: NanoTon
  /** Close delay of own channels, and the least one accepted from clients. */
  readonly closeDelayS: number
}

/** Figures for the owner: nothing here names a client. */
export interface SchedulerStatus {
  readonly identity: string
  readonly addresses: readonly string[]
  readonly providers: readonly { identity: string; peer: string; payable: boolean }[]
  readonly slots: readonly Pick<
    OfferView,
    'provider' | 'model' | 'tick' | 'capacity' | 'tier' | 'demo'
  >[]
  readonly openJobs: number
  readonly waiting: number
  readonly clientChannels: readonly ChannelFigures[]
}

export interface ChannelFigures {
  readonly channel: string
  readonly deposit: NanoTon
  readonly cumulative: NanoTon
  readonly spent: NanoTon
  readonly claimed: NanoTon
}

export interface Scheduler {
  readonly identity: Uint8Array
  status(): SchedulerStatus
  /** Claims every voucher held from clients; waits until that is final. */
  settle(signal?: AbortSignal): Promise<readonly ClaimReport[]>
  stop(): Promise<void>
}

/** A binding outlives any process; a new one is signed at every start. */
const BINDING_S = 30 * 86_400

/** Starts the role. Throws `store-failed`, `chain-unavailable`. */
export async function startScheduler(
  deps: SchedulerDeps,
  options: SchedulerOptions,
): Promise<Scheduler> {
  const { transport, clock, logger, store } = deps
  const { networkId, keys } = options
  const receipts = createReceiptBook({ store, clock })
  const pool = createPool(clock, options)
  const providers = createProviders(
    deps,
    {
      networkId,
      voucherKey: keys.voucherKey,
      depositNano: options.providerDepositNano,
      closeDelayS: options.closeDelayS,
    },
    pool,
  )
  const book = await openPayeeBook(deps, {
    networkId,
    identity: keys.identity,
    payee: deps.wallet.address,
    minCloseDelayS: options.closeDelayS,
    countersigned: receipts.countersigned,
  })
  const clients = createClients({
    transport,
    clock,
    logger,
    store,
    networkId,
    pool,
    book,
    receipts,
    identity: keys.identity,
    fee: options.fee,
    strategy: options.strategy,
    provider: providers.get,
  })

  const greeted = new Map<string, PeerHello>()
  const own = {
    networkId,
    role: 'scheduler' as const,
    binding: signBinding({
      networkId,
      role: 'scheduler',
      ...keys,
      expiryS: Math.floor(clock.nowMs() / 1000) + BINDING_S,
    }),
    terms: {
      fee: options.fee,
      strategy: options.strategy,
      parameterVersion: DEFAULT_PARAMETERS.version,
      minCloseDelayS: options.closeDelayS,
    },
  }

  /** Nothing is served before hello. */
  const known = (stream: FrameStream): PeerHello => {
    const hello = greeted.get(stream.peer)
    if (!hello) throw new MarketError('bad-frame', { expected: 'hello first' })
    return hello
  }
  const guarded =
    (serve: (stream: FrameStream) => Promise<void>) => async (stream: FrameStream) => {
      try {
        known(stream)
        await serve(stream)
      } catch (thrown) {
        const error = asMarketError(thrown)
        logger.info({ peer: stream.peer, protocol: stream.protocol, code: error.code }, 'refused')
        stream.abort(error)
      }
    }

  const stopGone = transport.onGone((peer) => {
    greeted.delete(peer)
    providers.gone(peer)
  })
  await transport.handle(PROTOCOLS.hello, async (stream) => {
    try {
      const hello = await answerHello(clock, stream, own)
      if (greeted.size >= LIMITS.connections) throw new MarketError('limit-exceeded', {})
      greeted.set(stream.peer, hello)
    } catch (thrown) {
      logger.info({ peer: stream.peer, code: asMarketError(thrown).code }, 'hello refused')
    }
  })
  await transport.handle(
    PROTOCOLS.offer,
    guarded((stream) => providers.serve(stream, known(stream))),
  )
  await transport.handle(PROTOCOLS.account, guarded(book.serve))
  await transport.handle(PROTOCOLS.job, guarded(clients.serve))
  logger.info({ identity: hex(keys.identity.publicKey) }, 'scheduler started')

  return {
    identity: keys.identity.publicKey,
    status: () => ({
      identity: hex(keys.identity.publicKey),
      addresses: transport.addresses(),
      providers: providers.connected(),
      slots: pool.offers().map(({ provider, model, tick, capacity, tier, demo }) => {
        return { provider, model, tick, capacity, tier, demo }
      }),
      openJobs: clients.open(),
      waiting: pool.waiting(),
      clientChannels: book.all().map((account) => {
        const { channel, deposit, cumulative, spent, claimed } = account.state()
        return { channel, deposit, cumulative, spent, claimed }
      }),
    }),
    settle: (signal) => claimAll(deps, book.all(), signal),
    async stop() {
      stopGone()
      await providers.stop()
      await transport.stop()
      await clients.idle()
      await store.close()
    },
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
