/**
 * A tiny writer of DER (X.690), for certificates and revocation lists that tests make. It writes
 * whatever it is told: defects are the purpose.
 * @module
 */
import { type Bytes, concat, fromHex, utf8 } from '../../contracts/base/bytes.ts'

/** Any value: identifier byte, and bodies joined behind their length. */
export function der(tag: number, ...bodies: readonly Bytes[]): Bytes {
  const body = concat(...bodies)
  return concat(Uint8Array.of(tag), lengthOf(body.length), body)
}

export const sequence = (...parts: readonly Bytes[]): Bytes => der(0x30, ...parts)
export const set = (...parts: readonly Bytes[]): Bytes => der(0x31, ...parts)
export const octets = (bytes: Bytes): Bytes => der(0x04, bytes)
export const bits = (bytes: Bytes, unused = 0): Bytes => der(0x03, Uint8Array.of(unused), bytes)
export const boolean = (value: boolean): Bytes => der(0x01, Uint8Array.of(value ? 0xff : 0))
export const text = (value: string): Bytes => der(0x0c, utf8(value))
export const enumerated = (value: number): Bytes => der(0x0a, Uint8Array.of(value))
/** `[n]`, constructed. */
export const context = (n: number, ...parts: readonly Bytes[]): Bytes => der(0xa0 | n, ...parts)

/** An unsigned INTEGER, of a number or of big-endian bytes. */
export function integer(value: number | bigint | Bytes): Bytes {
  const hex = value instanceof Uint8Array ? '' : value.toString(16)
  const bytes =
    value instanceof Uint8Array ? value : fromHex(hex.padStart(hex.length + (hex.length % 2), '0'))
  return (bytes[0] ?? 0) & 0x80 ? der(0x02, new Uint8Array(1), bytes) : der(0x02, bytes)
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, ...[40 * first + second, ...rest].map(base128))
}

/** UTCTime up to 2049, GeneralizedTime after it. */
export function time(ms: number): Bytes {
  const digits = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '')
  return digits < '2050' ? der(0x17, utf8(digits.slice(2))) : der(0x18, utf8(digits))
}

function lengthOf(length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(length)
  const hex = length.toString(16)
  const bytes = fromHex(hex.padStart(hex.length + (hex.length % 2), '0'))
  return concat(Uint8Array.of(0x80 | bytes.length), bytes)
}

function base128(arc: number): Bytes {
  const bytes = [arc % 128]
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
    bytes.unshift(0x80 | (left % 128))
  }
  return Uint8Array.from(bytes)
}
