/**
 * `chrysalis match`: decisions for a recorded stream of events, one JSON object a line.
 *
 * Streams of any length in bounded memory: lines are read as they are wanted, decisions are written
 * with back-pressure. A bad line ends the command with its number; the decisions before it stand.
 * @module
 */
import type { Command } from 'commander'
import type { Decision, MatchEvent, MatcherOptions } from '../../node/matching/events.ts'
import type { Matcher } from '../../node/matching/matcher.ts'
import { runVerb } from './output.ts'

interface Flags {
  readonly events: string
  readonly strategy: string
  readonly salt: string
  readonly seed: string
  readonly queueLimit?: string
  readonly affinityBonus: string
  readonly why?: string
  readonly json?: boolean
}

const EXAMPLES = `
Examples:
  chrysalis match --events recorded.jsonl --strategy exact
  chrysalis match --events - --strategy p2c --seed 7 < recorded.jsonl
  chrysalis match --events recorded.jsonl --why j17    why j17 went where it went, slot by slot`

/** Says what the verb takes. */
export function register(command: Command): void {
  command
    .requiredOption('--events <file>', 'events, one JSON object a line; - for stdin')
    .option('--strategy <name>', 'exact, p2c, cocoon or reserve', 'exact')
    .option('--salt <integer>', 'mixed into ties', '0')
    .option('--seed <integer>', 'seed of the strategies that draw', '0')
    .option('--queue-limit <jobs>', 'jobs that may wait')
    .option('--affinity-bonus <n>', 'what a remembered prompt tag takes off a score', '0')
    .option('--why <job>', 'replay up to this job, then explain its decision instead')
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
    const written: object[] = []
    try {
      for (const text of lines) {
        line++
        if (text.trim() === '') continue
        const event = withoutNulls(JSON.parse(text))
        if (flags.why === undefined) matcher.apply(event, written as Decision[])
        else if (explained(matcher, event, flags.why, written)) return
      }
    } catch (thrown) {
      const error = asMarketError(thrown, thrown instanceof SyntaxError ? 'bad-input' : 'internal')
      throw new MarketError(error.code, { line, ...error.facts }, { cause: thrown })
    } finally {
      await out.write(written.map((each) => JSON.stringify(each)))
    }
    if (out.closed) return
  }
  if (flags.why === undefined) return
  throw new MarketError('bad-input', { field: 'why', expected: 'a job of these events' })
}

/**
 * Applies an event. Of the job that is asked about it gives the decision, why the best slot is the
 * best, and of each slot of the model what kept the job from it; then it is true.
 */
function explained(matcher: Matcher, event: MatchEvent, id: string, into: object[]): boolean {
  const asked = event?.type === 'job' && event.id === id
  if (!asked) {
    matcher.apply(event, [])
    return false
  }
  if (event.at !== undefined) matcher.advance(event.at, [])
  const best = matcher.why(event)
  const slots = matcher.slots(event.model).map((slot) => ({
    slot,
    ...matcher.whyNot(slot, event),
  }))
  const decisions: Decision[] = []
  matcher.apply(event, decisions)
  into.push(...decisions, { why: best }, ...slots)
  return true
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
    if (/^\d{1,15}$/.test(text)) return Number(text)
    throw new MarketError('bad-input', { field, expected: 'a non-negative integer' })
  }
  const base = {
    prices: Array.from({ length: TICKS }, (_, tick) => tickPrice(tick, 'ton')),
    strategy,
    salt: integer('salt', flags.salt),
    seed: integer('seed', flags.seed),
    affinityBonus: integer('affinity-bonus', flags.affinityBonus),
  }
  if (flags.queueLimit === undefined) return base
  return { ...base, queueLimit: integer('queue-limit', flags.queueLimit) }
}
