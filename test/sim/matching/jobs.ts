/**
 * From requests to jobs: whose they are, what they require, what speed is worth to them.
 * @module
 */
import type { Tier } from '../../../contracts/base/tier.ts'
import type { Request } from './arrivals.ts'
import type { Chance } from './chance.ts'
import { GPUS, HIGHEST_TICK, LOWEST_TICK, REGIONS } from './fleet.ts'

export interface SimJob {
  readonly id: string
  readonly tenant: string
  readonly request: Request
  /** What the client says it expects: the answer's length, rounded up to a power of two. */
  readonly expectedTokens: number
  readonly speedWeight: number
  readonly needs: Needs
  /** Milliseconds it waits at most. */
  readonly patienceMs: number
  /** Names of prefixes, longest last; empty where nothing is said about them. */
  readonly tags: readonly string[]
}

/** Requirements, as the job event names them. */
export interface Needs {
  readonly maxTick?: number
  readonly minTier?: Tier
  readonly regions?: readonly string[]
  readonly gpus?: readonly string[]
  readonly minMemoryGiB?: number
}

export interface Mix {
  /** Share of the jobs with a requirement; a third by default. */
  readonly constrained?: number
  /** Tenants with equal shares; ten by default. */
  readonly tenants?: number
  /** Share of the jobs that belongs to one tenant more, `flood`. */
  readonly flood?: number
  readonly patienceMs?: number
  /** What speed is worth; by default nothing to half of the jobs, log-uniform to the others. */
  readonly speedWeight?: number
  readonly tagsOf?: (request: Request) => readonly string[]
}

/** How long a job waits at most, where nothing else is said. */
export const PATIENCE_MS = 30_000

export function drawJobs(requests: readonly Request[], chance: Chance, mix: Mix = {}): SimJob[] {
  const { constrained = 1 / 3, tenants = 10, flood = 0, patienceMs = PATIENCE_MS } = mix
  return requests.map((request, i) => ({
    id: `j${i}`,
    tenant: chance.unit() < flood ? 'flood' : `t${chance.below(tenants)}`,
    request,
    expectedTokens: 2 ** Math.ceil(Math.log2(Math.max(1, request.outputTokens))),
    speedWeight: mix.speedWeight ?? drawSpeedWeight(chance),
    needs: chance.unit() < constrained ? drawNeeds(chance) : {},
    patienceMs,
    tags: mix.tagsOf?.(request) ?? [],
  }))
}

function drawSpeedWeight(chance: Chance): number {
  return chance.unit() < 0.5 ? 0 : Math.round(chance.logUniform(1e3, 1e9))
}

/** One requirement, as likely each: a price cap, a tier, a region, one of two cards, memory. */
function drawNeeds(chance: Chance): Needs {
  switch (chance.below(5)) {
    case 0:
      return { maxTick: LOWEST_TICK - 1 + chance.below(HIGHEST_TICK - LOWEST_TICK) }
    case 1:
      return { minTier: chance.pick(['cpu-tee', 'gpu-tee'] as const) }
    case 2:
      return { regions: [chance.pick(REGIONS)] }
    case 3:
      return { gpus: [chance.pick(GPUS), chance.pick(GPUS)] }
    default:
      return { minMemoryGiB: 48 }
  }
}
