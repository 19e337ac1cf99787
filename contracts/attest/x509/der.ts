/**
 * A strict reader of DER (X.690): what certificates, revocation lists and signatures are written
 * in.
 *
 * One value has one encoding here: definite lengths in the fewest bytes, tags of one byte, integers
 * without padding, booleans 00 or FF, times to the second in UTC. Anything else, bytes left over,
 * and nesting beyond a bound are refused with `evidence-malformed`. Nothing is copied: a value is a
 * view of the bytes it came from.
 * @module
 */
import type { Bytes } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { refused } from '../hardware.ts'

/** Identifier bytes of the types that are used here. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** The identifier byte of a context-specific constructed value: `[n]`. */
export const contextTag = (n: number): number => 0xa0 | n

/** One value: its identifier byte, what it holds, and all of its bytes. */
export interface Der {
  readonly tag: number
  readonly body: Bytes
  readonly whole: Bytes
  /** Values around this one, within the bytes first handed in. */
  readonly depth: number
}

const CONSTRUCTED = 0x20

/** The one value that `bytes` are. Throws `evidence-malformed`, also where bytes are left over. */
export function derOf(bytes: Bytes, tag: number, depth = 0): Der {
  const items = new DerItems(bytes, depth)
  const value = items.next(tag)
  items.end()
  return value
}

/** Reads the values inside a constructed one, in order. `end` must be called after the last. */
export class DerItems {
  readonly #bytes: Bytes
  readonly #depth: number
  #at = 0

  constructor(bytes: Bytes, depth: number) {
    if (depth > LIMITS.derDepth) throw malformed('it is nested too deeply')
    this.#bytes = bytes
    this.#depth = depth
  }

  /** The identifier byte of the next value; nothing at the end. */
  get tag(): number | undefined {
    return this.#bytes[this.#at]
  }

  /** The next value, which must have this tag. */
  next(tag: number): Der {
    if (this.tag !== tag) throw malformed('a value of another type was expected', { tag })
    const value = read(this.#bytes, this.#at, this.#depth)
    this.#at += value.whole.length
    return value
  }

  /** The next value where it has this tag. */
  optional(tag: number): Der | undefined {
    return this.tag === tag ? this.next(tag) : undefined
  }

  /** The next value of any tag of one byte; nothing at the end. */
  any(): Der | undefined {
    return this.tag === undefined ? undefined : this.next(this.tag)
  }

  /** Throws where values are left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed('bytes are left over')
  }
}

/** The values inside a constructed one. */
export function itemsOf(value: Der): DerItems {
  if (!(value.tag & CONSTRUCTED)) throw malformed('a value that holds no others')
  return new DerItems(value.body, value.depth + 1)
}

/** All values inside a constructed one, of any types. */
export function listOf(value: Der): Der[] {
  const items = itemsOf(value)
  const list: Der[] = []
  for (let item = items.any(); item; item = items.any()) list.push(item)
  return list
}

/** Body of an unsigned INTEGER without the sign byte; one zero byte for zero. */
export function unsignedBytes(value: Der): Bytes {
  const { body } = expect(value, TAG.integer)
  const [first, second] = body
  if (first === undefined) throw malformed('an integer without a byte')
  if (first & 0x80) throw malformed('a negative integer')
  if (first !== 0 || second === undefined) return body
  if (!(second & 0x80)) throw malformed('an integer with padding')
  return body.subarray(1)
}

/** An unsigned INTEGER of at most 32 bits. */
export function smallInteger(value: Der): number {
  const bytes = unsignedBytes(value)
  if (bytes.length > 4) throw malformed('an integer that is too large')
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
}

/** A BOOLEAN. */
export function boolean(value: Der): boolean {
  const { body } = expect(value, TAG.boolean)
  if (body.length !== 1 || (body[0] !== 0 && body[0] !== 0xff)) throw malformed('a bad boolean')
  return body[0] === 0xff
}

/** Bytes of a BIT STRING of whole bytes, as signatures and keys are. */
export function bitBytes(value: Der): Bytes {
  const { body } = expect(value, TAG.bitString)
  if (body[0] !== 0) throw malformed('a bit string that is not of whole bytes')
  return body.subarray(1)
}

/**
 * Named bits of a BIT STRING (at most 16), the first in the highest bit of 16. Trailing zero bits
 * may be written out, though DER cuts them: AMD's root certificates do.
 */
export function namedBits(value: Der): number {
  const { body } = expect(value, TAG.bitString)
  const [unused, first = 0, second = 0] = body
  if (unused === undefined || unused > 7 || body.length > 3) throw malformed('bad named bits')
  const last = body.length > 1 ? body[body.length - 1]! : 1
  if (last & ((1 << unused) - 1)) throw malformed('bad named bits')
  return (first << 8) | second
}

/** An OBJECT IDENTIFIER in dotted form. */
export function oidOf(value: Der): string {
  const { body } = expect(value, TAG.oid)
  if (body.length === 0 || body.length > LIMITS.oidBytes) throw malformed('a bad identifier')
  const arcs: number[] = []
  let arc = 0
  let open = false
  for (const byte of body) {
    if (!open && byte === 0x80) throw malformed('a padded identifier')
    arc = arc * 128 + (byte & 0x7f)
    if (arc > 0xffff_ffff) throw malformed('a bad identifier')
    open = (byte & 0x80) !== 0
    if (open) continue
    arcs.push(arc)
    arc = 0
  }
  if (open) throw malformed('a bad identifier')
  const top = Math.min(2, Math.floor(arcs[0]! / 40))
  return [top, arcs[0]! - 40 * top, ...arcs.slice(1)].join('.')
}

/** A UTCTime or GeneralizedTime, as RFC 5280 (4.1.2.5) allows them, in milliseconds. */
export function timeMs(value: Der): number {
  const digits = value.tag === TAG.utcTime ? 12 : value.tag === TAG.generalizedTime ? 14 : 0
  const text = String.fromCharCode(...value.body.subarray(0, 16))
  if (!digits || value.body.length !== digits + 1 || !/^\d+Z$/.test(text)) {
    throw malformed('a bad time')
  }
  // Two digits of a year are of 1950 to 2049.
  const full = digits === 14 ? text : (text < '50' ? '20' : '19') + text
  const iso = full.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6.000Z')
  const ms = Date.parse(iso)
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== iso) throw malformed('a bad time')
  return ms
}

function read(bytes: Bytes, start: number, depth: number): Der {
  const tag = bytes[start]!
  if ((tag & 0x1f) === 0x1f) throw malformed('a tag of several bytes')
  const first = bytes[start + 1]
  if (first === undefined) throw malformed('it is cut')
  const { length, at } = first < 0x80 ? { length: first, at: start + 2 } : long(bytes, start + 1)
  if (length > bytes.length - at) throw malformed('it is cut')
  const whole = bytes.subarray(start, at + length)
  return { tag, body: whole.subarray(at - start), whole, depth }
}

/** A length in several bytes: at most three, no fewer would do. */
function long(bytes: Bytes, start: number): { length: number; at: number } {
  const count = bytes[start]! & 0x7f
  if (count === 0) throw malformed('an indefinite length')
  if (count > 3) throw malformed('a length that is too large')
  if (start + count >= bytes.length) throw malformed('it is cut')
  let length = 0
  for (let i = 1; i <= count; i++) length = length * 256 + bytes[start + i]!
  if (length < 0x80 || length < 256 ** (count - 1)) throw malformed('a length with padding')
  return { length, at: start + 1 + count }
}

function expect(value: Der, tag: number): Der {
  if (value.tag !== tag) throw malformed('a value of another type was expected', { tag })
  return value
}

function malformed(because: string, facts: Record<string, number> = {}) {
  return refused('evidence-malformed', `bad DER: ${because}`, facts)
}
