/**
 * Parameters as a cell and back: one cell for given words, and no other is read.
 * @module
 */
import { beginCell, Cell } from '@ton/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { readDict } from '../../../contracts/wrappers/boundedDict.ts'
import {
  decodeParameters,
  encodeParameters,
  type ListedParameters,
  longestCaseS,
  PARAMETER_BOUNDS,
} from '../../../contracts/wrappers/parameters.ts'
import { hashOf, someAddress, someParameters } from '../../support/someParameters.ts'

/** Values that a test can compare: an address is its text. */
const plain = (p: ListedParameters): unknown => ({
  ...p,
  disputes: {
    ...p.disputes,
    arbiters: p.disputes.arbiters.map(({ key, account }) => `${key} ${account.toRawString()}`),
  },
})

describe('parameters', () => {
  it('come back as they went', () => {
    const parameters = someParameters({}, 7)
    const back = decodeParameters(encodeParameters(parameters))
    expect(plain(back)).toEqual(plain(parameters))
    expect(longestCaseS(back.disputes)).toBe(18 * 86_400)
  })

  it('come back with empty lists', () => {
    const empty = someParameters({
      ...{ models: new Map(), assets: new Map(), images: new Map() },
      measurements: { version: 1, list: [] },
    })
    expect(plain(decodeParameters(encodeParameters(empty)))).toEqual(plain(empty))
  })

  it('list a measurement of any machine where nothing more is said', () => {
    const { images: _, ...plain } = someParameters()
    const { images } = decodeParameters(encodeParameters(plain))
    expect([...images.values()]).toEqual([
      { machine: 'any', sinceS: 0 },
      { machine: 'any', sinceS: 0 },
    ])
  })

  it('with as many models as may be are read', () => {
    const most = someParameters({}, PARAMETER_BOUNDS.models)
    expect(decodeParameters(encodeParameters(most)).models.size).toBe(1_024)
    expect(() => encodeParameters(someParameters({}, 1_025))).toThrow('not valid')
  })
})

const good = someParameters()
const DAY_S = 86_400
/** Each field below and above its bounds; the contract's tests try the same edges. */
const REFUSED: readonly [string, Partial<ListedParameters>][] = [
  ['version', { version: 0 }],
  ['window', { window: 0 }],
  ['window', { window: (1 << 20) + 1 }],
  ['steps.completion', { steps: { ...good.steps, completion: 0 } }],
  ['steps.prompt', { steps: { ...good.steps, prompt: 4_097 } }],
  ['multipliers.reasoning', { multipliers: { ...good.multipliers, reasoning: 65_536 } }],
  ['leastCloseDelayS', { leastCloseDelayS: 3_599 }],
  ['leastCloseDelayS', { leastCloseDelayS: 30 * DAY_S + 1 }],
  ['stakes.provider', { stakes: { ...good.stakes, provider: TON - 1n } }],
  ['stakes.gpu', { stakes: { ...good.stakes, gpu: 1_000_000n * TON + 1n } }],
  ['stakes.unbondingS', { stakes: { ...good.stakes, unbondingS: 29 * DAY_S + 1 } }],
  ['disputes.verdictS', { disputes: { ...good.disputes, verdictS: 14 * DAY_S + 1 } }],
  ['disputes.appealS', { disputes: { ...good.disputes, appealS: 3_599 } }],
  ['disputes.leastBond', { disputes: { ...good.disputes, leastBond: 0n } }],
  ['disputes.threshold', { disputes: { ...good.disputes, threshold: 4 } }],
  ['disputes.threshold', { disputes: { ...good.disputes, threshold: 0 } }],
  ['disputes.arbiters', { disputes: { ...good.disputes, arbiters: [] } }],
  [
    'disputes.arbiters',
    { disputes: { ...good.disputes, arbiters: [0, 1].map(() => good.disputes.arbiters[0]!) } },
  ],
  ['measurements.version', { measurements: { version: 2, list: [] } }],
  ['measurements', { measurements: { version: 1, list: ['00'] } }],
  ['assets.usdt', { assets: new Map([['usdt', { scale: 1n, decimals: 6 }]]) }],
  ['assets.ton.scale', { assets: new Map([['ton', { scale: 0n, decimals: 6 }]]) }],
  ['leastTcb.Rome.', { measurements: { version: 1, list: [], leastTcb: { Rome: {} } } }],
]

describe('parameters out of bounds', () => {
  it.each(REFUSED)('are refused: %s', (field, change) => {
    expect(() => encodeParameters({ ...good, ...change })).toThrowError(
      expect.objectContaining({
        code: 'bad-input',
        facts: expect.objectContaining({ parameters: field }),
      }),
    )
  })

  it.each([
    ['id', 'x'.repeat(128), {}],
    ['weightsHash', 'm', { weightsHash: 'ff' }],
    ['tokenizerHash', 'm', { tokenizerHash: '0'.repeat(64) }],
    ['quantisation', 'm', { quantisation: 'Q4 K' }],
    ['referenceTick', 'm', { referenceTick: 96 }],
  ])('are refused where a model has a wrong %s', (field, id, change) => {
    const model = { ...good.models.get('models/number-0')!, ...change }
    expect(() => encodeParameters({ ...good, models: new Map([[id, model]]) })).toThrowError(
      expect.objectContaining({
        facts: expect.objectContaining({ parameters: `models.${id}.${field}` }),
      }),
    )
  })
})

describe('a cell of parameters', () => {
  const cell = encodeParameters(good)

  it('is refused with any bit changed, unless it then says something else that is allowed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (which, bit) => {
        const changed = flip(cell, which, bit)
        let back: ListedParameters
        try {
          back = decodeParameters(changed)
        } catch (error) {
          expect(error).toMatchObject({ name: 'MarketError' })
          return
        }
        expect(encodeParameters(back).equals(changed)).toBe(true)
        expect(changed.equals(cell)).toBe(false)
      }),
      { seed: 11, numRuns: 150 },
    )
  })

  it('is refused with something added, and with something missing', () => {
    const [stakes, disputes, lists] = cell.refs
    const rebuilt = (...refs: Cell[]): Cell => {
      const builder = beginCell().storeBits(cell.bits)
      for (const ref of refs) builder.storeRef(ref)
      return builder.endCell()
    }
    expect(decodeParameters(rebuilt(stakes!, disputes!, lists!)).version).toBe(1)
    const longer = beginCell().storeSlice(stakes!.beginParse()).storeBit(false).endCell()
    const wrong = [
      rebuilt(stakes!, disputes!, lists!, lists!),
      rebuilt(stakes!, disputes!),
      rebuilt(longer, disputes!, lists!),
      rebuilt(stakes!, lists!, disputes!),
      new Cell(),
      beginCell().storeSlice(cell.beginParse()).storeBit(true).endCell(),
    ]
    for (const each of wrong) expect(() => decodeParameters(each)).toThrow('malformed')
  })

  it('is refused where a model stands under the hash of another', () => {
    const [stakes, disputes, lists] = cell.refs
    const swapped = encodeParameters({
      ...good,
      models: new Map([...good.models].map(([id, model]) => [id.toUpperCase(), model])),
    }).refs[2]!
    const ids = (of: Cell): Cell => of.refs[0]!
    // The dictionary's shape is that of other keys: the leaves are put under these.
    const forged = replaceLeaves(ids(lists!), leaves(ids(swapped)))
    const builder = beginCell().storeBits(cell.bits).storeRef(stakes!).storeRef(disputes!)
    const inner = beginCell().storeBits(lists!.bits).storeRef(forged)
    for (const ref of lists!.refs.slice(1)) inner.storeRef(ref)
    const whole = builder.storeRef(inner.endCell()).endCell()
    expect(() => decodeParameters(whole)).toThrow('malformed')
  })
})

describe('a dictionary', () => {
  it('whose cells share their children is given up at the bound', () => {
    let cell = beginCell().storeUint(0, 2).endCell()
    for (let depth = 0; depth < 64; depth++) {
      cell = beginCell().storeUint(0, 2).storeRef(cell).storeRef(cell).endCell()
    }
    expect(() => readDict(cell, 64, 100)).toThrowError(
      expect.objectContaining({ code: 'limit-exceeded' }),
    )
  })

  it('is refused with labels longer than its keys, and where it ends early', () => {
    const long = beginCell().storeUint(0b11, 2).storeBit(true).storeUint(9, 4).endCell()
    const short = beginCell().storeUint(0, 2).endCell()
    for (const cell of [long, short, new Cell()]) {
      expect(() => readDict(cell, 8, 10)).toThrow('malformed')
    }
  })
})

/** The cell with one bit of one of its cells changed. */
function flip(cell: Cell, which: number, bit: number): Cell {
  let left = which % count(cell)
  const visit = (at: Cell): Cell => {
    const own = left-- === 0
    const builder = beginCell()
    const { length } = at.bits
    for (let i = 0; i < length; i++) {
      builder.storeBit(own && i === bit % length ? !at.bits.at(i) : at.bits.at(i))
    }
    for (const ref of at.refs) builder.storeRef(visit(ref))
    return builder.endCell()
  }
  return visit(cell)
}

function count(cell: Cell): number {
  return 1 + cell.refs.reduce((sum, ref) => sum + count(ref), 0)
}

/** Values of a dictionary whose values are one reference. */
function leaves(cell: Cell): Cell[] {
  return cell.refs.length === 1 ? [cell.refs[0]!] : cell.refs.flatMap(leaves)
}

function replaceLeaves(cell: Cell, values: Cell[]): Cell {
  const builder = beginCell().storeBits(cell.bits)
  if (cell.refs.length === 1) return builder.storeRef(values.shift()!).endCell()
  for (const ref of cell.refs) builder.storeRef(replaceLeaves(ref, values))
  return builder.endCell()
}

it('hashes and addresses for tests are what they say', () => {
  expect(hashOf('a')).toHaveLength(64)
  expect(someAddress('a').workChain).toBe(0)
})
