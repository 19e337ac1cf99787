/**
 * Bytes: hex, base64, comparing and joining, and fixed-width big-endian integers.
 *
 * Pure helpers for every room. Comparing in constant time is for values an attacker may guess at.
 * @module
 */
import { MarketError } from './errors.ts'

export type Bytes = Uint8Array

/** Bytes to lower-case hex. */
export function toHex(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Hex to bytes; `length`, where given, is required. Throws `bad-input`. */
export function fromHex(hex: string, length?: number): Bytes {
  const wrong = !/^(?:[0-9a-fA-F]{2})*$/.test(hex)
  if (wrong || (length !== undefined && hex.length !== 2 * length)) {
    throw new MarketError('bad-input', { expected: length ? `${length} bytes of hex` : 'hex' })
  }
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

/** Bytes to standard base64. */
export function toBase64(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Standard base64 to bytes; refuses what is not canonical. Throws `bad-input`. */
export function fromBase64(text: string): Bytes {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new MarketError('bad-input', { expected: 'base64' })
  return new Uint8Array(bytes)
}

/** UTF-8 bytes of a string. */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text)
}

/** One array from many. */
export function concat(...parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Equality whose time depends on the length only. */
export function equal(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

/** Each part behind its length as 32 bits, so that no two lists of parts share an encoding. */
export function lengthPrefixed(...parts: readonly Bytes[]): Bytes {
  return concat(...parts.flatMap((part) => [u32(part.length), part]))
}

/** 32-bit unsigned, big-endian. */
export function u32(value: number): Bytes {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}

/** A signed 32-bit integer, big-endian (network ids are negative on TON). */
export function i32(value: number): Bytes {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setInt32(0, value)
  return out
}

/** 64-bit unsigned, big-endian. */
export function u64(value: bigint | number): Bytes {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(value))
  return out
}

/** A big-endian unsigned integer of any length. */
export function toBigInt(bytes: Bytes): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`)
}

/** An unsigned integer as `length` big-endian bytes. Throws `bad-input` where it does not fit. */
export function fromBigInt(value: bigint, length: number): Bytes {
  if (value < 0n || value >= 1n << BigInt(8 * length)) {
    throw new MarketError('bad-input', { expected: `an unsigned integer of ${length} bytes` })
  }
  return fromHex(value.toString(16).padStart(2 * length, '0'))
}
