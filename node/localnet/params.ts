/**
 * Parameters of a call as toncenter's clients send them: JSON values by JSON-RPC, strings by query.
 *
 * Everything read here is checked once; what is missing or malformed is `bad-input` with the name
 * of the parameter. Unknown parameters are passed over, as toncenter does.
 * @module
 */
import { Address, Cell } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'

const MOST_INT32 = 2 ** 31 - 1
const MOST_INT64 = 2n ** 63n - 1n

export type Params = Readonly<Record<string, unknown>>

/** The failure of one parameter. */
export const wrong = (field: string, expected: string, cause?: unknown) =>
  new MarketError('bad-input', { field, expected }, { cause })

/** A present string or number as text; undefined where absent or empty. */
export function optionalText(params: Params, field: string): string | undefined {
  const value = params[field]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'number' || typeof value === 'string') return String(value)
  throw wrong(field, 'a string')
}

export function text(params: Params, field: string): string {
  const value = optionalText(params, field)
  if (value === undefined) throw wrong(field, 'a value')
  return value
}

/** A friendly or raw address. */
export function address(params: Params, field = 'address'): Address {
  return parseAddress(text(params, field), field)
}

export function parseAddress(value: string, field: string): Address {
  try {
    return Address.parse(value)
  } catch (cause) {
    throw wrong(field, 'an address', cause)
  }
}

/** An integer from `least` to `most`; `fallback` where absent. */
export function integer(
  params: Params,
  field: string,
  bounds: { least: number; most: number; fallback?: number },
): number {
  const value = optionalText(params, field)
  if (value === undefined && bounds.fallback !== undefined) return bounds.fallback
  const number = /^-?\d{1,15}$/.test(value ?? '') ? Number(value) : Number.NaN
  if (!(number >= bounds.least && number <= bounds.most)) {
    throw wrong(field, `an integer from ${bounds.least} to ${bounds.most}`)
  }
  return number
}

/** The number of a block, from 1. */
export function seqno(params: Params, field = 'seqno'): number {
  return integer(params, field, { least: 1, most: MOST_INT32 })
}

export function optionalSeqno(params: Params): number | undefined {
  return optionalText(params, 'seqno') === undefined ? undefined : seqno(params)
}

/** A logical time; undefined where absent. */
export function optionalLt(params: Params, field: string): bigint | undefined {
  const value = optionalText(params, field)
  if (value === undefined) return undefined
  const lt = /^\d{1,19}$/.test(value) ? BigInt(value) : MOST_INT64 + 1n
  if (lt > MOST_INT64) throw wrong(field, 'a logical time')
  return lt
}

export function lt(params: Params, field: string): bigint {
  const value = optionalLt(params, field)
  if (value === undefined) throw wrong(field, 'a logical time')
  return value
}

/** `true`, `false`, 1 or 0, as a JSON value or as text; undefined where absent. */
export function optionalFlag(params: Params, field: string): boolean | undefined {
  if (typeof params[field] === 'boolean') return params[field]
  const value = optionalText(params, field)
  if (value === undefined) return undefined
  if (/^(?:true|1)$/i.test(value)) return true
  if (/^(?:false|0)$/i.test(value)) return false
  throw wrong(field, 'true or false')
}

/** A hash of 32 bytes, in hex or base64; undefined where absent. */
export function optionalHash(params: Params, field: string): Buffer | undefined {
  const value = optionalText(params, field)
  if (value === undefined) return undefined
  return parseHash(value, field)
}

export function parseHash(value: string, field: string): Buffer {
  const isHex = /^[0-9a-fA-F]{64}$/.test(value)
  if (!isHex && !/^[\w+/-]{43}=?$/.test(value)) throw wrong(field, 'a hash of 32 bytes')
  return Buffer.from(value, isHex ? 'hex' : 'base64')
}

/** One cell as a bag of cells in base64. */
export function cell(params: Params, field: string): Cell {
  return parseCell(text(params, field), field)
}

export function optionalCell(params: Params, field: string): Cell | undefined {
  const value = optionalText(params, field)
  return value === undefined ? undefined : parseCell(value, field)
}

export function parseCell(value: string, field: string): Cell {
  try {
    return Cell.fromBase64(value)
  } catch (cause) {
    throw wrong(field, 'one cell as a bag of cells in base64', cause)
  }
}

export function list(params: Params, field: string, most: number): unknown[] {
  const value = params[field] ?? []
  if (!Array.isArray(value) || value.length > most) throw wrong(field, `at most ${most} items`)
  return value
}

/** A JSON object as parameters. */
export function asParams(value: unknown, field: string): Params {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong(field, 'an object')
  return { ...value }
}
