/**
 * `npm run bench:matching`: the matching core against everything one would use instead.
 *
 *   node test/bench/matching/run.ts [--quick] [--json] [--sizes 1000,10000] [--shapes one,classes]
 *                                   [--contenders scan,flatqueue]
 *
 * README.md here says what is measured and how. No budget is enforced: read the ratios.
 * @module
 */
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { RACERS } from './contenders/all.ts'
import { FLATQUEUE } from './contenders/flatqueue.ts'
import { OURS } from './contenders/ours.ts'
import { clockMs } from './measure.ts'
import { type Budget, FULL, QUICK, race, stepsOf } from './race.ts'
import type { RacerFactory } from './racer.ts'
import { type Cell, plain, table } from './report.ts'
import { settle } from './settle.ts'
import { traceOf } from './traces.ts'
import { SHAPES, type Shape, workload } from './workload.ts'

const SEED = 20_261_126
const SIZES = [1_000, 10_000, 100_000, 1_000_000]
const QUICK_SIZES = [1_000, 10_000]
/** Traces are replayed on one fleet: what they change is the jobs. */
const TRACE_SIZE = 10_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      sizes: { type: 'string' },
      shapes: { type: 'string' },
      contenders: { type: 'string' },
    },
  })
  const say = (text: string): void => void (values.json || process.stdout.write(`${text}\n`))
  const budget = values.quick ? QUICK : FULL
  const sizes = values.sizes?.split(',').map(Number) ?? (values.quick ? QUICK_SIZES : SIZES)
  const asked = chosen(values.contenders?.split(','))
  const racers = asked.filter((each) => each.missing?.() === undefined)
  const machine = {
    machine: `${cpus()[0]?.model}, ${availableParallelism()} threads`,
    node: process.version,
    load: loadavg()[0]!.toFixed(2),
    seed: SEED,
    clockNs: Math.round(clockMs() * 1e6),
  }
  say(
    Object.entries(machine)
      .map(([name, value]) => `${name}: ${value}`)
      .join('; '),
  )
  say('Steps in CPU time; decisions (p50...) and changes (offer...) in ns of wall time.\n')
  for (const each of asked)
    if (!racers.includes(each)) say(`Skipped ${each.name}: ${each.missing?.()}.`)
  const cells: object[] = []
  for (const [slots, shape] of cellsOf(
    sizes,
    shapesOf(values.shapes),
    values.sizes !== undefined,
  )) {
    const cell = await cellOf(shape, slots, budget, racers, say)
    if (!cell) continue
    say(table(cell))
    cells.push(plain(cell))
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ ...machine, cells })}\n`)
}

async function cellOf(
  shape: Shape,
  slots: number,
  budget: Budget,
  racers: readonly RacerFactory[],
  say: (text: string) => void,
): Promise<Cell | undefined> {
  const tokens = traceOf(shape)
  if (tokens && 'absent' in tokens) {
    say(`Skipped ${shape}: no ${tokens.absent} (TRACES_DIR names the folder).\n`)
    return undefined
  }
  const work = workload({ shape, slots, steps: stepsOf(budget), seed: SEED, tokens })
  const settled = await settle(work, FLATQUEUE)
  const able = racers.filter(
    ({ mostSlots, rule }) =>
      slots <= (mostSlots ?? slots) && (rule !== 'price-time' || work.setup.columns === 1),
  )
  const results = await race(work, settled, able, budget)
  const ours = OURS.map(({ name }) => name)
  return {
    work,
    results,
    ours: results.map(({ name }) => name).filter((each) => ours.includes(each)),
  }
}

function cellsOf(sizes: readonly number[], shapes: readonly Shape[], all: boolean) {
  return sizes.flatMap((slots) =>
    shapes
      .filter((shape) => all || slots === TRACE_SIZE || traceOf(shape) === undefined)
      .map((shape) => [slots, shape] as const),
  )
}

function shapesOf(list: string | undefined): readonly Shape[] {
  const asked = list?.split(',') ?? SHAPES
  const unknown = asked.find((name) => !SHAPES.some((shape) => shape === name))
  if (unknown !== undefined) throw new Error(`no shape ${unknown}: ${SHAPES.join(', ')}`)
  return SHAPES.filter((shape) => asked.includes(shape))
}

function chosen(names: readonly string[] | undefined): readonly RacerFactory[] {
  const known = RACERS.map(({ name }) => name)
  const unknown = names?.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`no contender ${unknown}: ${known.join('; ')}`)
  return RACERS.filter(({ name }) => names?.includes(name) ?? true)
}

await main()
