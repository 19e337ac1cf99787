/**
 * Unsigned varints (LEB128) below 2^32, in their shortest form only, for `pieces.ts`.
 * @module
 */
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'

const LIMIT = 2 ** 32

/** One to five bytes. Throws `bad-input` on anything but an integer from 0 to 2^32 - 1. */
export function varint(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value >= LIMIT) {
    throw new MarketError('bad-input', { expected: 'an unsigned 32-bit integer' })
  }
  const out: number[] = []
  let left = value
  for (; left >= 0x80; left = Math.floor(left / 0x80)) out.push((left % 0x80) | 0x80)
  out.push(left)
  return Uint8Array.from(out)
}

/** The varint at `at`; nothing where it is cut short. Throws `bad-frame` on any other form. */
export function readVarint(bytes: Bytes, at: number): { value: number; end: number } | undefined {
  let value = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) {
      if ((byte === 0 && i > 0) || value >= LIMIT) break
      return { value, end: at + i + 1 }
    }
  }
  throw new MarketError('bad-frame', { detail: 'a varint that is too long' })
}
