/**
 * The work that every contender gets: a fleet, a stream of jobs and completions, and churn, by seed
 * and as columns of typed arrays, so that reading them costs the measured loop next to nothing.
 *
 * A step is one completion (of the job at `ends[step]` of the ring in flight) and one placing into
 * the place of the ring that this frees. Which slot a completion frees is the contender's own
 * affair: its ring holds its own picks.
 * @module
 */
import { tickPrice } from '../../../contracts/money/price.ts'
import { type Draw, generator } from '../../../node/matching/random.ts'
import { type Setup, type SlotSpec, TICKS } from './contender.ts'
import { type Dice, dice, type Fleet, fleetOf, randomSpec } from './fleet.ts'
import { type Jobs, jobsOf } from './jobs.ts'

export const SHAPES = ['one', 'models', 'classes', 'azure', 'mooncake'] as const
export type Shape = (typeof SHAPES)[number]

/**
 * Which job ends at a step. `any`: every change of the index is somewhere else in memory. `oldest`:
 * as with jobs of equal length, neighbours in memory tend to be neighbours in time.
 */
export const ENDS = ['any', 'oldest'] as const
export type Ends = (typeof ENDS)[number]

/** What the shapes are, for the reader of a table. */
export const SHAPE_NAMES: Readonly<Record<Shape, string>> = {
  one: 'one model, one class',
  models: '100 models, Zipf',
  classes: 'one model, 64 attribute classes',
  azure: 'one model; jobs of the Azure conversation trace',
  mooncake: 'one model; jobs of the Mooncake conversation trace',
}

/** Share of all places that are taken while the work goes on. */
const IN_FLIGHT = 0.6
/** One step in this many brings a change of the fleet. */
const STEPS_PER_CHANGE = 100
/** What happens to a slot, as numbers in `Churn.kind`. */
export const CHANGE = { leave: 0, join: 1, reprice: 2, load: 3 } as const

export interface Churn {
  readonly count: number
  /** Steps before which the changes apply, ascending. */
  readonly at: Int32Array
  readonly kind: Uint8Array
  readonly slot: Int32Array
  readonly running: Int32Array
  /** The slot's whole offer from here on (of `join` and `reprice`). */
  readonly specs: Fleet
}

export interface Workload {
  readonly shape: Shape
  readonly seed: number
  readonly setup: Setup
  readonly fleet: Fleet
  readonly steps: number
  readonly jobs: Jobs
  /** Position in the ring of the job that ends, by step. */
  readonly ends: Int32Array
  readonly churn: Churn
  /** Places of the whole fleet. */
  readonly places: number
  /** Length of the ring. */
  readonly inFlight: number
}

export interface WorkloadOptions {
  readonly shape: Shape
  readonly slots: number
  readonly steps: number
  readonly seed: number
  /** Tokens of a trace, in order of arrival, instead of drawn ones. */
  readonly tokens?: Int32Array | undefined
  /** Which job ends: any of those in flight, or the oldest; any by default. */
  readonly ends?: Ends
}

/**
 * @example
 * workload({ shape: 'one', slots: 1_000, steps: 20_000, seed: 1 })
 */
export function workload(options: WorkloadOptions): Workload {
  const { shape, slots, steps, seed, tokens, ends: which = 'any' } = options
  const draw = generator(seed)
  const roll = dice(draw)
  const models = shape === 'models' ? 100 : 1
  const columns = shape === 'classes' ? 64 : 1
  const prices = Float64Array.from({ length: TICKS }, (_, tick) => Number(tickPrice(tick)))
  const setup = { slots, models, columns, prices, salt: draw(2 ** 32) }
  const fleet = fleetOf(setup, slots, roll)
  const places = fleet.capacity.reduce((sum, each) => sum + each, 0)
  const inFlight = Math.round(places * IN_FLIGHT)
  const jobs = jobsOf(setup, steps, roll, tokens)
  const ends = Int32Array.from({ length: steps }, (_, step) =>
    which === 'any' ? draw(inFlight) : step % inFlight,
  )
  const churn = churnOf(setup, fleet, steps, roll, draw)
  return { shape, seed, setup, fleet, steps, jobs, ends, churn, places, inFlight }
}

function churnOf(setup: Setup, start: Fleet, steps: number, roll: Dice, draw: Draw): Churn {
  const count = Math.floor(steps / STEPS_PER_CHANGE)
  const at = new Int32Array(count)
  const kind = new Uint8Array(count)
  const slot = new Int32Array(count)
  const running = new Int32Array(count)
  const specs = fleetOf(setup, count, roll)
  const now: SlotSpec[] = Array.from({ length: setup.slots }, (_, i) => start.read(i))
  const gone: number[] = []
  const isGone = new Uint8Array(setup.slots)

  const present = (): number => {
    for (;;) {
      const any = draw(setup.slots)
      if (isGone[any] === 0) return any
    }
  }
  for (let i = 0; i < count; i++) {
    at[i] = (i + 1) * STEPS_PER_CHANGE - draw(STEPS_PER_CHANGE - 1)
    const change = draw(4)
    if (change < 2) {
      // Leaving and joining take turns with a few between, so that the fleet keeps its size.
      const joins =
        gone.length > 0 && (draw(2) === 0 || gone.length >= Math.min(32, setup.slots / 8))
      const which = joins ? gone.splice(draw(gone.length), 1)[0]! : present()
      kind[i] = joins ? CHANGE.join : CHANGE.leave
      slot[i] = which
      isGone[which] = joins ? 0 : 1
      if (joins) now[which] = specs.read(i)
      else gone.push(which)
      continue
    }
    const which = present()
    slot[i] = which
    const spec = now[which]!
    if (change === 2) {
      kind[i] = CHANGE.reprice
      spec.tick = roll.otherTick(spec.tick)
      if (draw(4) === 0) Object.assign(spec, { ...randomSpec(setup, roll), ...kept(spec) })
      specs.write(i, spec)
    } else {
      kind[i] = CHANGE.load
      running[i] = draw(spec.capacity + 1)
    }
  }
  return { count, at, kind, slot, running, specs }
}

/** What a reprice that also changes capacity and speed leaves as it was. */
function kept({ model, column, provider, tick }: SlotSpec): Partial<SlotSpec> {
  return { model, column, provider, tick }
}
