/**
 * `chrysalis models`: what is on offer, and at what price.
 * @module
 */
import type { Command } from 'commander'
import { type AssetOptions, addAsset, amountIn } from './money.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb, table } from './output.ts'

interface ModelsOptions extends CommonOptions, AssetOptions {}

export function register(command: Command): void {
  command
    .addHelpText('after', '\nExamples:\n  chrysalis models\n  chrysalis models --json\n')
    .action((options: ModelsOptions) => runVerb(options, () => models(options)))
  addCommon(addAsset(command))
}

async function models(options: ModelsOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  const { network = 'localnet', home, asset } = options
  await using market = await connect({ network, home, asset, openChannel: false })
  const money = amountIn(market.asset)
  const offered = await market.models()
  const rows = offered.map((each) => [
    each.model + (each.demo ? ' (demo)' : ''),
    money(each.price),
    String(each.lowestTick),
    String(each.places),
    String(each.providers),
    each.tiers.join(', '),
    String(each.contextTokens),
  ])
  const head = [
    'MODEL',
    'PER MILLION TOKENS',
    'TICK',
    'PLACES',
    'PROVIDERS',
    'CLAIMED TIERS',
    'CONTEXT',
  ]
  printResult(options, { models: offered }, table(head, rows))
}
