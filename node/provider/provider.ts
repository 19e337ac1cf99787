/**
 * Composition root of the provider role: offers slots to schedulers, runs sealed jobs, holds what
 * it earns.
 *
 * Everything comes in through ports. A provider dials out and holds its connections, so it needs no
 * open port; its places are divided among its schedulers, so that none is sold twice.
 * @module
 */
import type { Compute } from '../../contracts/attest/document.ts'
import type { EvidenceVerifier } from '../../contracts/attest/verifier.ts'
import { fromHex, toHex } from '../../contracts/base/bytes.ts'
import type { MarketError } from '../../contracts/base/errors.ts'
import type {
  Chain,
  Clock,
  Directory,
  FrameStream,
  Kem,
  Logger,
  Random,
  Store,
  Trace,
  Transport,
  Wallet,
} from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import type { Tier } from '../../contracts/base/tier.ts'
import { createEpochs, eraseEpochs } from '../../contracts/seal/epoch.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import type { Backend } from '../backends/backend.ts'
import { type OwnHello, signBinding } from '../net/hello.ts'
import { anchorOf } from '../settlement/anchor.ts'
import type { ClaimReport } from '../settlement/claims.ts'
import { failStop, guarded } from '../settlement/guards.ts'
import { openPayeeBook } from '../settlement/payeeBook.ts'
import { createReceiptBook } from '../settlement/receiptBook.ts'
import { createSettler } from '../settlement/settler.ts'
import { type Earnings, earnings } from './earnings.ts'
import { sweepEpochs } from './epochSweep.ts'
import { type Collect, createEvidence } from './evidence.ts'
import { createJobs } from './jobs.ts'
import { proveFirst, proveNow } from './proving.ts'
import { createSessions, type SchedulerAddress } from './sessions.ts'
import type { Slot } from './slots.ts'
import { createSlots } from './slots.ts'

export interface ProviderDeps {
  readonly transport: Transport
  readonly chain: Chain
  readonly directory: Directory
  readonly wallet: Wallet
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly kem: Kem
  readonly backend: Backend
  /** Asks the hardware for evidence: for tiers above `open`. */
  readonly collect?: Collect
  /** For tests: verifiers of own evidence instead of this version's. */
  readonly unsafeVerifiers?: readonly EvidenceVerifier[]
  readonly trace?: Trace
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
  /** Least price sold at, in each asset. */
  readonly tick: number
  /** What the work is sold for; absent: TON. */
  readonly assets?: readonly Asset[]
  readonly tier: Tier
  /** Where the backend runs its models: it stands in the evidence. */
  readonly compute: Compute
  readonly region: string
  readonly gpu: string
  readonly memoryGiB: number
  readonly minCloseDelayS: number
  /**
   * Told once that the store has failed: nothing is acknowledged any more, every connection is
   * closed, and the process should end.
   */
  readonly onFault?: (error: MarketError) => void
}

/** Figures for the owner. */
export interface ProviderStatus extends Earnings {
  readonly identity: string
  readonly tier: Tier
  readonly schedulers: readonly {
    identity: string
    connected: boolean
    listed: readonly string[]
  }[]
  readonly slots: readonly { model: string; tick: number; places: number; running: number }[]
  readonly jobs: number
  /** What runs the models and what it is held to, where the backend says so. */
  readonly engine?: string
}

export interface Provider {
  readonly identity: Uint8Array
  status(): ProviderStatus
  /** Evidence of now about the first model, as a client would be shown it. */
  prove(): Promise<{ readonly model: string; readonly evidence: Uint8Array }>
  /** One hash over the books of every channel held, for the registry. */
  anchor(): Uint8Array
  /** Claims every voucher held; waits until that is final. */
  settle(signal?: AbortSignal): Promise<readonly ClaimReport[]>
  stop(): Promise<void>
}

/** A binding is signed anew for each greeting. */
const BINDING_S = 86_400

/** Starts the role; connections to schedulers are made and kept in the background. */
export async function startProvider(
  given: ProviderDeps,
  options: ProviderOptions,
): Promise<Provider> {
  const deps = { ...given, store: failStop(given.store, (error) => fault(error)) }
  const { transport, store, logger, backend } = deps
  const { networkId, keys } = options
  const { identity } = keys
  const receipts = createReceiptBook(deps)
  const epochs = createEpochs()
  const schedulers = options.schedulers.map((each) => each.identity)
  const slots = createSlots(slotsOf(backend, options), schedulers)
  const own = () => ownHello(options, deps.clock.nowMs())
  const sessions = createSessions({ ...deps, slots }, own, schedulersOf(options))
  const proving = { epochs, networkId, identity, deviceKey: keys.device, compute: options.compute }
  const attest = createEvidence({ ...deps, ...proving })
  await proveFirst(attest, backend, options.tier)
  const book = await openPayeeBook(deps, {
    ...{ networkId, identity, payee: deps.wallet.address },
    ...{ minCloseDelayS: options.minCloseDelayS, assets: options.assets },
    countersigned: receipts.countersigned,
    isOpen: (channel, jobId) => jobs.isOpen(channel, jobId),
  })
  const { schedulerOf } = sessions
  const parts = { identity, epochs, networkId, slots, book, receipts, attest, schedulerOf }
  const jobs = createJobs({ ...deps, ...parts })
  const settler = createSettler(deps, () => book.all())
  // Nothing is served to a peer that is not one of our greeted schedulers.
  const known = (stream: FrameStream) => void sessions.schedulerOf(stream.peer)
  await transport.handle(PROTOCOLS.account, guarded(logger, known, book.serve))
  await transport.handle(PROTOCOLS.job, guarded(logger, known, jobs.serve))
  const stopSweeping = sweepEpochs(epochs, deps.clock)
  settler.start()
  sessions.start()
  logger.info({ identity: toHex(identity.publicKey), tier: options.tier }, 'provider started')

  const disconnect = async () => {
    await settler.stop()
    await sessions.stop()
    await transport.stop()
  }
  function fault(error: MarketError): void {
    logger.error({ code: error.code }, 'the store has failed: serving nothing more')
    disconnect().catch(() => undefined)
    options.onFault?.(error)
  }
  return {
    identity: identity.publicKey,
    status: () => ({
      identity: toHex(identity.publicKey),
      tier: options.tier,
      schedulers: sessions.status(),
      slots: slots.status(),
      jobs: jobs.finished(),
      engine: backend.about?.(),
      ...earnings(book),
    }),
    anchor: () => anchorOf(networkId, book),
    prove: () => proveNow(attest, backend, options.tier),
    settle: settler.settle,
    async stop() {
      await disconnect()
      await jobs.idle()
      await backend.stop()
      stopSweeping()
      eraseEpochs(epochs)
      await store.close()
    },
  }
}

function ownHello({ networkId, keys }: ProviderOptions, nowMs: number): OwnHello {
  const expiryS = Math.floor(nowMs / 1000) + BINDING_S
  const binding = signBinding({ networkId, role: 'provider', ...keys, expiryS })
  return { networkId, role: 'provider', binding }
}

function schedulersOf({ schedulers }: ProviderOptions): SchedulerAddress[] {
  return schedulers.map((each) => ({ ...each, identity: fromHex(each.identity, 32) }))
}

function slotsOf(backend: Backend, options: ProviderOptions): Slot[] {
  const { tick, tier, region, gpu, memoryGiB, assets = ['ton'] } = options
  const sales = backend.models.flatMap((model) => assets.map((asset) => ({ model, asset })))
  return sales.map(({ model, asset }) => ({
    name: asset === 'ton' ? model.id : `${model.id}.${toHex(asset.hash).slice(0, 8)}`,
    asset,
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
  }))
}
