/**
 * `chrysalis run "PROMPT"`: one job; streams the answer, then price, provider, tier, receipt.
 * @module
 */
import type { Command } from 'commander'
import type { JobRequest, JobResult } from '../../client/types.ts'
import { type AssetOptions, addAsset, amountIn } from './money.ts'
import { addCommon, integerOption, tierOption } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'
import { chooseModel, readInput } from './prompt.ts'

interface RunOptions extends CommonOptions, AssetOptions {
  readonly model?: string
  readonly system?: string
  readonly maxTokens: number
  readonly maxTick?: number
  readonly minTier?: JobRequest['minTier']
  readonly temperature?: number
  readonly seed?: number
  readonly resume?: boolean
}

export function register(command: Command): void {
  command
    .argument('<prompt>', 'what to ask; "-" reads standard input')
    .option('--model <id>', 'model to ask; by default the only one, or the cheapest')
    .option('--system <text>', 'system message before the prompt')
    .option('--max-tokens <n>', 'most tokens to answer', integerOption, 200)
    .option('--max-tick <n>', 'highest price tick (0 to 95) to accept', integerOption)
    .option('--min-tier <tier>', 'least trust tier to accept', tierOption)
    .option('--temperature <t>', 'sampling temperature, 0 to 2', Number)
    .option('--seed <n>', 'sampling seed', integerOption)
    .option('--resume', 'continue on another provider if one is lost in the middle')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis run "What is the capital of Peru?"\n' +
        '  chrysalis run "Tell me a story about a fox and a lantern." --json\n' +
        '  echo "What is 7 times 8?" | chrysalis run - --max-tick 40\n' +
        '  chrysalis run "What is 7 times 8?" --asset usdt-test\n',
    )
    .action((prompt: string, options: RunOptions) => runVerb(options, () => run(prompt, options)))
  addCommon(addAsset(command))
}

async function run(prompt: string, options: RunOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  const { network = 'localnet', home, asset } = options
  await using market = await connect({ network, home, asset })
  const text = prompt === '-' ? await readInput() : prompt
  const model = options.model ?? (await chooseModel(market))
  const system = options.system ? [{ role: 'system' as const, content: options.system }] : []
  const { maxTokens, maxTick, minTier, temperature, seed, resume } = options
  const messages = [...system, { role: 'user' as const, content: text }]
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const job = market.submit({
    model,
    messages,
    maxTokens,
    maxTick,
    minTier,
    temperature,
    seed,
    resume,
    signal: stop.signal,
  })
  for await (const piece of job) {
    if (!options.json) process.stdout.write(piece.text)
  }
  const result = await job.result()
  if (!options.json) process.stdout.write('\n')
  printResult(options, { job: jobJson(result, model) }, describe(result, amountIn(market.asset)))
}

function jobJson(result: JobResult, model: string): object {
  const { id, text, usage, billed, cost, fee, provider, tier, receiptHash, verified } = result
  const { attempts, finishReason, timings, asset } = result
  return {
    id,
    model,
    text,
    finishReason,
    usage,
    billed,
    asset,
    cost,
    fee,
    provider,
    tier,
    tierMeaning: result.tierMeaning,
    evidence: result.evidence,
    demo: result.demo,
    receipt: receiptHash,
    verified,
    attempts,
    timings,
  }
}

function describe(result: JobResult, money: (amount: bigint) => string): string[] {
  const { usage, cost, fee, provider, tier, tierMeaning, receiptHash, verified } = result
  const seconds = (result.timings.totalMs / 1000).toFixed(2)
  return [
    '',
    `  cost      ${money(cost + fee)} (${money(fee)} of it the scheduler's fee)`,
    `  tokens    ${usage.prompt} prompt, ${usage.completion} completion, in ${seconds} s`,
    `  provider  ${provider}`,
    `  tier      ${tier}: ${tierMeaning}`,
    ...(result.demo ? ['  model     a demo model: its answers may be wrong'] : []),
    `  receipt   ${receiptHash} (${verified ? 'verified' : 'NOT verified'})`,
  ]
}
