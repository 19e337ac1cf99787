/**
 * `--help` of every verb: with examples, and fast, because verbs load what they need only when they
 * run. CPU time is measured, since other tests may keep the machine busy: it bounds the wall time
 * of an idle one.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../support/tree.ts'

const COMMAND = join(ROOT, 'scripts/cli/main.ts')
const MOST_MS = 250
const RUNS = 5

/**
 * Verbs that a reader of the design expects; whatever else there is is found and checked as well.
 */
const EXPECTED = [
  'dev',
  'run',
  'models',
  'balance',
  'quote',
  'channel list',
  'channel open',
  'channel deposit',
  'channel close',
  'status',
  'provider start',
  'provider status',
  'scheduler start',
  'gateway start',
  'localnet start',
  'receipt list',
  'receipt show',
  'receipt verify',
  'evidence verify',
  'evidence show',
  'market',
  'deploy',
  'govern show',
  'govern propose parameters',
  'govern propose code',
  'govern propose guardian',
  'govern propose owner',
  'govern propose delay',
  'govern propose signers',
  'dispute open',
  'provider exit',
  'scheduler exit',
  'provider upgrade',
  'scheduler upgrade',
  'match',
]

/** Runs the command with a hook that reports its own CPU time as it exits. */
function help(args: readonly string[]): { out: string; exit: number | null; cpuMs: number } {
  const hook = `process.on('exit', () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage()
    require('node:fs').writeSync(2, '\\ncpu ' + (userCPUTime + systemCPUTime) / 1000)
  })`
  const env = { ...process.env, NODE_OPTIONS: undefined }
  const hooked = ['--import', `data:text/javascript,${encodeURIComponent(esm(hook))}`]
  const command = [...hooked, COMMAND, ...args, '--help']
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { encoding: 'utf8', env })
  return { out: stdout, exit: status, cpuMs: Number(/cpu ([\d.]+)$/.exec(stderr)?.[1]) }
}

function esm(hook: string): string {
  return `import { createRequire } from 'node:module'; const require = createRequire('/'); ${hook}`
}

/** The names under `Commands:` of a help text. */
function commandsIn(text: string): string[] {
  const [, section = ''] = text.split('\nCommands:\n')
  const lines = section.split('\n\n', 1)[0]?.split('\n') ?? []
  const names = lines.map((line) => /^ {2}([a-z][a-z-]*)/.exec(line)?.[1] ?? '')
  return names.filter((name) => name !== '' && name !== 'help')
}

/** Every verb that does something, with its help. */
function verbs(path: readonly string[] = []): { verb: string; out: string; exit: number | null }[] {
  const { out, exit } = help(path)
  const below = commandsIn(out)
  expect(path.length, path.join(' ')).toBeLessThan(4) // a description that looks like a list
  if (below.length === 0) return [{ verb: path.join(' '), out, exit }]
  return below.flatMap((name) => verbs([...path, name]))
}

it('every verb shows its usage and examples', () => {
  const found = verbs()
  expect(found.map(({ verb }) => verb)).toEqual(expect.arrayContaining(EXPECTED))
  for (const { verb, out, exit } of found) {
    expect(exit, verb).toBe(0)
    expect(out).toContain(`Usage: chrysalis ${verb}`)
    expect(out, verb).toMatch(/\nExamples:\n {2}chrysalis /)
  }
  expect(help([]).out).toContain('\nExamples:\n  chrysalis dev\n')
})

it(`takes at most ${MOST_MS} ms of CPU at the median of ${RUNS}`, () => {
  const medians = [[], ['run'], ['dev'], ['provider', 'start']].map((args) => {
    const times = Array.from({ length: RUNS }, () => help(args).cpuMs).toSorted((a, b) => a - b)
    const median = times[Math.floor(RUNS / 2)]!
    console.info(`help ${args.join(' ')}: ${Math.round(median)} ms of CPU, median of ${RUNS}`)
    return median
  })
  expect(Math.max(...medians)).toBeLessThanOrEqual(MOST_MS)
  expect(Math.min(...medians)).toBeGreaterThan(0)
})
