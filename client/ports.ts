/**
 * The real adapters of a client, each loaded only when it is needed.
 *
 * A simulated world hands in its own ports and loads none of these. The client never listens: it
 * dials out under a fresh peer id, so that two connections cannot be told to be the same client's
 * but by their channel.
 * @module
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MarketError } from '../contracts/base/errors.ts'
import type { NetworkConfig } from '../contracts/base/network.ts'
import type {
  Chain,
  Clock,
  Directory,
  Kem,
  Logger,
  Random,
  Store,
  Trace,
  Transport,
  Wallet,
} from '../contracts/base/ports.ts'
import type { Keystore } from '../node/system/keystore.ts'

/** Every port of a client. */
export interface ClientPorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly transport: Transport
  readonly chain: Chain
  readonly directory: Directory
  readonly wallet: Wallet
  readonly store: Store
  readonly kem: Kem
  readonly keystore: Keystore
  readonly trace?: Trace
}

/** Ports, and how to close those that were made here. */
export interface OpenPorts {
  readonly ports: ClientPorts
  release(): Promise<void>
}

/** Fills in what `given` lacks. `folder` is the client's own folder of this network. */
export async function openPorts(
  given: Partial<ClientPorts>,
  network: NetworkConfig,
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<OpenPorts> {
  const closers: (() => Promise<void>)[] = []
  const release = async () => {
    for (const close of closers.reverse()) await close()
  }
  try {
    const clock = given.clock ?? (await import('../node/system/clock.ts')).createClock()
    const random = given.random ?? (await import('../node/system/random.ts')).createRandom()
    const logger = given.logger ?? (await import('../node/system/logger.ts')).silentLogger
    const kem = given.kem ?? (await import('../contracts/seal/kem.ts')).nativeKem()
    const store = given.store ?? (await openStore(folder))
    if (!given.store) closers.push(() => store.close())
    const keystore = given.keystore ?? (await openKeys(network, folder, random, env))
    const chain = given.chain ?? (await openChain(network, clock, random, env))
    const directory = given.directory ?? (await openDirectory(network, chain, clock, logger))
    if (!given.directory) closers.push(async () => directory.stop())
    const wallet = given.wallet ?? (await openWallet(chain, keystore, clock))
    const transport = given.transport ?? (await openTransport(clock, random, logger))
    if (!given.transport) closers.push(() => transport.stop())
    const { trace } = given
    return {
      ports: {
        ...{ clock, random, logger, kem, store, keystore, chain, directory, wallet, transport },
        trace,
      },
      release,
    }
  } catch (error) {
    await release()
    throw error
  }
}

/**
 * Asks the network's faucet for coins where the wallet holds less than `needed`. Does nothing on a
 * network without one. Throws `unreachable` where the faucet does not answer.
 */
export async function fundFromFaucet(
  network: NetworkConfig,
  { chain, wallet, clock }: Pick<ClientPorts, 'chain' | 'wallet' | 'clock'>,
  needed: bigint,
): Promise<void> {
  const { faucet } = network
  const enough = needed + FAUCET_SPARE
  const { balance } = await chain.account(wallet.address)
  if (!faucet || balance >= enough) return
  const amount = (enough * 2n - balance).toString()
  try {
    const response = await fetch(faucet, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ address: wallet.address.toString(), amount }),
      redirect: 'error',
      signal: AbortSignal.timeout(FAUCET_MS),
    })
    if (!response.ok) throw new MarketError('unreachable', { faucet, status: response.status })
  } catch (cause) {
    if (cause instanceof MarketError) throw cause
    throw new MarketError('unreachable', { faucet }, { cause })
  }
  for (let tries = 0; tries < FAUCET_TRIES; tries++) {
    if ((await chain.account(wallet.address)).balance >= enough) return
    await clock.sleep(FAUCET_POLL_MS)
  }
}

/** Room for reserve and fees of a channel, and for the wallet's own. */
const FAUCET_SPARE = 500_000_000n
const FAUCET_MS = 10_000
const FAUCET_TRIES = 40
const FAUCET_POLL_MS = 250

async function openStore(folder: string): Promise<Store> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { openSqliteStore } = await import('../node/store/sqliteStore.ts')
  return openSqliteStore(join(folder, 'store.db'))
}

async function openKeys(
  network: NetworkConfig,
  folder: string,
  random: Random,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Keystore> {
  const { openKeystore } = await import('../node/system/keystore.ts')
  const { findPassphrase } = await import('../node/system/passphrase.ts')
  const generated = network.development ? join(folder, 'passphrase') : undefined
  const passphrase = await findPassphrase({ env, random, generated })
  return openKeystore({ path: join(folder, 'keys.json'), passphrase, random, create: true })
}

async function openChain(
  network: NetworkConfig,
  clock: Clock,
  random: Random,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Chain> {
  const { openNetworkChain } = await import('../node/chain/networkChain.ts')
  return openNetworkChain({ network, clock, random, env })
}

async function openDirectory(
  network: NetworkConfig,
  chain: Chain,
  clock: Clock,
  logger: Logger,
): Promise<Directory> {
  const { openDirectory: open } = await import('../node/chain/directory.ts')
  return open({ network, chain, clock, logger })
}

async function openWallet(chain: Chain, keystore: Keystore, clock: Clock): Promise<Wallet> {
  const { createWallet } = await import('../node/chain/wallet.ts')
  return createWallet({ chain, key: keystore.key('wallet'), clock })
}

async function openTransport(clock: Clock, random: Random, logger: Logger): Promise<Transport> {
  const { createLibp2pTransport } = await import('../node/net/libp2pTransport.ts')
  return createLibp2pTransport({ seed: random.bytes(32), listen: [], clock, logger })
}
