/**
 * Draws of the simulation: every figure comes from a seed, nothing from the machine.
 * @module
 */
import { generator } from '../../../node/matching/random.ts'

export interface Chance {
  /** Uniform in [0, 1). */
  unit(): number
  /** A uniform integer from 0 to `bound - 1`. */
  below(bound: number): number
  pick<T>(list: readonly T[]): T
  /** Exponential of that mean. */
  exponential(mean: number): number
  /** Log-normal of that median; `sigma` is the deviation of the logarithm. */
  logNormal(median: number, sigma: number): number
  /** Log-uniform between two positive bounds. */
  logUniform(from: number, to: number): number
}

/** Draws from an unsigned 32-bit seed and a name, so that each use has a stream of its own. */
export function chanceOf(seed: number, use: string): Chance {
  let mixed = seed >>> 0
  for (let i = 0; i < use.length; i++)
    mixed = Math.imul(mixed ^ use.charCodeAt(i), 0x01000193) >>> 0
  const below = generator(mixed)
  const unit = (): number => below(2 ** 32) / 2 ** 32
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit())
  return {
    unit,
    below,
    pick: (list) => list[below(list.length)]!,
    exponential: (mean) => -mean * Math.log(1 - unit()),
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
    logUniform: (from, to) => from * (to / from) ** unit(),
  }
}
