/**
 * `chrysalis status`: what is running on this network: chain, schedulers, models, and their health.
 * @module
 */
import type { Command } from 'commander'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'

export function register(command: Command): void {
  command
    .addHelpText('after', '\nExamples:\n  chrysalis status\n  chrysalis status --json\n')
    .action((options: CommonOptions) => runVerb(options, () => status(options)))
  addCommon(command)
}

async function status(options: CommonOptions): Promise<void> {
  const { homeFolder, readNetwork } = await import('../../node/system/home.ts')
  const { createClock } = await import('../../node/system/clock.ts')
  const { connectChain } = await import('../../node/chain/tonClient.ts')
  const { connect } = await import('../../client/index.ts')
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  const clock = createClock()
  const { id, toncenter, schedulers, providers = [] } = network
  const chain = await connectChain({ endpoint: toncenter, networkId: id, clock })
  const { atS } = await chain.lastBlock()
  await using market = await connect({ network, home, openChannel: false })
  const models = await market.models()
  const value = {
    network: { id, name: network.name, development: network.development },
    chain: { toncenter, lastBlockAgeS: Math.max(0, Math.floor(clock.nowMs() / 1000) - atS) },
    schedulers: schedulers.map((each) => each.identity),
    providers,
    models: models.map(({ model, places, providers: count }) => ({
      model,
      places,
      providers: count,
    })),
  }
  printResult(options, value, [
    `network    ${network.name} (${id})${network.development ? ', for development' : ''}`,
    `chain      ${toncenter}, last block ${value.chain.lastBlockAgeS} s ago`,
    ...schedulers.map((each) => `scheduler  ${each.identity} reachable`),
    ...providers.map((each) => `accepted   ${each}`),
    ...models.map(
      (each) => `model      ${each.model}: ${each.places} places, ${each.providers} providers`,
    ),
  ])
}
