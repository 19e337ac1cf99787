/**
 * The real source of randomness: the operating system's, through node:crypto.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { Random } from '../../contracts/base/ports.ts'

/** Cryptographic randomness. */
export function createRandom(): Random {
  return { bytes: (length) => new Uint8Array(randomBytes(length)) }
}
