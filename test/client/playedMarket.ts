/**
 * A market for client tests: real client, real accounts, seal and records; one played peer
 * (`playedJob.ts`), honest by default. Clock, network, disk and chain are the simulated ones.
 * @module
 */
import { type ConnectOptions, connect } from '../../client/client.ts'
import type { Market } from '../../client/types.ts'
import { type Bytes, toHex } from '../../contracts/base/bytes.ts'
import type { Store } from '../../contracts/base/ports.ts'
import { secret } from '../../contracts/base/secret.ts'
import { signingKey } from '../../contracts/base/signing.ts'
import { DEFAULT_PARAMETERS } from '../../contracts/money/price.ts'
import { seededKem } from '../../contracts/seal/kemSeeded.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import { walletAddress } from '../../contracts/wrappers/wallet.ts'
import { listedDirectory } from '../../node/chain/listedDirectory.ts'
import { createSimulatedChain } from '../../node/chain/simulated.ts'
import { answerHello, signBinding } from '../../node/net/hello.ts'
import { createSimulatedNetwork } from '../../node/net/simulatedNetwork.ts'
import { openPayeeBook, type PayeeAccount } from '../../node/settlement/payeeBook.ts'
import { createSimulatedDisk, createSimulatedStore } from '../../node/store/simulatedStore.ts'
import { keystoreOf } from '../../node/system/keystore.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { createSeededRandom } from '../../node/system/seededRandom.ts'
import { createSimulatedClock } from '../../node/system/simulatedClock.ts'
import { FEE, listModels, NETWORK_ID, playJob, type Script } from './playedJob.ts'
import { BLOCK_MS } from './playedPlacement.ts'

const START_MS = 1_795_000_000_000
const CLOSE_DELAY_S = 86_400

/** Starts the played market. `seed` is all its randomness. */
export async function playMarket(seed: string, script: Script = {}) {
  const random = createSeededRandom(seed)
  const clock = createSimulatedClock({ startMs: START_MS })
  const net = createSimulatedNetwork({ clock, random: random.fork('net'), latencyMs: 5 })
  const disk = createSimulatedDisk({ clock })
  const ton = createSimulatedChain({ clock, networkId: NETWORK_ID, blockMs: BLOCK_MS })
  const keys = {
    identity: signingKey(random.bytes(32)),
    wallet: signingKey(random.bytes(32)),
    peerSeed: random.bytes(32),
    provider: signingKey(random.bytes(32)),
    /** Serves where the first is excluded. */
    spare: signingKey(random.bytes(32)),
  }
  const transport = net.transport(keys.peerSeed)
  const served = {
    jobs: 0,
    requests: [] as string[],
    heard: [] as Bytes[][],
    accounts: [] as PayeeAccount[],
    placedMs: [] as number[],
    abortedMs: [] as number[],
  }
  const live = { script }
  const book = await openPayeeBook(
    {
      transport,
      store: createSimulatedStore(disk, { name: 'scheduler' }),
      chain: ton.chain(),
      clock,
      logger: silentLogger,
    },
    {
      networkId: NETWORK_ID,
      identity: keys.identity,
      payee: walletAddress(keys.wallet.publicKey),
      minCloseDelayS: CLOSE_DELAY_S,
      countersigned: () => true,
      onLive: (account) => void served.accounts.push(account),
    },
  )
  const hello = {
    networkId: NETWORK_ID,
    role: 'scheduler' as const,
    binding: signBinding({
      networkId: NETWORK_ID,
      role: 'scheduler',
      wallet: keys.wallet,
      peer: signingKey(keys.peerSeed),
      identity: keys.identity,
      expiryS: START_MS / 1_000 + 30 * 86_400,
    }),
    terms: {
      fee: FEE,
      strategy: 'exact',
      parameterVersion: DEFAULT_PARAMETERS.version,
      minCloseDelayS: CLOSE_DELAY_S,
    },
  }
  const kem = seededKem(random.fork('provider kem'))
  const peer = { clock, kem, keys, book, served, live, hangUp: transport.hangUp.bind(transport) }
  await transport.handle(
    PROTOCOLS.hello,
    async (raw) => void (await answerHello(clock, raw, hello)),
  )
  await transport.handle(PROTOCOLS.account, (raw) => book.serve(raw))
  await transport.handle(PROTOCOLS.offer, (raw) => listModels(raw, peer))
  await transport.handle(PROTOCOLS.job, (raw) => playJob(raw, peer))

  const network = {
    id: NETWORK_ID,
    name: 'played',
    toncenter: 'http://127.0.0.1:1',
    schedulers: [
      { identity: toHex(keys.identity.publicKey), addresses: [...transport.addresses()] },
    ],
    providers: [keys.provider, keys.spare].map(({ publicKey }) => toHex(publicKey)),
    development: true,
  }
  const root = random.bytes(32)
  let clients = 0
  const stores = new Map<string, Store>()
  /** Connects a client; `profile` names its disk: a second call is the same client again. */
  const client = async (options: Partial<ConnectOptions> = {}): Promise<Market> => {
    const keystore = keystoreOf(secret('root key', root))
    const wallet = ton.wallet(keystore.key('wallet'))
    if (clients++ === 0) ton.faucet(wallet.address, 10_000_000_000n)
    const name = `client ${options.profile ?? ''}`
    await stores.get(name)?.close()
    const store = createSimulatedStore(disk, { name })
    stores.set(name, store)
    const connecting = connect({
      network,
      ...options,
      ports: {
        clock,
        random: random.fork(`client ${clients}`),
        logger: silentLogger,
        transport: net.transport(random.bytes(32)),
        chain: ton.chain(),
        wallet,
        store,
        kem: seededKem(random.fork(`kem ${clients}`)),
        keystore,
        directory: listedDirectory(typeof options.network === 'object' ? options.network : network),
        ...options.ports,
      },
    })
    return clock.settle(connecting, 600_000)
  }
  return { clock, net, ton, disk, network, keys, served, live, client, peerId: transport.peerId }
}
