/**
 * `chrysalis audit model`: whether a model server serves the model it names, by probes against a
 * reference of one's own. What it runs is in `auditModel.ts`, loaded when it runs.
 * @module
 */
import { type Command, InvalidArgumentError } from 'commander'
import type { AuditModelOptions } from './auditModel.ts'
import { integerOption } from './options.ts'
import { runVerb } from './output.ts'

export function register(audit: Command): void {
  audit
    .command('model')
    .description('Compare a model server with a reference, by probes. Deterrence, not proof.')
    .requiredOption('--backend-url <url>', 'the OpenAI-compatible server under suspicion')
    .requiredOption('--model <id>', 'the model it claims to serve')
    .option('--reference-url <url>', 'your own server of that model; default: the demo engine')
    .option('--reference-model <id>', 'its name there; default: that of --model')
    .option('--prompts <file>', 'prompts of your own, one a line; default: made by seed')
    .option('--probes <n>', 'probes at most, 1 to 10,000', integerOption, 200)
    .option('--tolerance <x>', 'distance of log-probabilities that is harmless', toleranceOption)
    .option('--seed <n>', 'what the probes follow from; default: random', integerOption)
    .option('--json', 'print one JSON object instead of text')
    .addHelpText(
      'after',
      '\nExit code: 0 same, 5 different, 3 undecided; others are errors.\n' +
        'API keys: CHRYSALIS_BACKEND_KEY and CHRYSALIS_REFERENCE_KEY.\n' +
        '\nExamples:\n' +
        '  chrysalis audit model --backend-url http://10.0.0.7:8000/v1 \\\n' +
        '    --reference-url http://127.0.0.1:8000/v1 --model llama-3.1-8b\n' +
        '  chrysalis audit model --backend-url http://127.0.0.1:10000/v1 --model tiny-chat\n',
    )
    .action((options: AuditModelOptions) => runVerb(options, () => run(options)))
}

async function run(options: AuditModelOptions): Promise<void> {
  const { runAudit } = await import('./auditModel.ts')
  await runAudit(options)
}

function toleranceOption(text: string): number {
  const value = Number(text)
  if (!/^\d*\.?\d+$/.test(text) || !(value > 0 && value < 8)) {
    throw new InvalidArgumentError('a number above 0 and below 8 is expected')
  }
  return value
}
