/**
 * `chrysalis market`: the market at a glance: parameters, members, models; `--chain` sums what the
 * contracts hold.
 * @module
 */
import type { Command } from 'commander'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb, table } from './output.ts'

interface MarketOptions extends CommonOptions {
  readonly chain?: boolean
}

export function register(command: Command): void {
  command
    .option('--chain', 'from the contracts alone: members, channels, cases, rulers, solvency')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis market\n  chrysalis market --chain\n' +
        '  chrysalis market --chain --json\n\n' +
        'With --chain no scheduler is asked: every figure is a contract’s own, summed here.\n' +
        'Channels are those that members’ wallets lately dealt with, cases those that the\n' +
        'registry and accused members did. Each asset has its own sums.\n',
    )
    .action((options: MarketOptions) =>
      runVerb(options, () => (options.chain ? onChain(options) : onOffer(options))),
    )
  addCommon(command)
}

/** What schedulers offer, beside what the registry lists. */
async function onOffer(options: MarketOptions): Promise<void> {
  const { chain, network, home, clock } = await look(options)
  const { connect } = await import('../../client/index.ts')
  const { openDirectory } = await import('../../node/chain/directory.ts')
  const { silentLogger } = await import('../../node/system/logger.ts')
  const { formatTon } = await import('../../contracts/base/units.ts')
  const directory = await openDirectory({ network, chain, clock, logger: silentLogger })
  await using market = await connect({ network, home, openChannel: false })
  const [models, schedulers] = await Promise.all([market.models(), directory.schedulers()])
  const parameters = directory.current()
  directory.stop()
  const value = {
    network: network.name,
    parametersVersion: parameters.version,
    schedulers: schedulers.map(({ identity }) => identity),
    models: models.map((each) => ({ ...each, listed: parameters.models.has(each.model) })),
  }
  const rows = value.models.map((each) => [
    each.model,
    `${each.lowestTick}`,
    formatTon(each.price),
    `${each.places}`,
    `${each.providers}`,
    each.tiers.join(' '),
    each.listed ? 'listed' : '',
  ])
  printResult(options, value, [
    `network     ${network.name}, parameters version ${parameters.version}`,
    ...value.schedulers.map((each) => `scheduler   ${each}`),
    ...table(['model', 'tick', 'TON/M', 'places', 'providers', 'tiers', 'registry'], rows),
  ])
}

/** What the contracts hold. */
async function onChain(options: MarketOptions): Promise<void> {
  const { chain, network } = await look(options)
  const { printChain } = await import('./marketChain.ts')
  await printChain(options, network, chain)
}

async function look(options: MarketOptions) {
  const { homeFolder, readNetwork } = await import('../../node/system/home.ts')
  const { createClock } = await import('../../node/system/clock.ts')
  const { openNetworkChain } = await import('../../node/chain/networkChain.ts')
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  const clock = createClock()
  const chain = await openNetworkChain({ network, clock, env: process.env })
  return { home, network, clock, chain }
}
