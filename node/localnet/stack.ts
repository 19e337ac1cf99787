/**
 * A get method's stack in toncenter's JSON (API v2): pairs of a type and a value going in, the same
 * with cells as objects coming out, tuples in tonlib's typed form.
 * @module
 */
import type { Cell, TupleItem } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { parseCell } from './params.ts'

/** One argument: `["num", "0x1"]`, `["tvm.Cell", BOC]` and so on. Throws `bad-input`. */
export function parseStackItem(item: unknown): TupleItem {
  const [type, value] = Array.isArray(item) ? item : []
  switch (type) {
    case 'num':
    case 'int':
      return { type: 'int', value: parseInteger(value) }
    case 'cell':
    case 'tvm.Cell':
      return { type: 'cell', cell: parseCell(bocOf(value), 'stack') }
    case 'slice':
    case 'tvm.Slice':
      return { type: 'slice', cell: parseCell(bocOf(value), 'stack') }
    case 'builder':
    case 'tvm.Builder':
      return { type: 'builder', cell: parseCell(bocOf(value), 'stack') }
    case 'null':
      return { type: 'null' }
    case 'tuple':
    case 'list':
      return { type: 'tuple', items: elementsOf(value).map(parseStackItem) }
  }
  throw wrongStack()
}

/** One result as toncenter writes it. */
export function formatStackItem(item: TupleItem): unknown[] {
  switch (item.type) {
    case 'int':
      return ['num', formatInteger(item.value)]
    case 'nan':
      return ['num', 'nan']
    case 'null':
      return ['list', { '@type': 'tvm.list', elements: [] }]
    case 'tuple':
      return ['tuple', { '@type': 'tvm.tuple', elements: item.items.map(formatEntry) }]
    default:
      // Slices and builders leave as cells, as they do from toncenter.
      return ['cell', { bytes: bocText(item.cell), object: { data: {}, refs: [] } }]
  }
}

function formatEntry(item: TupleItem): object {
  switch (item.type) {
    case 'int':
      return {
        '@type': 'tvm.stackEntryNumber',
        number: { '@type': 'tvm.numberDecimal', number: item.value.toString() },
      }
    case 'nan':
    case 'null':
      return { '@type': 'tvm.stackEntryList', list: { '@type': 'tvm.list', elements: [] } }
    case 'tuple':
      return {
        '@type': 'tvm.stackEntryTuple',
        tuple: { '@type': 'tvm.tuple', elements: item.items.map(formatEntry) },
      }
    case 'slice':
      return {
        '@type': 'tvm.stackEntrySlice',
        slice: { '@type': 'tvm.slice', bytes: bocText(item.cell) },
      }
    default:
      return {
        '@type': 'tvm.stackEntryCell',
        cell: { '@type': 'tvm.cell', bytes: bocText(item.cell) },
      }
  }
}

function parseInteger(value: unknown): bigint {
  const match = /^(-?)(0x[0-9a-fA-F]{1,65}|\d{1,78})$/.exec(String(value))
  if (!match) throw wrongStack()
  const magnitude = BigInt(match[2]!)
  return match[1] ? -magnitude : magnitude
}

function formatInteger(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`
}

function bocOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Object && 'bytes' in value && typeof value.bytes === 'string') {
    return value.bytes
  }
  throw wrongStack()
}

function elementsOf(value: unknown): unknown[] {
  const elements = value instanceof Object && 'elements' in value ? value.elements : value
  if (Array.isArray(elements)) return elements
  throw wrongStack()
}

function bocText(value: Cell): string {
  return value.toBoc().toString('base64')
}

function wrongStack(): MarketError {
  return new MarketError('bad-input', { field: 'stack', expected: 'pairs of a type and a value' })
}
