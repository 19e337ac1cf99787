/**
 * What a classifier is given of a capture: by its sizes alone, or with times.
 * @module
 */
import { TICK_MS } from '../../../contracts/seal/pacer.ts'
import type { Capture } from './traffic.ts'

/** Writes, and ticks, that are looked at one by one. */
const FIRST = 40

/** Numbers, sizes, order, and their distribution; no clock. */
export function bySize({ writes, ciphertexts, billed, request }: Capture): number[] {
  const sizes = writes.map(({ bytes }) => bytes)
  return [
    request,
    billed,
    sizes.length,
    ciphertexts.length,
    sum(sizes),
    mean(sizes),
    deviation(sizes),
    Math.max(...sizes),
    new Set(sizes).size,
    ...first(sizes),
  ]
}

/** When: the first write, the whole, the gaps, and how much came in each tick. */
export function byTime({ writes }: Capture): number[] {
  const times = writes.map(({ atMs }) => atMs)
  const gaps = times.slice(1).map((time, i) => time - times[i]!)
  const perTick = new Array<number>(FIRST).fill(0)
  for (const { atMs, bytes } of writes) {
    const tick = Math.floor(atMs / TICK_MS)
    if (tick < FIRST) perTick[tick]! += bytes
  }
  const duration = (times.at(-1) ?? 0) - (times[0] ?? 0)
  const start = times[0] ?? 0
  return [start, duration, mean(gaps), deviation(gaps), ...first(gaps), ...perTick]
}

function first(values: readonly number[]): number[] {
  return Array.from({ length: FIRST }, (_, i) => values[i] ?? 0)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length
}

function deviation(values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}
