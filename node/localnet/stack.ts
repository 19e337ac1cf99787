/**
 * A get method's stack in toncenter's JSON: pairs of a type and a value (`runGetMethod`), and
 * tonlib's typed entries (`runGetMethodStd`, and inside tuples of both).
 *
 * As tonlib: a chain of pairs that ends in null is a list, null is the empty list, and what JSON
 * has no form for (builders, numbers that are none) is `unsupported`.
 * @module
 */
import type { Cell, TupleItem } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { cellObject } from './cellJson.ts'
import { parseCell } from './params.ts'

/** Reads a whole stack of pairs. Throws `bad-input`. */
export function parseStack(items: readonly unknown[]): TupleItem[] {
  const budget = { left: LIMITS.stackItems }
  return items.map((item) => parsePair(item, budget))
}

/** Reads a whole stack of typed entries. Throws `bad-input`. */
export function parseTypedStack(items: readonly unknown[]): TupleItem[] {
  const budget = { left: LIMITS.stackItems }
  return items.map((item) => parseEntry(item, budget))
}

/** One result as `runGetMethod` tells it. */
export function formatPair(item: TupleItem): unknown[] {
  switch (item.type) {
    case 'int':
      return ['num', formatInteger(item.value)]
    case 'cell':
    case 'slice':
      // Slices leave as cells, as they do from toncenter.
      return ['cell', { bytes: bocText(item.cell), ...cellObject(item.cell) }]
    case 'null':
    case 'tuple': {
      const list = elementsOfList(item)
      if (list) return ['list', { '@type': 'tvm.list', elements: list.map(formatEntry) }]
      return ['tuple', { '@type': 'tvm.tuple', elements: itemsOf(item).map(formatEntry) }]
    }
    default:
      return ['unsupported', '']
  }
}

/** One result as `runGetMethodStd` tells it. */
export function formatEntry(item: TupleItem): object {
  switch (item.type) {
    case 'int': {
      const number = { '@type': 'tvm.numberDecimal', number: item.value.toString() }
      return { '@type': 'tvm.stackEntryNumber', number }
    }
    case 'cell': {
      const cell = { '@type': 'tvm.cell', bytes: bocText(item.cell) }
      return { '@type': 'tvm.stackEntryCell', cell }
    }
    case 'slice': {
      const slice = { '@type': 'tvm.slice', bytes: bocText(item.cell) }
      return { '@type': 'tvm.stackEntrySlice', slice }
    }
    case 'null':
    case 'tuple': {
      const elements = elementsOfList(item)?.map(formatEntry)
      if (elements)
        return { '@type': 'tvm.stackEntryList', list: { '@type': 'tvm.list', elements } }
      const tuple = { '@type': 'tvm.tuple', elements: itemsOf(item).map(formatEntry) }
      return { '@type': 'tvm.stackEntryTuple', tuple }
    }
    default:
      return { '@type': 'tvm.stackEntryUnsupported' }
  }
}

interface Budget {
  left: number
}

function parsePair(item: unknown, budget: Budget): TupleItem {
  const [type, value] = Array.isArray(item) ? item : []
  switch (type) {
    case 'num':
    case 'number':
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
    case 'tvm.Tuple':
      return { type: 'tuple', items: parseElements(value, budget) }
    case 'list':
    case 'tvm.List':
      return toList(parseElements(value, budget))
  }
  throw wrongStack()
}

function parseEntry(value: unknown, budget: Budget): TupleItem {
  if (budget.left-- <= 0) throw wrongStack()
  const entry = objectOf(value)
  switch (entry['@type']) {
    case 'tvm.stackEntryNumber':
      return { type: 'int', value: parseInteger(objectOf(entry.number).number) }
    case 'tvm.stackEntryCell':
      return { type: 'cell', cell: parseCell(bocOf(entry.cell), 'stack') }
    case 'tvm.stackEntrySlice':
      return { type: 'slice', cell: parseCell(bocOf(entry.slice), 'stack') }
    case 'tvm.stackEntryTuple':
      return { type: 'tuple', items: parseElements(entry.tuple, budget) }
    case 'tvm.stackEntryList':
      return toList(parseElements(entry.list, budget))
  }
  throw wrongStack()
}

function parseElements(value: unknown, budget: Budget): TupleItem[] {
  const { elements } = objectOf(value)
  if (!Array.isArray(elements) || elements.length > budget.left) throw wrongStack()
  return elements.map((element) => parseEntry(element, budget))
}

function toList(items: readonly TupleItem[]): TupleItem {
  return items.reduceRight<TupleItem>((tail, head) => ({ type: 'tuple', items: [head, tail] }), {
    type: 'null',
  })
}

/** The elements of a chain of pairs that ends in null; undefined where it is no list. */
function elementsOfList(item: TupleItem): TupleItem[] | undefined {
  const elements: TupleItem[] = []
  let at = item
  while (at.type === 'tuple' && at.items.length === 2) {
    elements.push(at.items[0]!)
    at = at.items[1]!
  }
  return at.type === 'null' ? elements : undefined
}

function itemsOf(item: TupleItem): readonly TupleItem[] {
  return item.type === 'tuple' ? item.items : []
}

function parseInteger(value: unknown): bigint {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  const match = /^([+-]?)(0x[0-9a-fA-F]{1,65}|\d{1,78})$/.exec(text)
  if (!match) throw wrongStack()
  const magnitude = BigInt(match[2]!)
  return match[1] === '-' ? -magnitude : magnitude
}

function formatInteger(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`
}

function bocOf(value: unknown): string {
  if (typeof value === 'string') return value
  const { bytes } = objectOf(value)
  if (typeof bytes === 'string') return bytes
  throw wrongStack()
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value instanceof Object && !Array.isArray(value)) return { ...value }
  throw wrongStack()
}

function bocText(value: Cell): string {
  return value.toBoc().toString('base64')
}

function wrongStack(): MarketError {
  return new MarketError('bad-input', { field: 'stack', expected: 'pairs of a type and a value' })
}
