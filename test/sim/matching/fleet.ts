/**
 * A drawn fleet: slots that differ in price, places, speed, region, hardware and tier; and how long
 * a request takes on one.
 * @module
 */
import type { Tier } from '../../../contracts/base/tier.ts'
import { BLOCK_TOKENS, type Request } from './arrivals.ts'
import type { Chance } from './chance.ts'

export interface SlotSpec {
  readonly name: string
  readonly provider: string
  readonly tick: number
  /** Jobs that run at once, none slowing another. */
  readonly places: number
  /** Jobs that may stand in line at the slot, beyond its places: it offers both together. */
  readonly line: number
  readonly decodeTps: number
  readonly prefillTps: number
  /** The service time its offer declares. */
  readonly declaredMs: number
  readonly tier: Tier
  readonly region: string
  readonly gpu: string
  readonly memoryGiB: number
  /** Prefix blocks its cache holds. */
  readonly cacheBlocks: number
  /** Set on a slot that fails each job, so long after its start. */
  readonly failsAfterMs?: number
  /** When it begins to; from the first job on by default. */
  readonly failsFromMs?: number
}

export const MODEL = 'm'
export const REGIONS = ['eu', 'us', 'asia'] as const
export const GPUS = ['rtx4090', 'a100', 'h100', 'mi300'] as const
const MEMORY = { rtx4090: 24, a100: 80, h100: 80, mi300: 192 } as const
const TIERS: readonly Tier[] = ['open', 'open', 'open', 'cpu-tee', 'gpu-tee']

/** Prices of a fleet lie between these ticks: the dearest is six times the cheapest. */
export const LOWEST_TICK = 40
export const HIGHEST_TICK = 56

/** `count` slots whose declared service times are right on average for `typical` requests. */
export function drawFleet(chance: Chance, count: number, typical: readonly Request[]): SlotSpec[] {
  return Array.from({ length: count }, (_, i) => drawSlot(chance, `s${i}`, typical))
}

export function drawSlot(chance: Chance, name: string, typical: readonly Request[]): SlotSpec {
  const gpu = chance.pick(GPUS)
  const decodeTps = Math.min(200, Math.max(15, chance.logNormal(55, 0.5)))
  const speeds = { decodeTps, prefillTps: decodeTps * 80 }
  return {
    name,
    provider: name,
    tick: LOWEST_TICK + chance.below(HIGHEST_TICK - LOWEST_TICK + 1),
    places: 1 + chance.below(8),
    line: 0,
    ...speeds,
    declaredMs: Math.round(meanServiceMs(speeds, typical)),
    tier: chance.pick(TIERS),
    region: chance.pick(REGIONS),
    gpu,
    memoryGiB: MEMORY[gpu],
    cacheBlocks: 10 * MEMORY[gpu],
  }
}

type Speeds = Pick<SlotSpec, 'decodeTps' | 'prefillTps'>

/** Milliseconds a request takes once started, of whose prompt `cached` blocks need no work. */
export function serviceMs(slot: Speeds, request: Request, cached = 0): number {
  const prompt = Math.max(0, request.promptTokens - cached * BLOCK_TOKENS)
  return 1000 * (prompt / slot.prefillTps + request.outputTokens / slot.decodeTps)
}

export function meanServiceMs(slot: Speeds, requests: readonly Request[]): number {
  const { prompt, output } = meanTokens(requests)
  return 1000 * (prompt / slot.prefillTps + output / slot.decodeTps)
}

/** Requests a second that keep every place of the fleet busy, without prefix hits. */
export function fullRate(fleet: readonly SlotSpec[], requests: readonly Request[]): number {
  const tokens = meanTokens(requests)
  return fleet.reduce((sum, { places, prefillTps, decodeTps }) => {
    return sum + places / (tokens.prompt / prefillTps + tokens.output / decodeTps)
  }, 0)
}

function meanTokens(requests: readonly Request[]): { prompt: number; output: number } {
  let prompt = 0
  let output = 0
  for (const each of requests) {
    prompt += each.promptTokens
    output += each.outputTokens
  }
  const count = Math.max(1, requests.length)
  return { prompt: prompt / count, output: output / count }
}
