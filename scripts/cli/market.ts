/**
 * `chrysalis market`: the market at a glance: parameters, members, models; `--chain` sums what the
 * contracts hold.
 * @module
 */
import type { Command } from 'commander'
import type { KindSums } from '../../node/audit/chainMarket.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb, table } from './output.ts'

interface MarketOptions extends CommonOptions {
  readonly chain?: boolean
}

export function register(command: Command): void {
  command
    .option('--chain', 'from the contracts alone: members, stakes, channels, parameters, solvency')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis market\n  chrysalis market --chain\n' +
        '  chrysalis market --chain --json\n\n' +
        'With --chain no scheduler is asked: every figure is a contract’s own, summed here.\n' +
        'Channels are those that members’ wallets lately dealt with.\n',
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

async function onChain(options: MarketOptions): Promise<void> {
  const { chain, network } = await look(options)
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { sumMarket } = await import('../../node/audit/chainMarket.ts')
  const { registryOf } = await import('../../node/chain/directory.ts')
  const { parametersJson } = await import('../deploy/parametersFile.ts')
  const { formatTon } = await import('../../contracts/base/units.ts')
  if (network.registry === undefined) {
    throw new MarketError('no-registry', { network: network.name })
  }
  const sums = await sumMarket(chain, registryOf(network.registry))
  const { kinds, channels, devices, parameters, registry, solvency } = sums
  const paused = registry.pausedUntilS > sums.atS
  const value = {
    network: network.name,
    registry: network.registry,
    registration: paused ? 'paused' : 'open',
    parameters: parametersJson(parameters),
    kinds,
    devices,
    channels,
    solvency,
  }
  printResult(options, value, [
    `registry    ${network.registry}, registration ${value.registration}`,
    `parameters  version ${parameters.version}, ${parameters.models.size} models, ` +
      `${parameters.measurements.list.length} measurements, ${parameters.assets.size} assets`,
    ...table(
      ['members', 'enrolled', 'live', 'staked', 'unbonding', 'frozen', 'slashed', 'withdrawn'],
      Object.entries(kinds).map(([kind, each]) => row(kind, each, formatTon)),
    ),
    `devices     ${devices} distinct`,
    `channels    ${channels.found} found: ${channels.open} open, ${channels.closing} closing, ` +
      `${channels.closed} closed`,
    `deposits    ${formatTon(channels.deposited)} TON, claimed ${formatTon(channels.claimed)}, ` +
      `locked ${formatTon(channels.locked)}`,
    `solvent     ${solvencyLine(Object.values(kinds), channels.insolvent)}`,
  ])
}

function row(kind: string, sums: KindSums, ton: (nano: bigint) => string): string[] {
  const { enrolled, live, staked, unbonding, frozen, slashed, withdrawn } = sums
  return [
    ...[kind, `${enrolled}`, `${live}`],
    ...[staked, unbonding, frozen, slashed, withdrawn].map(ton),
  ]
}

function solvencyLine(kinds: readonly KindSums[], channels: readonly string[]): string {
  const insolvent = [...kinds.flatMap((each) => each.insolvent), ...channels]
  return insolvent.length === 0
    ? 'every contract covers what it owes'
    : `NOT: ${insolvent.join(' ')}`
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
