/**
 * `chrysalis scheduler start`: match jobs to providers, forward what cannot be read, keep accounts.
 * @module
 */
import type { Command } from 'commander'
import { namesIn } from './money.ts'
import { addCommon, integerOption, portOption } from './options.ts'
import { type CommonOptions, printResult, runVerb, say, untilInterrupted } from './output.ts'
import { addRoleExit } from './roleExit.ts'
import { addRoleStatus } from './roleStatus.ts'
import { addRoleUpgrade } from './roleUpgrade.ts'

interface SchedulerOptions extends CommonOptions {
  readonly port: number
  readonly statusPort: number
  readonly fee: number
  readonly salt: number
  readonly strategy: string
  readonly queueLimit: number
  readonly affinityBonus: number
  readonly asset: string
}

export function register(scheduler: Command): void {
  const start = scheduler
    .command('start')
    .description('Start a scheduler; runs until Ctrl-C, then claims what it holds.')
    .option('--port <n>', 'TCP port for clients and providers; 0 for any', portOption, 0)
    .option(
      '--status-port <n>',
      'HTTP port of dashboard, status and metrics; 0 for any',
      portOption,
      18_080,
    )
    .option('--fee <n>', 'on top of the provider’s price, parts per 10,000', integerOption, 300)
    .option('--strategy <name>', 'exact, p2c, cocoon or reserve', 'exact')
    .option('--salt <n>', 'mixed into ties, so that schedulers do not herd', integerOption, 0)
    .option('--queue-limit <n>', 'jobs that may wait', integerOption, 10_000)
    .option(
      '--affinity-bonus <n>',
      'what a remembered prompt prefix takes off a score, millionths of a nanoTON a tag',
      integerOption,
      0,
    )
    .option('--asset <names>', 'what to take, like ton,usdt-test; TON is always taken', 'ton')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis scheduler start\n' +
        '  chrysalis scheduler start --asset usdt-test\n' +
        '  chrysalis scheduler start --fee 100 --strategy p2c\n',
    )
    .action((options: SchedulerOptions) => runVerb(options, () => startScheduler(options)))
  addCommon(start)
  addRoleStatus(scheduler, 'scheduler', 18_080)
  addRoleExit(scheduler, 'scheduler')
  addRoleUpgrade(scheduler, 'scheduler')
}

async function startScheduler(options: SchedulerOptions): Promise<void> {
  const { homeFolder, networkFile, readNetwork } = await import('../../node/system/home.ts')
  const { STRATEGIES } = await import('../../node/matching/events.ts')
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { runScheduler } = await import('../market/roles.ts')
  const { serveSchedulerStatus } = await import('../market/statusServer.ts')
  const strategy = STRATEGIES.find((each) => each === options.strategy)
  if (!strategy) {
    throw new MarketError('bad-input', { field: 'strategy', expected: STRATEGIES.join(', ') })
  }
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  const file = networkFile(home, network.name)
  const { port, fee, salt, queueLimit, affinityBonus } = options
  const place = { home, network, file, role: 'scheduler', log: 'stderr' as const }
  const running = await runScheduler({
    ...place,
    port,
    fee,
    strategy,
    salt,
    queueLimit,
    affinityBonus,
    assets: namesIn(options.asset),
  })
  const { role, ports } = running
  const { clock, logger, chain } = ports
  const statusPlace = { clock, logger, chain, network, port: options.statusPort }
  const status = await serveSchedulerStatus(statusPlace, role.status)
  const { identity, addresses } = role.status()
  printResult(options, { identity, addresses, status: status.url }, [
    `scheduler  ${identity}`,
    ...addresses.map((address) => `address    ${address}`),
    `dashboard  ${status.url}`,
    `status     ${status.url}/status, ${status.url}/metrics`,
  ])
  await untilInterrupted()
  say('Claiming what clients have signed, then stopping.')
  await role.settle()
  await status.stop()
  await role.stop()
}
