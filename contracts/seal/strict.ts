/**
 * Reading the bodies of pieces strictly: whatever is not exactly right is `bad-frame`.
 * @module
 */
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { readVarint } from './varint.ts'

/** Facts of an error as they travel: plain values only. */
export type PieceFacts = Readonly<Record<string, string | number | boolean>>

/** The first `count` varints of a body, and what follows them. */
export function integers(bytes: Bytes, count: number): { values: number[]; rest: Bytes } {
  const values: number[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    const next = readVarint(bytes, at)
    if (!next) throw malformed('an integer cut short')
    values.push(next.value)
    at = next.end
  }
  return { values, rest: bytes.subarray(at) }
}

/** UTF-8, and nothing that only resembles it. */
export function text(bytes: Bytes): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new MarketError('bad-frame', { detail: 'text that is not UTF-8' }, { cause })
  }
}

/** A JSON object. */
export function object(json: string): object {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new MarketError('bad-frame', { detail: 'a body that is not JSON' }, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed('a body that is no JSON object')
  }
  return value
}

/** An object whose values are all plain. */
export function facts(value: object): PieceFacts {
  const entries = Object.entries(value)
  for (const [key, fact] of entries) {
    const plain = ['string', 'number', 'boolean'].includes(typeof fact)
    if (!plain || key === '__proto__') throw malformed('facts that are not plain')
  }
  return Object.fromEntries(entries)
}

/** `bad-frame`: the frame was authentic, so its content is the provider's doing. */
export function malformed(detail: string): MarketError {
  return new MarketError('bad-frame', { detail })
}
