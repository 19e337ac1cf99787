/**
 * The parties of a simulated world: one scheduler, two providers, one client, each a machine that
 * runs the real role, can crash, and is started again from its disk.
 * @module
 */
import { connect } from '../../../client/client.ts'
import type { Market } from '../../../client/types.ts'
import { toHex } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { NetworkConfig } from '../../../contracts/base/network.ts'
import type { Clock, Store } from '../../../contracts/base/ports.ts'
import type { NanoTon } from '../../../contracts/base/units.ts'
import { TON } from '../../../contracts/base/units.ts'
import type { Backend } from '../../../node/backends/backend.ts'
import { listedDirectory } from '../../../node/chain/listedDirectory.ts'
import {
  type Provider,
  type ProviderDeps,
  type ProviderOptions,
  startProvider,
} from '../../../node/provider/provider.ts'
import { type Scheduler, startScheduler } from '../../../node/scheduler/scheduler.ts'
import type { SeededRandom } from '../../../node/system/seededRandom.ts'
import type { Machine } from './machine.ts'

/** The network id of simulated worlds: neither mainnet, testnet nor a localnet. */
export const WORLD_NETWORK = -77
/** It has no registry: the simulated chain runs channels and wallets, no other contract. */
const WORLD: NetworkConfig = {
  id: WORLD_NETWORK,
  name: 'simulated',
  toncenter: 'http://simulated.invalid/',
  schedulers: [],
  development: true,
}
/** Parts per 10,000. */
export const WORLD_FEE = 300
/** Deposit of every channel: small against prices, so that exposure limits are felt. */
export const DEPOSIT: NanoTon = (TON * 6n) / 10n
/** The two providers' prices: high ones, so that a few hundred jobs move real sums. */
export const WORLD_TICKS = [84, 86] as const

/** A party and its process, where one runs. */
export interface Party<Role> {
  readonly machine: Machine
  role(): Role | undefined
  /** The disk of the running process. */
  store(): Store | undefined
  start(): Promise<Role>
  /** Stops in order, as a person would stop it. */
  stop(): Promise<void>
  crash(inFlight: 'lost' | 'kept'): void
}

/** A scheduler whose queue holds `queueLimit` jobs. */
export function schedulerParty(
  machine: Machine,
  seed: number,
  queueLimit: number = LIMITS.queuedJobs,
): Party<Scheduler> {
  const { keystore } = machine
  return party(machine, async (ports) => {
    const role = await startScheduler(
      { ...ports, directory: listedDirectory(WORLD) },
      {
        networkId: WORLD_NETWORK,
        keys: {
          identity: keystore.key('identity'),
          peer: keystore.key('peer'),
          wallet: keystore.key('wallet'),
          voucherKey: (nonce) => keystore.key('voucher', nonce),
        },
        fee: WORLD_FEE,
        strategy: 'exact',
        salt: seed >>> 0,
        seed: seed >>> 0,
        queueLimit,
        // Until its receipt comes, a whole job is money at stake on this leg.
        providerDepositNano: 2n * DEPOSIT,
        closeDelayS: LIMITS.closeDelayS,
      },
    )
    return { role, stop: () => role.stop() }
  })
}

const SIMULATED: NonNullable<Parameters<typeof providerParty>[1]['proving']> = {
  tier: 'simulated',
  compute: 'cpu',
}

/** A provider of the scheduler at `scheduler`. Each start gets a backend of its own. */
export function providerParty(
  machine: Machine,
  settings: {
    readonly tick: number
    readonly scheduler: { readonly identity: string; readonly addresses: readonly string[] }
    readonly backend: (clock: Clock, store: Store) => Backend
    /** Another tier than `simulated`, and who proves it. */
    readonly proving?: Pick<ProviderOptions, 'tier' | 'compute'> &
      Pick<ProviderDeps, 'collect' | 'unsafeVerifiers'>
  },
): Party<Provider> {
  const { keystore } = machine
  const { tier, compute, collect, unsafeVerifiers } = settings.proving ?? SIMULATED
  return party(machine, async (ports) => {
    const backend = settings.backend(ports.clock, ports.store)
    const role = await startProvider(
      { ...ports, backend, directory: listedDirectory(WORLD), ...{ collect, unsafeVerifiers } },
      {
        networkId: WORLD_NETWORK,
        keys: {
          identity: keystore.key('identity'),
          peer: keystore.key('peer'),
          wallet: keystore.key('wallet'),
          device: keystore.key('identity', 'simulated device'),
        },
        schedulers: [settings.scheduler],
        tick: settings.tick,
        tier,
        compute,
        region: 'nowhere',
        gpu: 'simulated',
        memoryGiB: 24,
        minCloseDelayS: LIMITS.closeDelayS,
      },
    )
    return { role, stop: () => role.stop() }
  })
}

/** A client of the scheduler at `scheduler`. */
export function clientParty(
  machine: Machine,
  settings: {
    readonly scheduler: { readonly identity: string; readonly addresses: readonly string[] }
    readonly providers: readonly Machine[]
  },
): Party<Market> {
  return party(machine, async (ports) => {
    const network = {
      ...WORLD,
      schedulers: [settings.scheduler],
      providers: settings.providers.map(({ keystore }) => identityOf(keystore)),
    }
    const role = await connect({
      network,
      deposit: DEPOSIT,
      policy: { maxTick: 95 },
      // Every port is given: one that is loaded meanwhile would take time that no seed decides.
      ports: { ...ports, directory: listedDirectory(network) },
      env: {},
      home: '/nowhere',
    })
    const stop = async () => {
      await role.close()
      await ports.transport.stop()
      await ports.store.close()
    }
    return { role, stop }
  })
}

/** Identity of a machine's role, hex. */
export function identityOf(keystore: Machine['keystore']): string {
  return toHex(keystore.key('identity').publicKey)
}

/** Whether a fault of the backend strikes a run, by seed. */
export function backendFault(random: SeededRandom) {
  const drawn = random.float()
  if (drawn < 0.03) return { dieAfter: 0 } // before content: the job fails over
  if (drawn < 0.05) return { dieAfter: 1 + random.int(20) } // in the middle of an answer
  if (drawn < 0.08) return { slowdown: 1 + random.int(8) }
  return undefined
}

type Ports = ReturnType<Machine['boot']>

function party<Role>(
  machine: Machine,
  begin: (ports: Ports) => Promise<{ role: Role; stop(): Promise<void> }>,
): Party<Role> {
  let current: { role: Role; stop(): Promise<void> } | undefined
  let ports: Ports | undefined
  return {
    machine,
    role: () => current?.role,
    store: () => ports?.store,
    async start() {
      ports = machine.boot()
      const booted = ports
      const begun = await begin(booted)
      if (ports === booted) current = begun
      return begun.role
    },
    async stop() {
      const stopping = current
      current = undefined
      await stopping?.stop()
      ports = undefined
      machine.off()
    },
    crash(inFlight) {
      current = undefined
      ports = undefined
      machine.crash(inFlight)
    },
  }
}
