/**
 * `chrysalis status`: what is running on this network: chain, schedulers, models, and their health.
 * @module
 */
import type { Command } from 'commander'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'

/** Members that are listed: the newest. */
const MOST_MEMBERS = 64

export function register(command: Command): void {
  command
    .addHelpText('after', '\nExamples:\n  chrysalis status\n  chrysalis status --json\n')
    .action((options: CommonOptions) => runVerb(options, () => status(options)))
  addCommon(command)
}

async function status(options: CommonOptions): Promise<void> {
  const { homeFolder, readNetwork } = await import('../../node/system/home.ts')
  const { createClock } = await import('../../node/system/clock.ts')
  const { openNetworkChain } = await import('../../node/chain/networkChain.ts')
  const { connect } = await import('../../client/index.ts')
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  const clock = createClock()
  const { id, toncenter } = network
  const chain = await openNetworkChain({ network, clock, env: process.env })
  const { atS } = await chain.lastBlock()
  const { openDirectory } = await import('../../node/chain/directory.ts')
  const { silentLogger } = await import('../../node/system/logger.ts')
  const directory = await openDirectory({ network, chain, clock, logger: silentLogger })
  const schedulers = await directory.schedulers()
  const { version: parameters, stakes } = directory.current()
  directory.stop()
  const providers = await members(network, chain, stakes.provider)
  await using market = await connect({ network, home, openChannel: false })
  const models = await market.models()
  const value = {
    network: { id, name: network.name, development: network.development },
    chain: { toncenter, lastBlockAgeS: Math.max(0, Math.floor(clock.nowMs() / 1000) - atS) },
    registry: network.registry,
    parametersVersion: parameters,
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
    `registry   ${network.registry ?? 'none'}, parameters version ${parameters}`,
    ...schedulers.map((each) => `scheduler  ${each.identity}`),
    ...providers.map((each) => `member     ${each}`),
    ...models.map(
      (each) => `model      ${each.model}: ${each.places} places, ${each.providers} providers`,
    ),
  ])
}

/** Identities of the newest live providers of the registry; those of network.json without one. */
async function members(
  { registry, providers = [] }: NetworkConfig,
  chain: Chain,
  leastStake: bigint,
): Promise<readonly string[]> {
  if (registry === undefined) return providers
  const { registryOf } = await import('../../node/chain/directory.ts')
  const { listItems } = await import('../../node/chain/itemList.ts')
  const { isLive } = await import('../../contracts/wrappers/bondedItem.ts')
  const { readProviderProfile } = await import('../../contracts/wrappers/Provider.ts')
  const { readRegistry } = await import('../../contracts/wrappers/registryView.ts')
  const { toHex } = await import('../../contracts/base/bytes.ts')
  const { kinds } = await readRegistry(chain, registryOf(registry))
  const nowS = await chain.now()
  const found: string[] = []
  for await (const { address, item } of listItems(chain, kinds.provider.last)) {
    if (!isLive(item, leastStake, nowS)) continue
    found.push(toHex((await readProviderProfile(chain, address)).identity))
    if (found.length >= MOST_MEMBERS) break
  }
  return found
}
