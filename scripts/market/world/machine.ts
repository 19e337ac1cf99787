/**
 * One simulated machine of the world: the ports that a role is started with, and its crash.
 *
 * A machine has one disk, one set of keys and one address; each start is a process on it. A crash
 * ends the process between two tasks: its timers never fire again, its connections break without a
 * goodbye, its disk keeps what was committed, and the chain hears nothing more from it.
 * @module
 */
import { concat, utf8 } from '../../../contracts/base/bytes.ts'
import type {
  Chain,
  Clock,
  Kem,
  Logger,
  Random,
  Store,
  Transport,
  Wallet,
} from '../../../contracts/base/ports.ts'
import { secret } from '../../../contracts/base/secret.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { nativeKem } from '../../../contracts/seal/kem.ts'
import { seededKem } from '../../../contracts/seal/kemSeeded.ts'
import { createWallet } from '../../../node/chain/wallet.ts'
import type { SimulatedNetwork } from '../../../node/net/simulatedNetwork.ts'
import { createSimulatedDisk, createSimulatedStore } from '../../../node/store/simulatedStore.ts'
import { sleepOn } from '../../../node/system/clock.ts'
import type { Keystore } from '../../../node/system/keystore.ts'
import type { SeededRandom } from '../../../node/system/seededRandom.ts'

/** Everything that any role takes through ports. */
export interface MachinePorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly store: Store
  readonly keystore: Keystore
  readonly chain: Chain
  readonly wallet: Wallet
  readonly transport: Transport
  readonly kem: Kem
}

export interface Machine {
  readonly name: string
  readonly keystore: Keystore
  /** Ports of a new process; the one before must have ended or crashed. */
  boot(): MachinePorts
  /** The process is gone at once; a group of writes on its way is lost or kept. */
  crash(inFlight: 'lost' | 'kept'): void
  /** A process that has stopped by itself: whatever timers it left never fire. */
  off(): void
  /** Writes begun so far: a crash right after one finds it on its way to the disk. */
  writes(): number
}

/** What all machines of a world share. */
export interface MachineNeeds {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly network: SimulatedNetwork
  readonly chain: Chain
  readonly logger: Logger
  /** Sees every store as it is opened: the auditor looks on from here. */
  readonly watch: (machine: string, store: Store) => Store
  /** Told of each connection that ends under a running process. */
  readonly onLost: (machine: string) => void
}

/** Time from a write to the disk: longer than many a message takes, so that haste is caught. */
export const COMMIT_MS = 15

/** A machine that has not been started. `freshPeer`: each start has an address of its own. */
export function createMachine(
  needs: MachineNeeds,
  name: string,
  options: { freshPeer?: boolean } = {},
): Machine {
  const random = needs.random.fork(`machine/${name}`)
  const disk = createSimulatedDisk({ clock: needs.clock, commitLatencyMs: COMMIT_MS })
  const keystore = seededKeystore(random.fork('keys').bytes(32))
  let boots = 0
  let writes = 0
  let power: Power | undefined
  let peer: string | undefined

  return {
    name,
    keystore,
    boot() {
      const own = random.fork(`boot/${boots++}`)
      power = powered(needs.clock)
      const { clock } = power
      const chain = reached(needs.chain, power)
      const seed = options.freshPeer ? own.bytes(32) : keystore.secret('peer').reveal()
      const transport = needs.network.transport(seed)
      peer = transport.peerId
      transport.onGone(() => needs.onLost(name))
      return {
        clock,
        random: own,
        logger: stamped(needs.logger.child({ machine: name }), clock),
        store: needs.watch(
          name,
          counted(createSimulatedStore(disk, { name }), () => writes++),
        ),
        keystore,
        chain,
        wallet: createWallet({ chain, key: keystore.key('wallet'), clock }),
        transport,
        kem: worldKem(own.fork('kem')),
      }
    },
    crash(inFlight) {
      power?.cut()
      if (peer) needs.network.crash(peer)
      disk.crash({ inFlight })
    },
    off: () => power?.cut(),
    writes: () => writes,
  }
}

function counted(store: Store, onWrite: () => void): Store {
  return {
    get: (table, key) => store.get(table, key),
    list: (table, options) => store.list(table, options),
    close: () => store.close(),
    write(changes) {
      onWrite()
      return store.write(changes)
    },
  }
}

/** Draws come from the seed; opening takes none, and the native form is forty times as fast. */
function worldKem(random: Random): Kem {
  const { generateKeyPair, encapsulate } = seededKem(random)
  return { generateKeyPair, encapsulate, decapsulate: nativeKem().decapsulate }
}

interface Power {
  readonly clock: Clock
  readonly on: () => boolean
  /** No timer of this process fires again. */
  cut(): void
}

function powered(world: Clock): Power {
  const cancels = new Set<() => void>()
  let on = true
  const after = (delayMs: number, task: () => void): (() => void) => {
    if (!on) return () => undefined
    const stop = world.after(delayMs, () => {
      cancels.delete(stop)
      task()
    })
    cancels.add(stop)
    return () => {
      cancels.delete(stop)
      stop()
    }
  }
  return {
    clock: {
      nowMs: () => world.nowMs(),
      monotonicMs: () => world.monotonicMs(),
      after,
      sleep: (delayMs, signal) => sleepOn(after, delayMs, signal),
    },
    on: () => on,
    cut() {
      on = false
      for (const stop of cancels) stop()
      cancels.clear()
    },
  }
}

/** The chain as a process reaches it: one that is gone asks nothing and is never answered. */
function reached(chain: Chain, power: Power): Chain {
  const alive = <T>(ask: () => Promise<T>): Promise<T> =>
    power.on() ? ask() : new Promise<T>(() => undefined)
  return {
    networkId: chain.networkId,
    now: (signal) => alive(() => chain.now(signal)),
    lastBlock: (signal) => alive(() => chain.lastBlock(signal)),
    block: (seqno, signal) => alive(() => chain.block(seqno, signal)),
    account: (address, signal) => alive(() => chain.account(address, signal)),
    getter: (address, method, args) => alive(() => chain.getter(address, method, args)),
    sendExternal: (to, body, init) => alive(() => chain.sendExternal(to, body, init)),
    transactions: (address, limit, beforeLt) =>
      alive(() => chain.transactions(address, limit, beforeLt)),
  }
}

/** Lines say when, in the world's time: a run by the same seed can be read line beside line. */
function stamped(logger: Logger, clock: Clock): Logger {
  const at = (facts: object) => ({ atMs: Math.round(clock.monotonicMs()), ...facts })
  return {
    debug: (facts, message) => logger.debug(at(facts), message),
    info: (facts, message) => logger.info(at(facts), message),
    warn: (facts, message) => logger.warn(at(facts), message),
    error: (facts, message) => logger.error(at(facts), message),
    child: (facts) => stamped(logger.child(facts), clock),
  }
}

/** Keys by purpose and label from one seed: worth nothing outside the simulation. */
function seededKeystore(seed: Uint8Array): Keystore {
  const derive: Keystore['secret'] = (purpose, label = '') =>
    secret(`${purpose} key`, sha256(concat(seed, utf8(`${purpose}\0${label}`))))
  return { secret: derive, key: (purpose, label) => signingKey(derive(purpose, label).reveal()) }
}
