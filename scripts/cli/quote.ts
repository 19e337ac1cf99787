/**
 * `chrysalis quote "PROMPT"`: what a job would cost, before anything is spent.
 * @module
 */
import type { Command } from 'commander'
import type { Quote } from '../../client/types.ts'
import { formatTon } from '../../contracts/base/units.ts'
import { type AssetOptions, addAsset, amountIn } from './money.ts'
import { addCommon, integerOption } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'
import { chooseModel, readInput } from './prompt.ts'

interface QuoteOptions extends CommonOptions, AssetOptions {
  readonly model?: string
  readonly maxTokens: number
  readonly maxTick?: number
}

export function register(command: Command): void {
  command
    .argument('<prompt>', 'what to ask; "-" reads standard input')
    .option('--model <id>', 'model to ask; by default the only one, or the cheapest')
    .option('--max-tokens <n>', 'most tokens to answer', integerOption, 200)
    .option('--max-tick <n>', 'highest price tick (0 to 95) to accept', integerOption)
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis quote "What is the capital of Peru?"\n' +
        '  chrysalis quote - --max-tokens 2000 --json < prompt.txt\n\n' +
        'Nothing is sent but the question for the list of models: not the prompt, no money.\n',
    )
    .action((prompt: string, options: QuoteOptions) =>
      runVerb(options, () => quoteIt(prompt, options)),
    )
  addCommon(addAsset(command))
}

async function quoteIt(prompt: string, options: QuoteOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  const { home, maxTokens, maxTick, asset } = options
  const network = options.network ?? 'localnet'
  await using market = await connect({ network, home, asset, openChannel: false })
  const content = prompt === '-' ? await readInput() : prompt
  const model = options.model ?? (await chooseModel(market))
  const messages = [{ role: 'user' as const, content }]
  const quote = await market.quote({ model, messages, maxTokens, maxTick })
  printResult(options, { quote }, linesOf(quote, amountIn(market.asset)))
}

function linesOf(quote: Quote, money: (amount: bigint) => string): string[] {
  const { openChannel, closeChannel, perJob } = quote.chainFees
  const ton = (amountNano: bigint) => `${formatTon(amountNano)} TON`
  return [
    `model       ${quote.model}`,
    `counted     up to ${quote.promptTokens} prompt tokens, ${quote.maxTokens} to answer`,
    `price       ${money(quote.price)} per million tokens ` +
      `(tick ${quote.tick}, the lowest on offer)`,
    `likely      at most ${money(quote.likely)} at that price`,
    `worst case  ${money(quote.worstCase)} (tick ${quote.maxTick}), ` +
      `the fee of ${money(quote.fee)} included`,
    `chain       ${ton(perJob)} for the job; at most ${ton(openChannel)} to open a channel,`,
    `            ${ton(closeChannel)} to close it, of which the unused part comes back`,
    `lock        a deposit can take up to ${quote.longestLockS / 3600} hours to come back`,
  ]
}
