/**
 * A TON network on this machine: the real transaction emulator behind toncenter's HTTP API v2.
 *
 * The composition root of this room. What runs here is real contract code in the real TVM at real
 * prices; what is simulated is consensus (one writer makes blocks) and money (a faucet mints it).
 * @module
 */
import {
  CHAIN_PRICES,
  type ChainPricesName,
  DEFAULT_CHAIN_PRICES,
} from '../../contracts/base/chainPrices.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import { createHttpServer } from '../http/server.ts'
import { createControls, createViews } from './control.ts'
import { loadEmulator } from './emulator.ts'
import { createLedger } from './ledger.ts'
import { addRoutes, controlShape } from './routes.ts'
import { toncenterMethods } from './toncenter.ts'
import { createWriter } from './writer.ts'

/** The network id of a localnet unless told otherwise: neither mainnet (-239) nor testnet (-3). */
export const LOCALNET_ID = -18081
const LOCALNET_PORT = 18081

const MAINNET_ID = -239
const TESTNET_ID = -3

export interface LocalnetOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** 18081 unless told; 0 takes any. */
  readonly port?: number
  readonly networkId?: number
  /** Table of gas, forwarding and rent; mainnet's of August 2026 unless told. */
  readonly prices?: ChainPricesName
}

export interface Localnet {
  /** `http://127.0.0.1:PORT`: `/control/...` is here. */
  readonly url: string
  /** What a `TonClient` takes as its endpoint. */
  readonly endpoint: string
  readonly networkId: number
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
  const { clock, logger, port = LOCALNET_PORT, networkId = LOCALNET_ID } = options
  const isId = Number.isInteger(networkId) && networkId === (networkId | 0)
  if (!isId || networkId === MAINNET_ID || networkId === TESTNET_ID) {
    throw new MarketError('bad-config', { field: 'networkId', networkId })
  }
  const writer = createWriter()
  let stopped = false
  const settleLater = () => {
    if (!stopped) clock.after(0, () => void writer.run(settle).catch(reportFault(logger)))
  }
  const ledger = createLedger({
    ...(await loadEmulator(networkId, CHAIN_PRICES[options.prices ?? DEFAULT_CHAIN_PRICES])),
    networkId,
    clock,
    logger,
    onWaiting: settleLater,
  })
  const settle = () => ledger.settle()
  const server = await createHttpServer({
    clock,
    logger,
    shape: controlShape,
    localPages: true,
  })
  addRoutes(server.app, {
    methods: toncenterMethods(ledger, networkId),
    controls: createControls(ledger),
    views: createViews(ledger, networkId),
    writer,
  })
  const { url } = await server.listen(port)
  logger.info({ url, networkId }, 'localnet is up')
  const stop = async () => {
    stopped = true
    await server.stop()
  }
  return { url, endpoint: `${url}/api/v2/jsonRPC`, networkId, stop }
}

function reportFault(logger: Logger): (thrown: unknown) => void {
  return (thrown) => logger.error({ error: asMarketError(thrown).report() }, 'block failed')
}
