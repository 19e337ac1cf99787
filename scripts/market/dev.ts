/**
 * A whole market on this machine, in one process with engines in their own: localnet, one
 * scheduler, two providers with the demo model, a client and its gateway.
 * @module
 */
import { join } from 'node:path'
import { type Gateway, startGateway } from '../../client/gateway/gateway.ts'
import { connect } from '../../client/index.ts'
import type { JobResult, Market } from '../../client/types.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Logger, Trace } from '../../contracts/base/ports.ts'
import type { Secret } from '../../contracts/base/secret.ts'
import type { Backend } from '../../node/backends/backend.ts'
import { startEmbedded } from '../../node/backends/embedded/embedded.ts'
import { TINY_CHAT } from '../../node/backends/tinyChat.ts'
import { type Localnet, startLocalnet } from '../../node/localnet/localnet.ts'
import { createClock } from '../../node/system/clock.ts'
import { networkFile, readNetwork } from '../../node/system/home.ts'
import { createLogger } from '../../node/system/logger.ts'
import { gatewayKey } from './gatewayKey.ts'
import { deployLocally } from './institution.ts'
import { localnetConfig, writeNetwork } from './networkFile.ts'
import { type RunningProvider, type RunningScheduler, runProvider, runScheduler } from './roles.ts'
import { type Settlement, settleMarket } from './settle.ts'

export const DEV_MODEL = TINY_CHAT.modelId
/** Ticks of the two providers: the cheaper one wins while it has a place. */
const TICKS = [40, 42]
const PLACES = 4
const FEE = 300

export interface DevOptions {
  readonly home: string
  /** Name of the network, and of its folder. */
  readonly name: string
  readonly localnetPort: number
  /** Milliseconds from block to block; at once unless told. */
  readonly blockMs?: number
  /** Absent: no gateway. */
  readonly gatewayPort?: number
  readonly providers?: number
  /** A jetton of the network that is taken beside TON, and that this client pays in. */
  readonly asset?: string
  /** Told the moments of each job, in every role. */
  readonly trace?: Trace
  /** Wraps each provider's backend, for measurements. */
  readonly wrapBackend?: (backend: Backend) => Backend
  /** Told what has come up, for progress. */
  readonly onStep?: (step: string) => void
}

export interface DevMarket {
  readonly localnet: Localnet
  readonly scheduler: RunningScheduler
  readonly providers: readonly RunningProvider[]
  readonly market: Market
  readonly gateway?: Gateway
  readonly apiKey: Secret<string>
  readonly network: NetworkConfig
  readonly upMs: number
  /** Claims every voucher on chain and adds everything up. */
  settle(): Promise<Settlement>
  stop(): Promise<void>
}

/** Brings the market up; resolves when every provider is listed and the client is connected. */
export async function startDev(options: DevOptions): Promise<DevMarket> {
  const { home, name, onStep = () => {} } = options
  const clock = createClock()
  const startedMs = clock.monotonicMs()
  const closers: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const logger = createLogger({ file: join(home, name, 'localnet', 'log.ndjson') })
    const { localnetPort: port, blockMs } = options
    const localnet = await startLocalnet({ clock, logger, port, blockMs })
    closers.push(() => localnet.stop())
    onStep(`localnet    ${localnet.url} (network ${localnet.networkId})`)
    const file = networkFile(home, name)
    const bare = localnetConfig(localnet, name)
    await writeNetwork(file, bare)
    const network = await deployLocally({ home, network: bare, file, clock })
    onStep(`registry    ${network.registry} (owned by timelock and multisig)`)

    const place = { home, file, log: 'file' as const, trace: options.trace }
    const assets = [...new Set(['ton', options.asset ?? 'ton'])]
    const scheduler = await runScheduler({
      ...place,
      network,
      assets,
      role: 'scheduler',
      port: 0,
      fee: FEE,
      strategy: 'exact',
      salt: 0,
      queueLimit: LIMITS.queuedJobs,
    })
    closers.push(() => scheduler.role.stop())
    onStep(`scheduler   ${scheduler.ports.transport.addresses()[0]}`)

    const providers = await startProviders(options, scheduler.network, { ...place, assets })
    for (const each of providers) closers.push(() => each.role.stop())
    await untilListed(clock, providers)
    for (const each of providers) {
      const { identity, tier } = each.role.status()
      onStep(`provider    ${identity.slice(0, 16)}… (${DEV_MODEL}, demo model, tier ${tier})`)
    }

    const market = await openMarket(options)
    closers.push(() => market.close())
    onStep('client      connected, channel open')
    const apiKey = await gatewayKey(home, name)
    const gateway = await openGateway(options, market, apiKey, logger)
    if (gateway) closers.push(() => gateway.stop())
    return {
      localnet,
      scheduler,
      providers,
      market,
      gateway,
      apiKey,
      network,
      upMs: Math.round(clock.monotonicMs() - startedMs),
      settle: () => settleMarket({ localnet, scheduler, providers, market }),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function openMarket({ home, name, asset, trace }: DevOptions): Promise<Market> {
  return connect({
    network: await readNetwork(name, home),
    home,
    // Not the `client` of the command: `chrysalis run` beside this market needs that store.
    profile: 'gateway',
    asset,
    ports: { trace },
  })
}

/** The plain form of a job's result for `--json`. */
export function jobSummary(result: JobResult, model: string): object {
  const { id, text, usage, timings } = result
  return {
    id,
    model,
    text,
    usage,
    ttftMs: Math.round(timings.ttftMs ?? timings.totalMs),
    totalMs: Math.round(timings.totalMs),
  }
}

function startProviders(
  { providers = 2, wrapBackend = (backend) => backend }: DevOptions,
  network: NetworkConfig,
  place: { home: string; file: string; log: 'file'; trace?: Trace; assets: readonly string[] },
): Promise<RunningProvider[]> {
  const start = (at: number) =>
    runProvider({
      ...place,
      network,
      role: `provider-${at + 1}`,
      tick: TICKS[at % TICKS.length]!,
      tier: 'open',
      compute: 'cpu',
      region: 'local',
      gpu: 'cpu',
      memoryGiB: 1,
      backend: async ({ clock, logger }) =>
        wrapBackend(await startEmbedded({ ...TINY_CHAT, places: PLACES, clock, logger })),
    })
  return Promise.all(Array.from({ length: providers }, (_, at) => start(at)))
}

async function untilListed(
  clock: ReturnType<typeof createClock>,
  providers: readonly RunningProvider[],
): Promise<void> {
  const listed = () =>
    providers.every(({ role }) => {
      const { schedulers, slots } = role.status()
      return schedulers.every((each) => each.listed.length === slots.length)
    })
  const untilMs = clock.monotonicMs() + LIMITS.chainFinalMs
  while (!listed() && clock.monotonicMs() < untilMs) await clock.sleep(20)
}

async function openGateway(
  options: DevOptions,
  market: Market,
  apiKey: Secret<string>,
  logger: Logger,
): Promise<Gateway | undefined> {
  const port = options.gatewayPort
  if (port === undefined) return undefined
  return startGateway({ market, clock: createClock(), logger, port, apiKey })
}
