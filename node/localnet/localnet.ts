/**
 * A TON network on this machine: the real transaction emulator behind toncenter's HTTP API v2.
 *
 * The composition root of this room. What runs here is real contract code in the real TVM at real
 * prices; what is simulated is consensus (one writer makes blocks) and money (a faucet mints it).
 * @module
 */

import { join } from 'node:path'
import { CHAIN_PRICES, type ChainPricesName } from '../../contracts/base/chainPrices.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import { createHttpServer } from '../http/server.ts'
import { type Identity, identify, isBlank } from './books.ts'
import { createControls, createViews } from './control.ts'
import { type Database, eraseDatabase, openDatabase } from './database.ts'
import { loadEmulator } from './emulator.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { createProducer } from './producer.ts'
import { addRoutes, controlShape } from './routes.ts'
import { toncenterMethods } from './toncenter.ts'
import { createWriter } from './writer.ts'

const LOCALNET_PORT = 18081

/** The database in a network's folder. */
const FILE = 'localnet.sqlite'

const MAINNET_ID = -239
const TESTNET_ID = -3

export { LOCALNET_ID } from './books.ts'

export interface LocalnetOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** 18081 unless told; 0 takes any. */
  readonly port?: number
  readonly networkId?: number
  /** Milliseconds from block to block. 0, unless told: a message makes its block at once. */
  readonly blockMs?: number
  /** Folder in which the network lives; without one it lives in memory, and goes with it. */
  readonly folder?: string
  /** Begins anew, whatever the folder holds. */
  readonly reset?: boolean
  /** Of a new network: table of gas, forwarding and rent; mainnet's of August 2026 unless told. */
  readonly prices?: ChainPricesName
  /** Of a new network: decides the randomness that contracts get, and with it block hashes. */
  readonly seed?: number
}

export interface Localnet {
  /** `http://127.0.0.1:PORT`: `/control/...` is here. */
  readonly url: string
  /** What a `TonClient` takes as its endpoint. */
  readonly endpoint: string
  readonly networkId: number
  /** False where an earlier start's network goes on. */
  readonly isNew: boolean
  stop(): Promise<void>
}

/**
 * Starts a localnet on loopback. Throws `port-in-use`, `bad-config`.
 *
 * @example
 * const localnet = await startLocalnet({ clock, logger, port: 0 })
 * const client = new TonClient({ endpoint: localnet.endpoint })
 */
export async function startLocalnet(options: LocalnetOptions): Promise<Localnet> {
  const { clock, logger, port = LOCALNET_PORT, blockMs = 0 } = options
  if (!Number.isInteger(blockMs) || blockMs < 0 || blockMs > LIMITS.localnetBlockMs) {
    throw new MarketError('bad-config', { field: 'blockMs', most: LIMITS.localnetBlockMs })
  }
  const { database, identity, isNew } = openFolder(options)
  const writer = createWriter()
  let ledger: Ledger | undefined
  const producer = createProducer({ ledger: () => ledger, writer, clock, logger })
  try {
    const { networkId } = identity
    const emulator = await loadEmulator(networkId, CHAIN_PRICES[identity.prices])
    const onDue = () => producer.arm()
    ledger = createLedger({ ...emulator, database, identity, blockMs, clock, logger, onDue })
    producer.arm()
    const server = await createHttpServer({ clock, logger, shape: controlShape, localPages: true })
    addRoutes(server.app, {
      methods: toncenterMethods(ledger, networkId),
      controls: createControls(ledger, writer),
      views: createViews(ledger, networkId),
      writer,
    })
    const { url } = await server.listen(port)
    logger.info({ url, networkId, blockMs, transactions: ledger.transactions }, 'localnet is up')
    const stop = async () => {
      producer.stop()
      await server.stop()
      await writer.run(() => database.close())
    }
    return { url, endpoint: `${url}/api/v2/jsonRPC`, networkId, isNew, stop }
  } catch (fault) {
    producer.stop()
    database.close()
    throw fault
  }
}

interface Opened {
  readonly database: Database
  readonly identity: Identity
  readonly isNew: boolean
}

/** The database of a folder, or one in memory, and what network it is. */
function openFolder(options: LocalnetOptions): Opened {
  const { networkId, prices, seed, folder, reset } = options
  const isId = networkId === undefined || networkId === (networkId | 0)
  if (!isId || networkId === MAINNET_ID || networkId === TESTNET_ID) {
    throw new MarketError('bad-config', { field: 'networkId', networkId })
  }
  if (seed !== undefined && !Number.isSafeInteger(seed)) {
    throw new MarketError('bad-config', { field: 'seed', expected: 'an integer' })
  }
  const file = folder === undefined ? undefined : join(folder, FILE)
  const database = openDatabase(file)
  try {
    if (reset) eraseDatabase(database)
    const isNew = isBlank(database)
    return { database, isNew, identity: identify(database, { networkId, prices, seed }) }
  } catch (fault) {
    database.close()
    throw fault
  }
}
