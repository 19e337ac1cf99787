/**
 * One race: all contenders over the same work, in rounds, interleaved, so that a machine that slows
 * down slows everyone. Ratios are medians of the ratios of a round.
 * @module
 */
import type { Rule } from './contender.ts'
import { median, quantile } from './measure.ts'
import type { Racer, RacerFactory, UpdateCosts } from './racer.ts'
import type { Settled } from './settle.ts'
import type { Workload } from './workload.ts'

export interface Budget {
  readonly rounds: number
  readonly warmMs: number
  /** Who can make as many steps as there are slots within this CPU time is made to, to age. */
  readonly ageMs: number
  readonly roundMs: number
  /** Steps of a round whatever they cost, and however little they cost. */
  readonly leastSteps: number
  readonly mostSteps: number
  readonly mostWarmSteps: number
  /** Decisions timed one by one in a round. */
  readonly mostSamples: number
  readonly mostAllocating: number
}

export const FULL: Budget = {
  rounds: 5,
  warmMs: 150,
  ageMs: 2_000,
  roundMs: 60,
  leastSteps: 20,
  mostSteps: 60_000,
  mostWarmSteps: 60_000,
  mostSamples: 20_000,
  mostAllocating: 20_000,
}

export const QUICK: Budget = {
  ...FULL,
  warmMs: 60,
  ageMs: 200,
  roundMs: 20,
  mostSteps: 20_000,
  mostWarmSteps: 30_000,
  mostSamples: 5_000,
  mostAllocating: 5_000,
}

const PASSES = 5
const HARDLY_FASTER = 0.85

/** Steps that no contender goes beyond. */
export function stepsOf(budget: Budget, slots: number): number {
  const { rounds, mostSteps, mostSamples, mostAllocating } = budget
  const warming = Math.max(budget.mostWarmSteps, slots) + mostSteps
  return warming + rounds * (mostSteps + mostSamples) + (1 + PASSES) * mostAllocating
}

export interface Result {
  readonly name: string
  readonly rule: Rule
  /** CPU nanoseconds a step, by round. */
  readonly stepNs: readonly number[]
  readonly steps: number
  /** Wall nanoseconds of a decision, the clock's cost taken off; nothing from too few samples. */
  readonly p50Ns: number | undefined
  readonly p99Ns: number | undefined
  readonly p999Ns: number | undefined
  readonly updates: UpdateCosts | undefined
  readonly bytesPerSlot: number
  readonly allocatedPerStep: number | undefined
  /** Share of jobs that no slot could start. */
  readonly unplaced: number
  readonly fills: Agreement
}

/** Steps at which all contenders with the same rule that came so far chose the same slot. */
export interface Agreement {
  readonly equal: number
  /** Steps that at least one other made too. */
  readonly of: number
  /** Those of them that the first with the rule, its plain reference, made. */
  readonly referred: number
}

export async function race(
  work: Workload,
  settled: Settled,
  factories: readonly RacerFactory[],
  budget: Budget,
): Promise<Result[]> {
  const racers: Racer[] = []
  try {
    for (const factory of factories) racers.push(await factory.start(work, settled))
    const paces: number[] = []
    for (const racer of racers) paces.push(await warmUp(racer, budget, work.setup.slots))
    const steps = paces.map((ns) => between(budget, (budget.roundMs * 1e6) / ns))
    const stepNs = racers.map(() => [] as number[])
    const samples = racers.map(() => [] as Float64Array[])
    for (let round = 0; round < budget.rounds; round++) {
      for (const [i, racer] of racers.entries()) {
        stepNs[i]!.push((await racer.run(steps[i]!)) / steps[i]!)
        samples[i]!.push(await racer.sample(Math.min(steps[i]!, budget.mostSamples)))
      }
    }
    // From here on each goes its own way: nobody is compared any more.
    const fills: Int32Array[] = []
    for (const racer of racers) fills.push(await racer.fills())
    const results: Result[] = []
    const agreed = agreement(
      fills,
      racers.map(({ rule }) => rule),
    )
    for (const [i, racer] of racers.entries()) {
      const allocated = await allocatedOf(racer, Math.min(steps[i]!, budget.mostAllocating))
      results.push({
        name: racer.name,
        rule: racer.rule,
        stepNs: stepNs[i]!,
        steps: steps[i]! * budget.rounds,
        ...quantiles(samples[i]!),
        updates: await racer.updates(),
        bytesPerSlot: racer.bytes / work.setup.slots,
        allocatedPerStep: allocated,
        unplaced: fills[i]!.reduce((sum, slot) => sum + (slot < 0 ? 1 : 0), 0) / fills[i]!.length,
        fills: agreed[i]!,
      })
    }
    return results
  } finally {
    for (const racer of racers) await racer.stop()
  }
}

/** How many times longer `slow` takes than `fast`: the median over the rounds of both. */
export function ratio(slow: Result, fast: Result): number {
  return median(slow.stepNs.map((ns, round) => ns / fast.stepNs[round]!))
}

/**
 * Runs a while, and on until a stretch is hardly faster than the one before (the compiler works on
 * another thread and may be late) and until structures have aged: those that drop lazily owe
 * nothing at first. Gives nanoseconds a step of the last stretch.
 */
async function warmUp(racer: Racer, budget: Budget, slots: number): Promise<number> {
  const most = Math.max(budget.mostWarmSteps, slots)
  let spentNs = 0
  let lastPace = Number.POSITIVE_INFINITY
  for (let stretch = budget.leastSteps; ; stretch = Math.min(2 * stretch, budget.mostSteps)) {
    const ns = Math.max(1, await racer.run(stretch))
    const pace = ns / stretch
    spentNs += ns
    const isFast = spentNs >= budget.warmMs * 1e6 && pace > HARDLY_FASTER * lastPace
    const toAgeNs = pace * (slots - racer.done())
    const isOld = toAgeNs <= 0 || toAgeNs > budget.ageMs * 1e6
    if ((isFast && isOld) || racer.done() >= most) return pace
    lastPace = pace
  }
}

/**
 * Bytes a step, the least of some passes: what decisions allocate is in every one, what the
 * compiler allocates in some.
 */
async function allocatedOf(racer: Racer, steps: number): Promise<number | undefined> {
  await racer.allocated(steps) // compiles
  const passes: number[] = []
  for (let pass = 0; pass < PASSES; pass++) {
    const bytes = await racer.allocated(steps)
    if (bytes === undefined) return undefined
    passes.push(bytes / steps)
  }
  return Math.min(...passes)
}

function between({ leastSteps, mostSteps }: Budget, steps: number): number {
  return Math.round(Math.min(mostSteps, Math.max(leastSteps, steps)))
}

function quantiles(samples: readonly Float64Array[]) {
  const sorted = Float64Array.from(samples.flatMap((each) => [...each])).sort()
  /** A quantile needs ten samples beyond it. */
  const at = (share: number): number | undefined => {
    if (sorted.length * (1 - share) < 10) return undefined
    return Math.max(0, quantile(sorted, share))
  }
  return { p50Ns: at(0.5), p99Ns: at(0.99), p999Ns: at(0.999) }
}

/** Compares each contender's fills with those of all others by its rule. */
function agreement(fills: readonly Int32Array[], rules: readonly Rule[]): Agreement[] {
  return fills.map((mine, i) => {
    const others = fills.filter((_, other) => other !== i && rules[other] === rules[i])
    const of = Math.min(mine.length, Math.max(0, ...others.map(({ length }) => length)))
    let equal = 0
    for (let step = 0; step < of; step++) {
      const same = others.every((each) => step >= each.length || each[step] === mine[step])
      if (same) equal++
    }
    const reference = fills[rules.indexOf(rules[i]!)]!
    return { equal, of, referred: Math.min(of, reference.length) }
  })
}
