/**
 * The directory of a network with a registry: its parameters, followed while a node runs, and its
 * members, looked up on the chain.
 *
 * The registry's state is read again every `LIMITS.directoryPollMs`; a change of version brings the
 * new parameters and tells who listens. Members are read when somebody asks and remembered a
 * little. Everything an item says is its owner's word: the registry proves who owns it, what is
 * staked and that it was seen (contracts/tolk/README.md, "Listing without a list").
 * @module
 */
import type { Address, Cell } from '@ton/core'
import { type Bytes, equal, toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { MarketParameters } from '../../contracts/base/marketParameters.ts'
import type { NetworkConfig, SchedulerAddress } from '../../contracts/base/network.ts'
import type { Chain, Clock, Directory, Logger } from '../../contracts/base/ports.ts'
import {
  type ItemKind,
  isLive,
  itemAddress,
  readItem,
} from '../../contracts/wrappers/bondedItem.ts'
import { readProviderProfile } from '../../contracts/wrappers/Provider.ts'
import {
  type RegistryView,
  readItemCode,
  readParameters,
  readRegistry,
} from '../../contracts/wrappers/registryView.ts'
import { readSchedulerProfile } from '../../contracts/wrappers/Scheduler.ts'
import { listItems } from './itemList.ts'
import { remembered } from './remembered.ts'

export interface RegistryDirectoryDeps {
  readonly network: NetworkConfig
  readonly registry: Address
  readonly chain: Chain
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Reads a registry and begins to follow it. Throws `chain-unavailable`, `no-registry` where there
 * is none at the address, `wrong-network` where it is another network's.
 *
 * @example
 * const directory = await registryDirectory({ network, registry, chain, clock, logger })
 * directory.current().version // 1
 */
export async function registryDirectory(deps: RegistryDirectoryDeps): Promise<Directory> {
  const directory = new RegistryDirectory(deps, await readState(deps))
  directory.follow()
  return directory
}

interface State {
  readonly view: RegistryView
  readonly parameters: MarketParameters
  readonly nowS: number
}

async function readState({ chain, registry, network }: RegistryDirectoryDeps): Promise<State> {
  const { status } = await chain.account(registry)
  if (status !== 'active') {
    throw new MarketError('no-registry', { registry: registry.toString(), status })
  }
  const [view, nowS] = await Promise.all([readRegistry(chain, registry), chain.now()])
  if (view.network !== network.id) {
    throw new MarketError('wrong-network', { expected: network.id, actual: view.network })
  }
  const parameters = await readParameters(chain, registry, view.parametersVersion)
  if (!parameters) throw new MarketError('bad-frame', { record: 'registry' })
  return { view, parameters, nowS }
}

class RegistryDirectory implements Directory {
  readonly registry: Address
  private readonly deps: RegistryDirectoryDeps
  private readonly listeners = new Set<(parameters: MarketParameters) => void>()
  private readonly stopping = new AbortController()
  /** Versions read so far, the one in force and those before it. */
  private readonly versions = new Map<number, MarketParameters>()
  private readonly firstCodes = new Map<ItemKind, Promise<Cell>>()
  private readonly providers: (key: string, read: () => Promise<boolean>) => Promise<boolean>
  private readonly listed: (
    key: string,
    read: () => Promise<readonly SchedulerAddress[]>,
  ) => Promise<readonly SchedulerAddress[]>
  private state: State
  private reading: Promise<void> | undefined

  constructor(deps: RegistryDirectoryDeps, state: State) {
    const { clock, registry } = deps
    this.deps = deps
    this.registry = registry
    this.state = state
    this.versions.set(state.parameters.version, state.parameters)
    this.providers = remembered(clock, {
      ms: LIMITS.directoryMemberMs,
      most: LIMITS.directoryMembers,
      keep: (isMember) => isMember, // whoever is no member yet may become one
    })
    this.listed = remembered(clock, { ms: LIMITS.directoryPollMs, most: 1 })
  }

  current(): MarketParameters {
    return this.state.parameters
  }

  /** A version is replaced in the second in which the next one came into force. */
  async version(version: number): Promise<MarketParameters | undefined> {
    const current = this.state.parameters.version
    if (version === current) return this.state.parameters
    if (version > current) {
      await this.refresh()
      return version === this.state.parameters.version ? this.state.parameters : undefined
    }
    const [asked, next] = await Promise.all([this.read(version), this.read(version + 1)])
    const nowS = await this.deps.chain.now()
    return next && nowS < next.sinceS + LIMITS.parameterGraceS ? asked : undefined
  }

  onChange(listener: (parameters: MarketParameters) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  async schedulers(signal?: AbortSignal): Promise<readonly SchedulerAddress[]> {
    const named = this.deps.network.schedulers
    const known = new Set(named.map(({ identity }) => identity))
    const listed = await this.listed('schedulers', () => this.readSchedulers(signal)).catch(
      (thrown: unknown) => {
        if (named.length === 0) throw thrown
        return []
      },
    )
    return [...named, ...listed.filter(({ identity }) => !known.has(identity))]
  }

  isProvider(identity: Bytes, owner: Address | undefined, signal?: AbortSignal): Promise<boolean> {
    if (!owner) return Promise.resolve(false)
    const key = `${toHex(identity)} ${owner.toRawString()}`
    return this.providers(key, () => this.readProvider(identity, owner, signal))
  }

  stop(): void {
    this.stopping.abort(new MarketError('aborted'))
    this.listeners.clear()
  }

  follow(): void {
    const { clock, logger } = this.deps
    const { signal } = this.stopping
    const loop = async () => {
      while (!signal.aborted) {
        await clock.sleep(LIMITS.directoryPollMs, signal)
        await this.refresh().catch((thrown: unknown) => {
          logger.debug({ code: asMarketError(thrown).code }, 'registry not read')
        })
      }
    }
    loop().catch(() => undefined) // the sleep was aborted: nobody follows any more
  }

  /** Reads the registry again; those who ask at the same time share the answer. */
  private refresh(): Promise<void> {
    this.reading ??= this.readAgain().finally(() => {
      this.reading = undefined
    })
    return this.reading
  }

  private async readAgain(): Promise<void> {
    const { chain, registry, logger } = this.deps
    const [view, nowS] = await Promise.all([readRegistry(chain, registry), chain.now()])
    const before = this.state.parameters.version
    // Never back: a server that lags behind shows what was, not what is.
    if (view.parametersVersion <= before) {
      if (view.parametersVersion === before) this.state = { ...this.state, view, nowS }
      return
    }
    const parameters = await this.read(view.parametersVersion)
    if (!parameters) return
    this.state = { view, parameters, nowS }
    logger.info({ version: parameters.version, before }, 'the market’s parameters have changed')
    for (const listener of this.listeners) listener(parameters)
  }

  private async read(version: number): Promise<MarketParameters | undefined> {
    const known = this.versions.get(version)
    if (known || version < 1) return known
    const parameters = await readParameters(this.deps.chain, this.registry, version)
    if (!parameters) return undefined
    this.versions.set(version, parameters)
    for (const old of this.versions.keys()) {
      if (this.versions.size > LIMITS.parameterVersions) this.versions.delete(old)
    }
    return parameters
  }

  private async readSchedulers(signal?: AbortSignal): Promise<SchedulerAddress[]> {
    const { chain, logger } = this.deps
    const { kinds } = await readRegistry(chain, this.registry)
    const { parameters } = this.state
    const nowS = await chain.now(signal)
    const found: SchedulerAddress[] = []
    for await (const { address, item } of listItems(chain, kinds.scheduler.last, signal)) {
      if (!isLive(item, parameters.stakes.scheduler, nowS)) continue
      try {
        const { identity, addresses } = await readSchedulerProfile(chain, address)
        if (addresses.length > 0) found.push({ identity: toHex(identity), addresses })
      } catch (thrown) {
        logger.debug({ code: asMarketError(thrown).code }, 'a scheduler’s item cannot be read')
      }
      if (found.length >= LIMITS.listedSchedulers) break
    }
    return found
  }

  private async readProvider(
    identity: Bytes,
    owner: Address,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { chain } = this.deps
    const address = itemAddress(await this.firstCode('provider'), {
      kind: 'provider',
      registry: this.registry,
      owner,
    })
    const { status } = await chain.account(address, signal)
    if (status !== 'active') return false
    const [item, nowS] = await Promise.all([readItem(chain, address), chain.now(signal)])
    if (!isLive(item, this.state.parameters.stakes.provider, nowS)) return false
    return equal((await readProviderProfile(chain, address)).identity, identity)
  }

  /** The registry's own word for it: a newer build of this software has newer code. */
  private firstCode(kind: ItemKind): Promise<Cell> {
    const known = this.firstCodes.get(kind)
    if (known) return known
    const asked = readItemCode(this.deps.chain, this.registry, kind, 'first')
    this.firstCodes.set(kind, asked)
    asked.catch(() => this.firstCodes.delete(kind))
    return asked
  }
}
