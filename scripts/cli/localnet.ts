/**
 * `chrysalis localnet start`: a TON network on this machine, for other roles to use.
 * @module
 */
import type { Command } from 'commander'
import { portOption } from './options.ts'
import { type CommonOptions, printResult, runVerb, say, untilInterrupted } from './output.ts'

interface LocalnetOptions extends CommonOptions {
  readonly port: number
  readonly name: string
}

export function register(localnet: Command): void {
  localnet
    .command('start')
    .description('Start the localnet and write its network.json; runs until Ctrl-C.')
    .option('--port <n>', 'HTTP port on loopback; 0 for any', portOption, 18_081)
    .option('--name <name>', 'name of the network, and of its folder', 'localnet')
    .option('--home <folder>', 'where network.json is (default: $CHRYSALIS_HOME, else XDG)')
    .option('--json', 'print one JSON object when it is up')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis localnet start\n  chrysalis localnet start --port 0 --json\n' +
        '  curl -H content-type:application/json \\\n' +
        '    -d \'{"address":"ADDRESS","amount":"1000000000"}\' \\\n' +
        '    http://127.0.0.1:18081/control/faucet\n',
    )
    .action((options: LocalnetOptions) => runVerb(options, () => start(options)))
}

async function start(options: LocalnetOptions): Promise<void> {
  const { createClock } = await import('../../node/system/clock.ts')
  const { createLogger } = await import('../../node/system/logger.ts')
  const { homeFolder, networkFile } = await import('../../node/system/home.ts')
  const { startLocalnet } = await import('../../node/localnet/localnet.ts')
  const { localnetConfig, writeNetwork } = await import('../market/networkFile.ts')
  const home = options.home ?? homeFolder(process.env)
  const logger = createLogger({ level: 'warn' })
  const localnet = await startLocalnet({ clock: createClock(), logger, port: options.port })
  const file = networkFile(home, options.name)
  await writeNetwork(file, localnetConfig(localnet, options.name))
  const { url, endpoint, networkId } = localnet
  printResult(options, { url, toncenter: endpoint, networkId, networkFile: file }, [
    `localnet   ${url}`,
    `toncenter  ${endpoint}`,
    `network    ${networkId}`,
    `file       ${file}`,
  ])
  say('Ctrl-C stops it; its coins go with it.')
  await untilInterrupted()
  await localnet.stop()
}
