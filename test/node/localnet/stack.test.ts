/**
 * Stacks in toncenter's JSON, as `TonClient` writes and reads them.
 * @module
 */
import { beginCell, type TupleItem } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { formatStackItem, parseStackItem } from '../../../node/localnet/stack.ts'

const cell = beginCell().storeUint(5, 8).endCell()
const boc = cell.toBoc().toString('base64')

describe('arguments', () => {
  it.each<[unknown, TupleItem]>([
    [['num', '12'], { type: 'int', value: 12n }],
    [['num', '-0x1f'], { type: 'int', value: -31n }],
    [['num', 7], { type: 'int', value: 7n }],
    [['null'], { type: 'null' }],
  ])('%j are read', (item, expected) => {
    expect(parseStackItem(item)).toEqual(expected)
  })

  it('of cells are read in every spelling', () => {
    const spellings = ['tvm.Cell', 'cell', 'tvm.Slice', 'slice', 'tvm.Builder', 'builder']
    for (const name of spellings) {
      const item = parseStackItem([name, boc])
      expect('cell' in item && item.cell.equals(cell)).toBe(true)
    }
  })

  it.each<[unknown]>([
    ['num'],
    [['num', '1e3']],
    [['num', '0x']],
    [['num', `0x${'f'.repeat(66)}`]],
    [['cell', 'not base64!']],
    [['cell', 5]],
    [['other', '1']],
    [{ type: 'num' }],
    [null],
    [['tuple', 'x']],
  ])('%j are refused', (item) => {
    expect(() => parseStackItem(item)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })
})

describe('results', () => {
  it('come back as they went, where both directions have a form', () => {
    const items: TupleItem[] = [
      { type: 'int', value: -(2n ** 255n) },
      { type: 'int', value: 0n },
      { type: 'cell', cell },
    ]
    for (const item of items) {
      const parsed = parseStackItem(formatStackItem(item))
      expect(parsed.type).toBe(item.type)
      if (item.type === 'int') expect(parsed).toEqual(item)
    }
  })

  it('have tuples in typed form, nested', () => {
    const inner: TupleItem = { type: 'tuple', items: [{ type: 'int', value: 1n }] }
    const [type, value] = formatStackItem({ type: 'tuple', items: [inner, { type: 'cell', cell }] })
    expect(type).toBe('tuple')
    expect(JSON.stringify(value)).toContain('"tvm.stackEntryTuple"')
    expect(JSON.stringify(value)).toContain(boc)
  })
})
