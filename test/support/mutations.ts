/**
 * All changes of one bit of a message, for showing that a verifier accepts none of them.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'

/** Every `every`-th single-bit change of `bytes`, one at a time: the array is used again. */
export function* flips(bytes: Bytes, every = 1): Generator<Bytes> {
  const changed = bytes.slice()
  for (let bit = 0; bit < bytes.length * 8; bit += every) {
    changed[bit >> 3]! ^= 1 << (bit & 7)
    yield changed
    changed[bit >> 3]! ^= 1 << (bit & 7)
  }
}

/** How many were tried, and how many `accepts` took. */
export function counted(
  changes: Iterable<Bytes>,
  accepts: (changed: Bytes) => boolean,
): { tried: number; accepted: number } {
  let tried = 0
  let accepted = 0
  for (const changed of changes) {
    tried++
    if (accepts(changed)) accepted++
  }
  return { tried, accepted }
}
