/**
 * `npm run bench:matching`: the matching core against everything one would use instead.
 *
 *   node test/bench/matching/run.ts [--quick] [--json] [--sizes 1000,10000] [--shapes one,classes]
 *                                   [--contenders scan,flatqueue] [--ends oldest]
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
import { plain, table } from './report.ts'
import { settle } from './settle.ts'
import { isTraced, traceOf } from './traces.ts'
import { ENDS, type Ends, SHAPES, type Shape, type Workload, workload } from './workload.ts'

const SEED = 20_261_126
const SIZES = [1_000, 10_000, 100_000, 1_000_000]
const QUICK_SIZES = [1_000, 10_000]
/** Traces are replayed on one fleet: what they change is the jobs. */
const TRACE_SIZE = 10_000
/** A fleet must have room for a rehearsal, and for slots that are away. */
const LEAST_SIZE = 64

const LEGEND = `
ns/step: CPU time of a decision (pick, start, one completion) with its share of churn.
p50 to p99.9, offer (a new price), load, leave, join: wall time, ns; the clock's cost taken off.
alloc B: bytes allocated a decision, without churn. same fills: steps at which all who answer the
rule chose the same slot (of these, made by its plain scan too). x: how many times longer it takes.
*: an order book's rule, price and time only.
`

interface Options {
  readonly budget: Budget
  readonly cells: readonly (readonly [slots: number, shape: Shape])[]
  readonly asked: readonly RacerFactory[]
  readonly ends: Ends
  readonly json: boolean
}

async function main({ budget, cells, asked, ends, json }: Options): Promise<void> {
  const say = (text: string): void => void (json || process.stdout.write(`${text}\n`))
  const machine = {
    machine: `${cpus()[0]?.model}, ${availableParallelism()} threads`,
    node: process.version,
    load: loadavg()[0]!.toFixed(2),
    seed: SEED,
    ends,
    clockNs: Math.round(clockMs() * 1e6),
  }
  for (const [name, value] of Object.entries(machine)) say(`${name.padEnd(8)} ${value}`)
  say(LEGEND)
  for (const { name, missing } of asked) if (missing?.()) say(`Skipped ${name}: ${missing()}.\n`)
  const racers = asked.filter(({ missing }) => missing?.() === undefined)
  const done: object[] = []
  for (const [slots, shape] of cells) {
    const tokens = traceOf(shape)
    if (tokens && 'absent' in tokens) {
      say(`Skipped ${shape}: no ${tokens.absent} (TRACES_DIR names the folder).\n`)
      continue
    }
    const steps = stepsOf(budget, slots)
    const work = workload({ shape, slots, steps, seed: SEED, tokens, ends })
    const cell = await cellOf(work, budget, racers)
    say(table(cell))
    done.push(plain(cell))
  }
  if (json) process.stdout.write(`${JSON.stringify({ ...machine, cells: done })}\n`)
}

async function cellOf(work: Workload, budget: Budget, racers: readonly RacerFactory[]) {
  const { slots, columns } = work.setup
  const able = racers.filter(
    ({ rule, mostSlots = slots }) => slots <= mostSlots && (rule !== 'price-time' || columns === 1),
  )
  const results = await race(work, await settle(work, FLATQUEUE), able, budget)
  const names = results.map(({ name }) => name)
  return { work, results, ours: names.filter((name) => OURS.some((one) => one.name === name)) }
}

function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      sizes: { type: 'string' },
      shapes: { type: 'string' },
      contenders: { type: 'string' },
      ends: { type: 'string' },
    },
  })
  const { quick, json } = values
  const sizes = values.sizes?.split(',').map(Number) ?? (quick ? QUICK_SIZES : SIZES)
  if (!sizes.every((each) => Number.isSafeInteger(each) && each >= LEAST_SIZE)) {
    throw new Error(`--sizes are whole numbers from ${LEAST_SIZE}`)
  }
  const shapes = known(values.shapes, SHAPES, (shape) => shape)
  const isUsual = (slots: number, shape: Shape): boolean =>
    !isTraced(shape) || (!quick && slots === TRACE_SIZE)
  return {
    budget: quick ? QUICK : FULL,
    cells: sizes.flatMap((slots) =>
      shapes
        .filter((shape) => values.shapes !== undefined || isUsual(slots, shape))
        .map((shape) => [slots, shape] as const),
    ),
    asked: known(values.contenders, RACERS, ({ name }) => name),
    ends: known(values.ends, ENDS, (one) => one)[0]!,
    json,
  }
}

/** Those of a list of names, all without one; throws for a name that is none. */
function known<One>(list: string | undefined, all: readonly One[], nameOf: (one: One) => string) {
  const asked = list?.split(',')
  const unknown = asked?.find((name) => !all.some((one) => nameOf(one) === name))
  if (unknown !== undefined) throw new Error(`no ${unknown} among ${all.map(nameOf).join(', ')}`)
  return all.filter((one) => asked?.includes(nameOf(one)) ?? true)
}

await main(optionsOf(process.argv.slice(2)))
