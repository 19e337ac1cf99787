/**
 * From options, offers and jobs, as they come, to the records the matching core works with.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { TIERS, type Tier } from '../../contracts/base/tier.ts'
import {
  type JobEvent,
  type MatcherOptions,
  type OfferEvent,
  STRATEGIES,
  type StrategyName,
} from './events.ts'
import type { WaitingJob } from './queue.ts'
import { MOST_TOKENS, type Needs, type Slot } from './slots.ts'

/** Options in range, with their defaults. */
export interface Settings {
  readonly strategy: StrategyName
  readonly salt: number
  readonly seed: number
  readonly queueLimit: number
  readonly prices: Float64Array
}

/** Throws `bad-input` on an option out of range. */
export function checkOptions(options: MatcherOptions): Settings {
  const { strategy = 'exact', salt = 0, seed = 0, queueLimit = LIMITS.queuedJobs } = options
  const inRange = (field: string, value: number, below: number): void => {
    if (Number.isInteger(value) && value >= 0 && value < below) return
    throw new MarketError('bad-input', { field, expected: `an integer from 0 to ${below - 1}` })
  }
  if (!STRATEGIES.includes(strategy)) {
    throw new MarketError('bad-input', { field: 'strategy', expected: STRATEGIES.join(', ') })
  }
  inRange('salt', salt, 2 ** 32)
  inRange('seed', seed, 2 ** 32)
  inRange('queueLimit', queueLimit, LIMITS.queueLimit + 1)
  const prices = Float64Array.from(options.prices, Number)
  // 2^36 base units times 2^16 tokens, and 2^31 times 2^20 of waiting, stay below 2^53.
  if (prices.length !== 96 || !prices.every((price) => price >= 0 && price < 2 ** 36)) {
    throw new MarketError('bad-input', { field: 'prices', expected: '96 prices below 2^36' })
  }
  return { strategy, salt, seed, queueLimit, prices }
}

/** A slot at its first appearance; `assign` gives it what its offer says. */
export function newSlot(name: string, index: number, salt: number): Slot {
  return {
    name,
    index,
    tie: (index ^ salt) >>> 0,
    provider: name,
    model: '',
    tick: 0,
    capacity: 0,
    serviceMs: 0,
    tier: 0,
    region: '',
    gpu: '',
    memoryGiB: 0,
    draining: false,
    running: 0,
    jobs: new Set(),
    placed: 0,
    completed: 0,
  }
}

/** Takes over what the offer names, ends draining, leaves the rest. */
export function assign(slot: Slot, event: OfferEvent): void {
  slot.provider = event.provider ?? slot.provider
  slot.model = event.model ?? slot.model
  slot.tick = event.tick ?? slot.tick
  slot.capacity = event.capacity ?? slot.capacity
  slot.serviceMs = event.serviceMs ?? slot.serviceMs
  slot.tier = event.tier === undefined ? slot.tier : rank(event.tier)
  slot.region = event.region ?? slot.region
  slot.gpu = event.gpu ?? slot.gpu
  slot.memoryGiB = event.memoryGiB ?? slot.memoryGiB
  slot.draining = false
}

const NONE: readonly string[] = []

/** A job event with its defaults. Its lists are kept by reference while it waits. */
export function decode(event: JobEvent, arrival: number): WaitingJob {
  const expectedTokens = event.expectedTokens ?? 1
  const needs: Needs = {
    model: event.model,
    maxTick: event.maxTick ?? Number.POSITIVE_INFINITY,
    tokens: Math.min(expectedTokens, MOST_TOKENS),
    speedWeight: event.speedWeight ?? 0,
    minTier: event.minTier ? rank(event.minTier) : 0,
    regions: event.regions ?? NONE,
    gpus: event.gpus ?? NONE,
    minMemoryGiB: event.minMemoryGiB ?? 0,
    exclude: event.exclude ?? NONE,
  }
  return {
    id: event.id,
    tenant: event.tenant ?? '',
    expectedTokens,
    priority: event.priority ?? 0,
    arrival,
    deadline: event.deadline ?? Number.POSITIVE_INFINITY,
    needs,
  }
}

function rank(tier: Tier): number {
  return TIERS.indexOf(tier)
}
