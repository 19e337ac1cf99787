/**
 * xoshiro128** 1.1 (Blackman and Vigna), seeded through SplitMix32: the only randomness of the
 * matching core. Not for keys: anyone who knows the seed knows every draw.
 * @module
 */

/** Uniform integers below `bound` (at most 2^32), the same for the same seed. */
export type Draw = (bound: number) => number

/**
 * A generator from an unsigned 32-bit seed. `draw(n)` is the high part of `next * n`, whose bias is
 * below n / 2^32: nothing beside the number of slots of a pool.
 *
 * @example
 * const draw = generator(7); draw(10) // 0 to 9
 */
export function generator(seed: number): Draw {
  const state = expand(seed)
  return (bound) => Math.floor((next(state) / 2 ** 32) * bound)
}

/** One step of xoshiro128**: the next unsigned 32-bit output. `state` is four words, not all 0. */
export function next(state: Uint32Array): number {
  const s1 = state[1]!
  const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0
  state[2]! ^= state[0]!
  state[3]! ^= s1
  state[1]! ^= state[2]!
  state[0]! ^= state[3]!
  state[2]! ^= s1 << 9
  state[3] = rotate(state[3]!, 11)
  return result
}

/** Four state words from one: SplitMix32 never gives four zeros in a row. */
function expand(seed: number): Uint32Array {
  const words = new Uint32Array(4)
  let at = seed >>> 0
  for (let i = 0; i < 4; i++) {
    at = (at + 0x9e3779b9) >>> 0
    let word = Math.imul(at ^ (at >>> 16), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    words[i] = word ^ (word >>> 16)
  }
  return words
}

function rotate(word: number, by: number): number {
  return ((word << by) | (word >>> (32 - by))) >>> 0
}
