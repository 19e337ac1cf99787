/**
 * Stacks in toncenter's JSON, as `TonClient` writes and reads them.
 * @module
 */
import { beginCell, Cell, type TupleItem } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import {
  formatEntry,
  formatPair,
  parseStack,
  parseTypedStack,
} from '../../../node/localnet/stack.ts'

const cell = beginCell().storeUint(5, 8).endCell()
const boc = cell.toBoc().toString('base64')
const int = (value: bigint): TupleItem => ({ type: 'int', value })
const number = (text: string) => ({
  '@type': 'tvm.stackEntryNumber',
  number: { '@type': 'tvm.numberDecimal', number: text },
})
const refused = expect.objectContaining({ code: 'bad-input' })

describe('arguments', () => {
  it.each<[unknown, TupleItem]>([
    [['num', '12'], int(12n)],
    [['num', '-0x1f'], int(-31n)],
    [['num', 7], int(7n)],
    [['null'], { type: 'null' }],
    [
      ['tuple', { '@type': 'tvm.tuple', elements: [number('1'), number('2')] }],
      { type: 'tuple', items: [int(1n), int(2n)] },
    ],
    [['list', { '@type': 'tvm.list', elements: [] }], { type: 'null' }],
    [
      ['list', { '@type': 'tvm.list', elements: [number('1'), number('2')] }],
      { type: 'tuple', items: [int(1n), { type: 'tuple', items: [int(2n), { type: 'null' }] }] },
    ],
  ])('%j are read', (item, expected) => {
    expect(parseStack([item])).toEqual([expected])
  })

  it('of cells are read in every spelling', () => {
    const spellings = ['tvm.Cell', 'cell', 'tvm.Slice', 'slice', 'tvm.Builder', 'builder']
    for (const name of spellings) {
      for (const value of [boc, { bytes: boc }]) {
        const [item] = parseStack([[name, value]])
        expect(item && 'cell' in item && item.cell.equals(cell)).toBe(true)
      }
    }
  })

  it.each<[unknown]>([
    [['num']],
    [['num', '1e3']],
    [['num', '0x']],
    [['num', `0x${'f'.repeat(66)}`]],
    [['cell', 'not base64!']],
    [['cell', 5]],
    [['other', '1']],
    [{ type: 'num' }],
    [null],
    [['tuple', 'x']],
    [['tuple', { elements: [['num', '1']] }]],
    [['list', { elements: [{ '@type': 'tvm.stackEntryUnsupported' }] }]],
  ])('%j are refused', (item) => {
    expect(() => parseStack([item])).toThrow(refused)
    expect(() => parseTypedStack([item])).toThrow(refused)
  })

  it('are bounded in number, however they are nested', () => {
    const nested = (depth: number): object =>
      depth === 0
        ? number('1')
        : { '@type': 'tvm.stackEntryTuple', tuple: { elements: [nested(depth - 1)] } }
    expect(parseTypedStack([nested(LIMITS.stackItems - 1)])).toHaveLength(1)
    expect(() => parseTypedStack([nested(LIMITS.stackItems)])).toThrow(refused)
    const many = { elements: Array(LIMITS.stackItems + 1).fill(number('1')) }
    expect(() => parseStack([['tuple', many]])).toThrow(refused)
  })
})

describe('results', () => {
  const items: TupleItem[] = [
    int(-(2n ** 255n)),
    int(0n),
    { type: 'cell', cell },
    { type: 'slice', cell },
    { type: 'null' },
    { type: 'tuple', items: [int(1n), { type: 'slice', cell }, { type: 'null' }] },
    { type: 'tuple', items: [int(1n), { type: 'tuple', items: [int(2n), { type: 'null' }] }] },
    { type: 'tuple', items: [] },
  ]

  it('in typed form come back as they went', () => {
    const again = parseTypedStack(JSON.parse(JSON.stringify(items.map(formatEntry))))
    expect(again.map((item) => formatEntry(item))).toEqual(items.map(formatEntry))
    expect(again.map(({ type }) => type)).toEqual(items.map(({ type }) => type))
  })

  it('in pairs come back as they went, but that a slice is a cell', () => {
    const again = parseStack(JSON.parse(JSON.stringify(items.map(formatPair))))
    const types = items.map(({ type }) => (type === 'slice' ? 'cell' : type))
    expect(again.map(({ type }) => type)).toEqual(types)
    expect(again[0]).toEqual(items[0])
  })

  it('are lists where pairs end in null, and tuples else', () => {
    const pair = (tail: TupleItem): TupleItem => ({ type: 'tuple', items: [int(1n), tail] })
    expect(formatPair(pair(int(2n)))).toMatchObject(['tuple', { elements: [{}, {}] }])
    expect(formatPair(pair({ type: 'null' }))).toMatchObject(['list', { elements: [number('1')] }])
    expect(formatPair({ type: 'null' })).toMatchObject(['list', { elements: [] }])
  })

  it('without a form are told as such', () => {
    expect(formatPair({ type: 'builder', cell })).toEqual(['unsupported', ''])
    expect(formatEntry({ type: 'nan' })).toEqual({ '@type': 'tvm.stackEntryUnsupported' })
  })

  it('spell out their cells', () => {
    const odd = beginCell().storeUint(1, 3).storeRef(cell).endCell()
    const data = { b64: Buffer.from([0x30]).toString('base64'), len: 3 }
    const inner = { data: { b64: 'BQ==', len: 8 }, refs: [], special: false }
    expect(formatPair({ type: 'cell', cell: odd })).toMatchObject([
      'cell',
      { object: { data, refs: [inner], special: false } },
    ])
  })

  it('leave out a tree that a small bag makes endless', () => {
    let tree = Cell.EMPTY
    for (let i = 0; i < 60; i++) tree = beginCell().storeRef(tree).storeRef(tree).endCell()
    const [, value] = formatPair({ type: 'cell', cell: tree })
    expect(value).toEqual({ bytes: expect.any(String) })
  })
})
