/**
 * `chrysalis gateway start`: an OpenAI-compatible endpoint on this machine, served by the market.
 * @module
 */
import type { Command } from 'commander'
import { addCommon, portOption } from './options.ts'
import { type CommonOptions, printResult, runVerb, untilInterrupted } from './output.ts'

interface GatewayOptions extends CommonOptions {
  readonly port: number
}

export function register(gateway: Command): void {
  const start = gateway
    .command('start')
    .description('Start the gateway; prints the two lines to export. Runs until Ctrl-C.')
    .option('--port <n>', 'port on loopback; 0 for any', portOption, 10_000)
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis gateway start\n  chrysalis gateway start --port 0 --json\n',
    )
    .action((options: GatewayOptions) => runVerb(options, () => startIt(options)))
  addCommon(start)
}

async function startIt(options: GatewayOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  const { startGateway } = await import('../../client/gateway/gateway.ts')
  const { createClock } = await import('../../node/system/clock.ts')
  const { createLogger } = await import('../../node/system/logger.ts')
  const { homeFolder } = await import('../../node/system/home.ts')
  const { gatewayKey } = await import('../market/gatewayKey.ts')
  const home = options.home ?? homeFolder(process.env)
  const name = options.network ?? 'localnet'
  const market = await connect({ network: name, home, profile: 'gateway' })
  const apiKey = await gatewayKey(home, market.network.name)
  const logger = createLogger({ level: 'warn' })
  const clock = createClock()
  const gateway = await startGateway({ market, clock, logger, port: options.port, apiKey })
  // Shown on purpose: whoever started the gateway wants to use it.
  const shown = apiKey.reveal()
  printResult(options, { url: gateway.url, apiKey: shown }, [
    `export OPENAI_BASE_URL=${gateway.url}`,
    `export OPENAI_API_KEY=${shown}`,
  ])
  await untilInterrupted()
  await gateway.stop()
  await market.close()
}
