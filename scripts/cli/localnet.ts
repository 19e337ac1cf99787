/**
 * `chrysalis localnet start`: a TON network on this machine, for other roles to use.
 * @module
 */
import { type Command, Option } from 'commander'
import {
  CHAIN_PRICES,
  type ChainPricesName,
  DEFAULT_CHAIN_PRICES,
} from '../../contracts/base/chainPrices.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import { integerOption, portOption } from './options.ts'
import { type CommonOptions, printResult, runVerb, say, untilInterrupted } from './output.ts'

interface LocalnetOptions extends CommonOptions {
  readonly port: number
  readonly name: string
  readonly blockMs: number
  readonly data?: string
  readonly memory?: boolean
  readonly reset?: boolean
  readonly bare?: boolean
  readonly prices?: ChainPricesName
  readonly seed?: number
}

export function register(localnet: Command): void {
  localnet
    .command('start')
    .description('Start the localnet, or go on with it, and write its network.json; until Ctrl-C.')
    .option('--port <n>', 'HTTP port on loopback; 0 for any', portOption, 18_081)
    .option('--name <name>', 'name of the network, and of its folder', 'localnet')
    .option('--block-ms <n>', 'milliseconds from block to block; 0 for at once', integerOption, 400)
    .option('--data <folder>', 'where the network lives (default: its folder under home)')
    .option('--memory', 'keep nothing: the network goes with the process')
    .option('--bare', 'an empty network: do not deploy the market’s registry')
    .option('--reset', 'begin anew: forget the network that is there')
    .addOption(
      new Option('--prices <table>', 'of a new network: prices of gas, forwarding and rent')
        .choices(Object.keys(CHAIN_PRICES))
        .default(undefined, DEFAULT_CHAIN_PRICES),
    )
    .option('--seed <n>', 'of a new network: decides block hashes and randomness', integerOption)
    .option('--home <folder>', 'where network.json is (default: $CHRYSALIS_HOME, else XDG)')
    .option('--json', 'print one JSON object when it is up')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis localnet start\n  chrysalis localnet start --port 0 --json\n' +
        '  chrysalis localnet start --memory --block-ms 0\n' +
        '  curl -H content-type:application/json \\\n' +
        '    -d \'{"address":"ADDRESS","amount":"1000000000"}\' \\\n' +
        '    http://127.0.0.1:18081/control/faucet\n',
    )
    .action((options: LocalnetOptions) => runVerb(options, () => start(options)))
}

async function start(options: LocalnetOptions): Promise<void> {
  const { createClock } = await import('../../node/system/clock.ts')
  const { createLogger } = await import('../../node/system/logger.ts')
  const { homeFolder, networkFile, readNetwork, roleFolder } = await import(
    '../../node/system/home.ts'
  )
  const { startLocalnet } = await import('../../node/localnet/localnet.ts')
  const { localnetConfig, writeNetwork } = await import('../market/networkFile.ts')
  const home = options.home ?? homeFolder(process.env)
  const logger = createLogger({ level: 'warn' })
  const { port, name, blockMs, reset, prices, seed } = options
  const folder = options.memory ? undefined : (options.data ?? roleFolder(home, name, 'localnet'))
  const network = { folder, reset, prices, seed }
  const localnet = await startLocalnet({ clock: createClock(), logger, port, blockMs, ...network })
  const file = networkFile(home, options.name)
  // A network that goes on keeps its registry and whom it knows.
  const known = localnet.isNew ? {} : await readNetwork(file, home).catch(() => ({}))
  await writeNetwork(file, { ...localnetConfig(localnet, name), ...known, ...addresses(localnet) })
  const { registry } = options.bare
    ? await readNetwork(file, home)
    : await instituted(home, await readNetwork(file, home), file)
  const { url, endpoint, networkId } = localnet
  const facts = {
    url,
    toncenter: endpoint,
    networkId,
    networkFile: file,
    blockMs,
    data: folder,
    registry,
  }
  printResult(options, facts, [
    `localnet   ${url}`,
    `toncenter  ${endpoint}`,
    `network    ${networkId}`,
    `registry   ${registry ?? 'none: chrysalis deploy makes one'}`,
    `file       ${file}`,
    `data       ${folder ?? 'in memory'}`,
    `blocks     ${blockMs === 0 ? 'at once' : `every ${blockMs} ms`}`,
  ])
  say(
    folder === undefined
      ? 'Ctrl-C stops it; its coins go with it.'
      : 'Ctrl-C stops it; the next start goes on from here. --reset begins anew.',
  )
  await untilInterrupted()
  await localnet.stop()
}

/** The network with its registry on chain: deployed, or found where it stands. */
async function instituted(home: string, network: NetworkConfig, file: string) {
  const { createClock } = await import('../../node/system/clock.ts')
  const { deployLocally } = await import('../market/institution.ts')
  return deployLocally({ home, network, file, clock: createClock() })
}

/** What another port changes of a network. */
function addresses({ url, endpoint }: { url: string; endpoint: string }) {
  return { toncenter: endpoint, faucet: `${url}/control/faucet` }
}
