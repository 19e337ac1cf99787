/**
 * `chrysalis models`: what is on offer, and at what price.
 * @module
 */
import type { Command } from 'commander'
import { formatTon } from '../../contracts/base/units.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb, table } from './output.ts'

export function register(command: Command): void {
  command
    .addHelpText('after', '\nExamples:\n  chrysalis models\n  chrysalis models --json\n')
    .action((options: CommonOptions) => runVerb(options, () => models(options)))
  addCommon(command)
}

async function models(options: CommonOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  const { network = 'localnet', home } = options
  await using market = await connect({ network, home, openChannel: false })
  const offered = await market.models()
  const rows = offered.map((each) => [
    each.model + (each.demo ? ' (demo)' : ''),
    `${formatTon(each.price)} TON`,
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
