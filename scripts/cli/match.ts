/**
 * `chrysalis match`: decisions for a recorded stream of events, one JSON object a line.
 *
 * Streams of any length in bounded memory: lines are read as they are wanted, decisions are written
 * with back-pressure. A bad line ends the command with its number; the decisions before it stand.
 * @module
 */
import type { Command } from 'commander'
import type { Decision, MatchEvent, MatcherOptions } from '../../node/matching/events.ts'
import { runVerb } from './output.ts'

interface Flags {
  readonly events: string
  readonly strategy: string
  readonly salt: string
  readonly seed: string
  readonly queueLimit?: string
  readonly json?: boolean
}

const EXAMPLES = `
Examples:
  chrysalis match --events recorded.jsonl --strategy exact
  chrysalis match --events - --strategy p2c --seed 7 < recorded.jsonl`

/** Adds the verb to the command. */
export function register(program: Command): void {
  program
    .command('match')
    .description('Decide a recorded stream of events, one decision a line.')
    .requiredOption('--events <file>', 'events, one JSON object a line; - for stdin')
    .option('--strategy <name>', 'exact, p2c, cocoon or reserve', 'exact')
    .option('--salt <integer>', 'mixed into ties', '0')
    .option('--seed <integer>', 'seed of the strategies that draw', '0')
    .option('--queue-limit <jobs>', 'jobs that may wait')
    .option('--json', 'print a failure as JSON; decisions are JSON anyway')
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags) => runVerb(flags, () => match(flags)))
}

async function match(flags: Flags): Promise<void> {
  const { createMatcher } = await import('../../node/matching/matcher.ts')
  const { asMarketError, MarketError } = await import('../../contracts/base/errors.ts')
  const { linesOf, writerTo } = await import('./lines.ts')
  const matcher = createMatcher(await options(flags))
  const out = writerTo(process.stdout)
  let line = 0
  for await (const lines of linesOf(flags.events)) {
    const decisions: Decision[] = []
    try {
      for (const text of lines) {
        line++
        if (text.trim() !== '') matcher.apply(withoutNulls(JSON.parse(text)), decisions)
      }
    } catch (thrown) {
      const error = asMarketError(thrown, thrown instanceof SyntaxError ? 'bad-input' : 'internal')
      throw new MarketError(error.code, { line, ...error.facts }, { cause: thrown })
    } finally {
      await out.write(decisions.map((decision) => JSON.stringify(decision)))
    }
    if (out.closed) return
  }
}

/** A field that is null counts as absent. What is no event passes: the matcher refuses it. */
function withoutNulls(event: MatchEvent): MatchEvent {
  for (const [field, value] of Object.entries(event ?? {})) {
    if (value === null) Reflect.deleteProperty(event, field)
  }
  return event
}

async function options(flags: Flags): Promise<MatcherOptions> {
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { STRATEGIES } = await import('../../node/matching/events.ts')
  const { TICKS, tickPrice } = await import('../../contracts/money/price.ts')
  const strategy = STRATEGIES.find((name) => name === flags.strategy)
  if (!strategy) {
    throw new MarketError('bad-input', { field: 'strategy', expected: STRATEGIES.join(', ') })
  }
  const integer = (field: string, text: string): number => {
    if (/^\d{1,10}$/.test(text)) return Number(text)
    throw new MarketError('bad-input', { field, expected: 'a non-negative integer' })
  }
  const base = {
    prices: Array.from({ length: TICKS }, (_, tick) => tickPrice(tick, 'ton')),
    strategy,
    salt: integer('salt', flags.salt),
    seed: integer('seed', flags.seed),
  }
  if (flags.queueLimit === undefined) return base
  return { ...base, queueLimit: integer('queue-limit', flags.queueLimit) }
}
