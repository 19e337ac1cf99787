/**
 * Randomness by seed, for simulations and tests: SHA-256 in counter mode.
 *
 * Every use that must not disturb another one takes a `fork` of its own: what is drawn from one
 * fork does not depend on how much was drawn elsewhere. Never used where money or keys are real.
 * @module
 */
import { type Bytes, u64, utf8 } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Random } from '../../contracts/base/ports.ts'
import { sha256 } from '../../contracts/base/signing.ts'

/** A reproducible source. */
export interface SeededRandom extends Random {
  /** An independent source named `label`: the same for the same seed and label. */
  fork(label: string): SeededRandom
  /** Uniform in [0, 1), 53 bits. */
  float(): number
  /** Uniform integer in [0, n), without bias. Throws `bad-input` where n is not in 1 to 2^48. */
  int(n: number): number
  /** True with probability `p`. */
  chance(p: number): boolean
  /** One of `items`. Throws `bad-input` where there is none. */
  pick<T>(items: readonly T[]): T
}

/**
 * A source that gives the same values for the same seed, on every machine.
 *
 * @example
 * createSeededRandom(7).fork('network').int(6)
 */
export function createSeededRandom(seed: string | number): SeededRandom {
  return fromKey(sha256(utf8(`chrysalis/seed/${seed}`)))
}

function fromKey(key: Bytes): SeededRandom {
  let counter = 0
  let block: Bytes = new Uint8Array(0)
  let used = 0

  const bytes = (length: number): Bytes => {
    const out = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      if (used === block.length) {
        block = sha256(key, u64(counter++))
        used = 0
      }
      const part = block.subarray(used, used + Math.min(block.length - used, length - at))
      out.set(part, at)
      at += part.length
      used += part.length
    }
    return out
  }
  /** 48 bits as a number. */
  const draw48 = (): number => Buffer.from(bytes(6)).readUIntBE(0, 6)

  const int = (n: number): number => {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 48) {
      throw new MarketError('bad-input', { field: 'n', expected: 'an integer from 1 to 2^48' })
    }
    const fair = 2 ** 48 - (2 ** 48 % n)
    let drawn = draw48()
    while (drawn >= fair) drawn = draw48()
    return drawn % n
  }
  const float = (): number => Number(Buffer.from(bytes(8)).readBigUInt64BE() >> 11n) / 2 ** 53

  return {
    bytes,
    fork: (label) => fromKey(sha256(key, utf8(`/fork/${label}`))),
    float,
    int,
    chance: (p) => float() < p,
    pick: (items) => items[int(items.length)]!,
  }
}
