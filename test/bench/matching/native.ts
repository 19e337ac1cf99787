/**
 * Contenders in C++, as racers: built into a temporary folder where there is a compiler, fed the
 * same work through a file, and told over a pipe how many steps to run, so that they take their
 * turn in every round.
 * @module
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Rule } from './contender.ts'
import type { Fleet } from './fleet.ts'
import type { Racer, RacerFactory } from './racer.ts'
import type { Settled } from './settle.ts'
import type { Workload } from './workload.ts'

const COMPILER = 'g++'
const FLAGS = ['-std=c++20', '-O3', '-march=native']

interface Program {
  readonly name: string
  readonly rule: Rule
  readonly mostSlots?: number
  /** Beside this file. */
  readonly source: string
  readonly args: readonly string[]
}

export function native(program: Program): RacerFactory {
  const { name, rule, mostSlots } = program
  return {
    name,
    rule,
    mostSlots,
    missing: () => (hasCompiler() ? undefined : `no ${COMPILER} here`),
    start: (work, settled) => start(program, work, settled),
  }
}

let compiler: boolean | undefined
function hasCompiler(): boolean {
  compiler ??= spawnSync(COMPILER, ['--version']).status === 0
  return compiler
}

let folder: string | undefined
/** One for the whole run; gone when the process ends. */
function temporary(file: string): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'chrysalis-bench-'))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    folder = made
  }
  return join(folder, file)
}

const built = new Map<string, Promise<string>>()
function build(source: string): Promise<string> {
  const known = built.get(source)
  if (known) return known
  const binary = temporary(`program${built.size}`)
  const from = fileURLToPath(new URL(source, import.meta.url))
  const done = promisify(execFile)(COMPILER, [...FLAGS, from, '-o', binary]).then(() => binary)
  built.set(source, done)
  return done
}

async function start(program: Program, work: Workload, settled: Settled): Promise<Racer> {
  const { name, rule, source, args } = program
  const binary = await build(source)
  const file = temporary('work')
  writeFileSync(file, written(work, settled))
  const child = spawn(binary, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${name} ended early`)
    return value
  }
  const ask = (command: string): Promise<string> => {
    child.stdin.write(`${command}\n`)
    return answer()
  }
  const bytes = Number(await answer())
  const answers = temporary('answers')
  let steps = 0
  return {
    name,
    rule,
    bytes,
    done: () => steps,
    async run(count) {
      steps += count
      return Number(await ask(`run ${count}`))
    },
    async sample(count) {
      steps += count
      await ask(`sample ${count} ${answers}`)
      return new Float64Array(new Uint8Array(readFileSync(answers)).buffer)
    },
    allocated: async () => undefined,
    updates: async () => undefined,
    async fills() {
      await ask(`fills ${answers}`)
      return new Int32Array(new Uint8Array(readFileSync(answers)).buffer)
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.stdin.end()
      await ended
    },
  }
}

/** The work as the programs read it: a head of five integers, then column after column. */
function written(work: Workload, { running, ring }: Settled): Uint8Array {
  const { setup, fleet, steps, jobs, ends, churn, inFlight } = work
  const columns = [
    Int32Array.of(setup.slots, setup.models, steps, inFlight, churn.count),
    ...specColumns(fleet),
    ...[running, ring],
    ...[jobs.model, jobs.maxTick, jobs.eligibleLow, jobs.eligibleHigh, ends],
    ...[churn.at, Int32Array.from(churn.kind), churn.slot, churn.running],
    ...specColumns(churn.specs),
  ]
  return Buffer.concat(
    columns.map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    ),
  )
}

function specColumns(fleet: Fleet): (Int32Array | Float64Array)[] {
  const rows = Array.from({ length: fleet.count }, (_, row) => fleet.read(row))
  return [
    Int32Array.from(rows, ({ model }) => model),
    Int32Array.from(rows, ({ column }) => column),
    Int32Array.from(rows, ({ tick }) => tick),
    Int32Array.from(rows, ({ capacity }) => capacity),
    Float64Array.from(rows, ({ serviceMs }) => serviceMs),
  ]
}
