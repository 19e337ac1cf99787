/**
 * `npm run mutate:tolk -- --contract channel`: spoils a contract in every small way and runs its
 * tests against each. Without `--contract`, every contract; those that share their sources
 * (`groups.ts`: items, governance) go together.
 *
 * Prints the mutants that survived and a table of fates; ends with 1 where one survived that
 * `explained/<contract>.json` does not explain. `--sample <n>` and `--seed <n>` take a few, `--only
 * <text>` (more than once) those whose words hold one, `--list` prints them all without running,
 * `--json` prints results as JSON, `--verbose` every fate as it falls, `--unchecked` does not first
 * run the tests against the unchanged contract.
 * @module
 */
import { parseArgs } from 'node:util'
import { campaign, type Fate, mustPass, mutantsOfGroup, type Result, sampleOf } from './campaign.ts'
import { GROUPS, type Group, groupOf } from './groups.ts'
import { keyOf } from './mutants.ts'
import { openSuite } from './suite.ts'

const FATES: readonly Fate[] = [
  ...(['killed', 'survived', 'explained', 'equivalent', 'repeated', 'invalid'] as const),
]

const { values: options } = parseArgs({
  options: {
    contract: { type: 'string', multiple: true },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true },
    list: { type: 'boolean' },
    json: { type: 'boolean' },
    verbose: { type: 'boolean' },
    unchecked: { type: 'boolean' },
  },
})

const table: Record<string, Result[]> = {}
for (const name of options.contract ?? GROUPS.map((group) => group.name)) {
  table[name] = await runOne(groupOf(name))
}
if (options.json) process.stdout.write(`${JSON.stringify(table, null, 2)}\n`)
else if (!options.list) process.stdout.write(`${lines(table).join('\n')}\n`)
if (Object.values(table).some((all) => all.some(({ fate }) => fate === 'survived'))) {
  process.exitCode = 1
}

async function runOne(group: Group): Promise<Result[]> {
  const { only = [''] } = options
  const wanted = (key: string): boolean => only.some((words) => key.includes(words))
  const all = mutantsOfGroup(group).filter((each) => wanted(keyOf(each)))
  const some = options.sample ? sampleOf(all, Number(options.sample), Number(options.seed)) : all
  if (options.list) {
    for (const mutant of some) process.stdout.write(`${keyOf(mutant)}\n`)
    return []
  }
  const suite = openSuite(group)
  try {
    if (!options.unchecked) await mustPass(group, suite)
    return await campaign(group, some, suite, tell)
  } finally {
    suite.close()
  }
}

function tell({ fate, key, operator, killedBy, ms }: Result): void {
  if (!options.verbose && fate !== 'survived') return
  const by = killedBy ? `\n    by ${killedBy}` : ''
  process.stderr.write(`${fate} (${operator}, ${Math.round(ms ?? 0)} ms) ${key}${by}\n`)
}

function lines(results: Readonly<Record<string, readonly Result[]>>): string[] {
  const head = ['contract'.padEnd(14), 'mutants', ...FATES, 'seconds'].join('  ')
  const rows = Object.entries(results).map(([contract, all]) => {
    const count = (fate: Fate): number => all.filter((each) => each.fate === fate).length
    const seconds = all.reduce(
      (sum, { fate, ms }) => sum + (fate === 'repeated' ? 0 : (ms ?? 0)),
      0,
    )
    const cells = [String(all.length).padStart('mutants'.length)]
    for (const fate of FATES) cells.push(String(count(fate)).padStart(fate.length))
    cells.push(String(Math.round(seconds / 1_000)).padStart('seconds'.length))
    return [contract.padEnd(14), ...cells].join('  ')
  })
  return [head, ...rows]
}
