/**
 * Composition root of the provider role: offers slots to schedulers, runs sealed jobs, holds what it
 * earns.
 *
 * Everything comes in through ports. A provider dials out and holds its connections, so it needs no
 * open port; its places are divided among its schedulers, so that none is sold twice.
 * @module
 */
import { fromHex, toHex } from '../../contracts/base/bytes.ts'
import { asMarketError } from '../../contracts/base/errors.ts'
import type {
  Chain,
  Clock,
  Kem,
  Logger,
  Random,
  Store,
  Transport,
  Wallet,
} from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import { DEFAULT_PARAMETERS } from '../../contracts/money/price.ts'
import { createEpochs, eraseEpochs } from '../../contracts/seal/epoch.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import type { Backend } from '../backends/backend.ts'
import { signBinding } from '../net/hello.ts'
import { type ClaimReport, claimAll } from '../settlement/claims.ts'
import { openPayeeBook } from '../settlement/payeeBook.ts'
import { createReceiptBook } from '../settlement/receiptBook.ts'
import { createEvidence, type MadeTier } from './evidence.ts'
import { createJobs } from './jobs.ts'
import { createSessions } from './sessions.ts'
import type { Slot } from './slots.ts'
import { createSlots } from './slots.ts'

export interface ProviderDeps {
  readonly transport: Transport
  readonly chain: Chain
  readonly wallet: Wallet
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly kem: Kem
  readonly backend: Backend
}

export interface ProviderOptions {
  readonly networkId: number
  readonly keys: {
    readonly identity: SigningKey
    readonly peer: SigningKey
    readonly wallet: SigningKey
    /** Signs simulated evidence; used on development networks only. */
    readonly device: SigningKey
  }
  readonly schedulers: readonly {
    readonly identity: string
    readonly addresses: readonly string[]
  }[]
  /** Least price sold at. */
  readonly tick: number
  readonly tier: MadeTier
  readonly region: string
  readonly gpu: string
  readonly memoryGiB: number
  readonly minCloseDelayS: number
}

/** Figures for the owner. */
export interface ProviderStatus {
  readonly identity: string
  readonly tier: MadeTier
  readonly schedulers: readonly {
    identity: string
    connected: boolean
    listed: readonly string[]
  }[]
  readonly slots: readonly { model: string; tick: number; places: number; running: number }[]
  readonly earned: bigint
  readonly claimed: bigint
  readonly jobs: number
}

export interface Provider {
  readonly identity: Uint8Array
  status(): ProviderStatus
  /** Claims every voucher held; waits until that is final. */
  settle(signal?: AbortSignal): Promise<readonly ClaimReport[]>
  stop(): Promise<void>
}

const BINDING_S = 30 * 86_400

/** Starts the role; connections to schedulers are made and kept in the background. */
export async function startProvider(
  deps: ProviderDeps,
  options: ProviderOptions,
): Promise<Provider> {
  const { transport, chain, clock, logger, store, kem, backend } = deps
  const { networkId, keys } = options
  const { identity } = keys
  const receipts = createReceiptBook({ store, clock })
  const epochs = createEpochs()
  const schedulers = options.schedulers.map((each) => each.identity)
  const slots = createSlots(slotsOf(backend, options), schedulers)
  const attest = createEvidence({
    chain,
    clock,
    kem,
    epochs,
    networkId,
    identity,
    deviceKey: keys.device,
  })
  const book = await openPayeeBook(deps, {
    networkId,
    identity,
    payee: deps.wallet.address,
    minCloseDelayS: options.minCloseDelayS,
    countersigned: receipts.countersigned,
  })
  const nowS = Math.floor(clock.nowMs() / 1000)
  const sessions = createSessions(
    { ...deps, slots },
    {
      networkId,
      role: 'provider',
      binding: signBinding({ networkId, role: 'provider', ...keys, expiryS: nowS + BINDING_S }),
    },
    options.schedulers.map((each) => ({ ...each, identity: fromHex(each.identity, 32) })),
  )
  const jobs = createJobs({
    clock,
    logger,
    kem,
    identity,
    backend,
    epochs,
    networkId,
    slots,
    book,
    receipts,
    attest,
    schedulerOf: sessions.schedulerOf,
  })
  // Nothing is served to a peer that is not one of our greeted schedulers.
  const guarded = (serve: (stream: Parameters<typeof jobs.serve>[0]) => Promise<void>) => {
    return async (stream: Parameters<typeof jobs.serve>[0]) => {
      try {
        sessions.schedulerOf(stream.peer)
        await serve(stream)
      } catch (thrown) {
        const error = asMarketError(thrown)
        logger.info({ peer: stream.peer, protocol: stream.protocol, code: error.code }, 'refused')
        stream.abort(error)
      }
    }
  }
  await transport.handle(PROTOCOLS.account, guarded(book.serve))
  await transport.handle(PROTOCOLS.job, guarded(jobs.serve))
  sessions.start()
  logger.info({ identity: toHex(identity.publicKey), tier: options.tier }, 'provider started')

  return {
    identity: identity.publicKey,
    status: () => ({
      identity: toHex(identity.publicKey),
      tier: options.tier,
      schedulers: sessions.status(),
      slots: slots.status(),
      earned: book.all().reduce((sum, account) => sum + account.state().spent, 0n),
      claimed: book.all().reduce((sum, account) => sum + account.state().claimed, 0n),
      jobs: jobs.finished(),
    }),
    settle: (signal) => claimAll(deps, book.all(), signal),
    async stop() {
      await sessions.stop()
      await transport.stop()
      await jobs.idle()
      await backend.stop()
      eraseEpochs(epochs)
      await store.close()
    },
  }
}

function slotsOf(backend: Backend, options: ProviderOptions): Slot[] {
  const { multipliers, steps, window } = DEFAULT_PARAMETERS
  const { tick, tier, region, gpu, memoryGiB } = options
  return backend.models.map((model) => ({
    name: model.id,
    model: model.id,
    modelHash: model.weightsHash,
    contextTokens: model.contextTokens,
    places: model.places,
    demo: model.demo,
    tick,
    tier,
    region,
    gpu,
    memoryGiB,
    multipliers,
    steps,
    window,
  }))
}
