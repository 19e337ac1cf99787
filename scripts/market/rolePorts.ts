/**
 * The real ports of a serving role on this machine: keys, store, chain, wallet and libp2p, each in
 * the role's own folder below the home.
 * @module
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type {
  Chain,
  Clock,
  Directory,
  Logger,
  Random,
  Store,
  Trace,
  Transport,
  Wallet,
} from '../../contracts/base/ports.ts'
import { openDirectory } from '../../node/chain/directory.ts'
import { openNetworkChain } from '../../node/chain/networkChain.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { createLibp2pTransport } from '../../node/net/libp2pTransport.ts'
import { openSqliteStore } from '../../node/store/sqliteStore.ts'
import { createClock } from '../../node/system/clock.ts'
import { roleFolder } from '../../node/system/home.ts'
import { type Keystore, openKeystore } from '../../node/system/keystore.ts'
import { createLogger } from '../../node/system/logger.ts'
import { findPassphrase } from '../../node/system/passphrase.ts'
import { createRandom } from '../../node/system/random.ts'

export interface RolePorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly store: Store
  readonly keystore: Keystore
  readonly chain: Chain
  readonly directory: Directory
  readonly wallet: Wallet
  readonly transport: Transport
  readonly trace?: Trace
}

export interface RolePlace {
  readonly home: string
  readonly network: NetworkConfig
  /** Folder of the role below the network's: `scheduler`, `provider-1`, .. */
  readonly role: string
  /** Multiaddrs to listen on; none for a node that only dials out. */
  readonly listen: readonly string[]
  /** Where log lines go: the role's own file, or stderr. */
  readonly log: 'file' | 'stderr'
  /** Told the moments of each job; for measurements. */
  readonly trace?: Trace
}

/** Opens the key file of a role, made at the first start. Throws `key-file`. */
export async function openRoleKeys(place: Omit<RolePlace, 'listen' | 'log'>): Promise<Keystore> {
  const folder = roleFolder(place.home, place.network.name, place.role)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const random = createRandom()
  const generated = place.network.development ? join(folder, 'passphrase') : undefined
  const passphrase = await findPassphrase({ env: process.env, random, generated })
  return openKeystore({ path: join(folder, 'keys.json'), passphrase, random, create: true })
}

/**
 * Opens everything a role needs. Throws `key-file`, `store-locked`, `chain-unavailable`,
 * `wrong-network`, `port-in-use`; what was opened before is closed again.
 */
export async function openRolePorts(place: RolePlace, keys?: Keystore): Promise<RolePorts> {
  const { home, network, role } = place
  const folder = roleFolder(home, network.name, role)
  const keystore = keys ?? (await openRoleKeys(place))
  const file = place.log === 'file' ? join(folder, 'log.ndjson') : undefined
  const logger = createLogger({ file, level: logLevel() }).child({ role })
  const clock = createClock()
  const store = openSqliteStore(join(folder, 'store.db'))
  try {
    const random = createRandom()
    const chain = await openNetworkChain({ network, clock, random, env: process.env })
    const directory = await openDirectory({ network, chain, clock, logger })
    const wallet = createWallet({ chain, key: keystore.key('wallet'), clock })
    const transport = await createLibp2pTransport({
      seed: keystore.secret('peer').reveal(),
      listen: [...place.listen],
      clock,
      logger,
    })
    const { trace } = place
    return {
      ...{ clock, random, logger, store, keystore, chain, directory, wallet, transport },
      trace,
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

function logLevel(): (typeof LEVELS)[number] {
  return LEVELS.find((level) => level === process.env.CHRYSALIS_LOG) ?? 'info'
}
