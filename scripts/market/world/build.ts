/**
 * Building a simulated world: clock, network, disks and chain by one seed, and the parties on them.
 * @module
 */
import type { Market } from '../../../client/types.ts'
import type { Clock, Logger } from '../../../contracts/base/ports.ts'
import { startSimulated } from '../../../node/backends/simulated.ts'
import { createSimulatedChain, type SimulatedChain } from '../../../node/chain/simulated.ts'
import { peerIdOf } from '../../../node/net/peerId.ts'
import { createSimulatedNetwork } from '../../../node/net/simulatedNetwork.ts'
import type { Provider } from '../../../node/provider/provider.ts'
import type { Scheduler } from '../../../node/scheduler/scheduler.ts'
import { createSeededRandom, type SeededRandom } from '../../../node/system/seededRandom.ts'
import { type Auditor, createAuditor } from './audit.ts'
import { createMachine, type Machine } from './machine.ts'
import {
  backendFault,
  clientParty,
  identityOf,
  type Party,
  providerParty,
  schedulerParty,
  WORLD_NETWORK,
  WORLD_TICKS,
} from './parties.ts'
import { watchedBackend } from './watchedBackend.ts'
import { WORLD_MODEL } from './workload.ts'

const LATENCY_MS = [1, 40] as const
const BLOCK_MS = 1_000
/** External messages that vanish on the way to the chain, parts per 10,000. */
const CHAIN_DROPS = 200
const TOKEN_MS = 20
const PLACES = 4

/** A world whose parties have not been started. */
export interface World {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly network: ReturnType<typeof createSimulatedNetwork>
  readonly sim: SimulatedChain
  readonly auditor: Auditor
  readonly scheduler: Party<Scheduler>
  readonly providers: readonly Party<Provider>[]
  readonly client: Party<Market>
  /** Connections of the scheduler that ended while it ran. */
  lost(): number
}

/** Builds a world of `seed` on `clock`. */
export function createWorld(clock: Clock, seed: number, logger: Logger): World {
  const random = createSeededRandom(seed)
  const latencyMs = LATENCY_MS
  const network = createSimulatedNetwork({ clock, random: random.fork('network'), latencyMs })
  const faults = { random: random.fork('chain'), dropPer10k: CHAIN_DROPS, delayBlocks: 1 }
  const sim = createSimulatedChain({ clock, networkId: WORLD_NETWORK, blockMs: BLOCK_MS, faults })
  const auditor = createAuditor()
  let lost = 0
  const needs = {
    clock,
    random,
    network,
    chain: sim.chain(),
    logger,
    watch: auditor.watch,
    onLost: (machine: string) => {
      if (machine === 'scheduler') lost++
    },
  }
  const machine = createMachine(needs, 'scheduler')
  const address = network.transport(machine.keystore.secret('peer').reveal()).addresses()
  const scheduler = { identity: identityOf(machine.keystore), addresses: address }
  const providers = WORLD_TICKS.map((tick, at) => {
    const name = `provider-${at + 1}`
    const faultsOf = random.fork(`backend/${at}`)
    const models = [{ id: WORLD_MODEL, places: PLACES }]
    const settings = { models, seed: at, tokenMs: TOKEN_MS, fault: () => backendFault(faultsOf) }
    return providerParty(createMachine(needs, name), {
      tick,
      scheduler,
      backend: (own, store) =>
        watchedBackend(startSimulated({ ...settings, clock: own }), { store, tick, name }, auditor),
    })
  })
  const client = clientParty(createMachine(needs, 'client', { freshPeer: true }), {
    scheduler,
    providers: providers.map((each) => each.machine),
  })
  const party = schedulerParty(machine, seed)
  return {
    clock,
    random,
    network,
    sim,
    auditor,
    scheduler: party,
    providers,
    client,
    lost: () => lost,
  }
}

/** The peer id of a machine that keeps its address. */
export function peerOf({ keystore }: Machine): string {
  return peerIdOf(keystore.key('peer').publicKey)
}
