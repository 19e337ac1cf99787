/**
 * Items in TypeScript: addresses as the contract computes them, profiles there and back, constants
 * equal to the sources of the contracts, and readers that strangers cannot break.
 * @module
 */
import { readFileSync } from 'node:fs'
import {
  Address,
  beginCell,
  type Cell,
  contractAddress,
  type TupleItem,
  TupleReader,
} from '@ton/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import {
  bondAgainst,
  CASES_A_DOUBLING,
  ITEM_EXIT,
  type ItemConfig,
  parseItemSolvency,
  parseItemView,
} from '../../../contracts/wrappers/bondedItem.ts'
import { GPU_CODE, gpuAddress, gpuConfig, gpuStateInit } from '../../../contracts/wrappers/Gpu.ts'
import { itemAddress } from '../../../contracts/wrappers/itemConfig.ts'
import {
  addStakeBody,
  addStakeValue,
  heartbeatBody,
  ITEM_FLOOR,
  ITEM_OP,
  ITEM_OUT,
  ITEM_RENT_RESERVE,
  ITEM_VALUE,
} from '../../../contracts/wrappers/itemMessages.ts'
import {
  gpuProfileCell,
  parseGpuProfile,
  parseProviderProfile,
  parseSchedulerProfile,
  providerProfileCell,
  readProfile,
  schedulerProfileCell,
} from '../../../contracts/wrappers/itemProfiles.ts'
import { PROVIDER_CODE, providerAddress } from '../../../contracts/wrappers/Provider.ts'
import { SCHEDULER_CODE, schedulerAddress } from '../../../contracts/wrappers/Scheduler.ts'

const RUNS = Number(process.env.FUZZ_INPUTS ?? 400)
const registry = Address.parseRaw(`0:${'11'.repeat(32)}`)
const owner = Address.parseRaw(`0:${'22'.repeat(32)}`)
const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const tolk = (path: string): string =>
  readFileSync(new URL(`../../../contracts/tolk/${path}`, import.meta.url), 'utf8')

const provider = { identity: hash(1), peerId: hash(2) }
const scheduler = { ...provider, fee: 250, addresses: ['/ip4/192.0.2.7/tcp/4001', '/dns4/a.b/ws'] }
const gpu = { provider: owner, evidence: hash(3), tier: 'cpu-tee', model: 'H200 é' } as const

describe('an address', () => {
  it('tells kinds, owners, registries and devices apart', () => {
    const addresses = [
      providerAddress({ registry, owner }),
      providerAddress({ registry: owner, owner: registry }),
      schedulerAddress({ registry, owner }),
      gpuAddress({ registry, owner, device: hash(1) }),
      gpuAddress({ registry, owner, device: hash(2) }),
    ].map(String)
    expect(new Set(addresses).size).toBe(addresses.length)
    const device = hash(1)
    const init = gpuStateInit({ registry, owner, device })
    expect(contractAddress(0, init).toString()).toBe(addresses[3])
    const config = gpuConfig({ registry, owner, device })
    expect(itemAddress(GPU_CODE, config).toString()).toBe(addresses[3])
    const other: ItemConfig = { ...config, kind: 'provider' }
    expect(itemAddress(GPU_CODE, other).toString()).not.toBe(addresses[3])
    expect(itemAddress(PROVIDER_CODE, other).toString()).not.toBe(
      itemAddress(SCHEDULER_CODE, other).toString(),
    )
  })

  it('needs a device id of 32 bytes', () => {
    const short = () => gpuAddress({ registry, owner, device: new Uint8Array(31) })
    expect(short).toThrow(MarketError)
  })
})

describe('a profile', () => {
  it('is read as it was written', () => {
    expect(parseProviderProfile(providerProfileCell(provider))).toEqual(provider)
    expect(parseSchedulerProfile(schedulerProfileCell(scheduler))).toEqual(scheduler)
    const { provider: item, ...rest } = parseGpuProfile(gpuProfileCell(gpu))
    expect(rest).toEqual({ evidence: gpu.evidence, tier: gpu.tier, model: gpu.model })
    expect(item.equals(owner)).toBe(true)
  })

  it('has no field out of its bounds', () => {
    const long = (n: number): string[] => Array.from({ length: n }, (_, i) => `/dns4/${i}/tcp/1`)
    const wrong = [
      () => providerProfileCell({ ...provider, identity: new Uint8Array(31) }),
      () => schedulerProfileCell({ ...scheduler, fee: 10_001 }),
      () => schedulerProfileCell({ ...scheduler, fee: -1 }),
      () => schedulerProfileCell({ ...scheduler, addresses: long(LIMITS.dialAddresses + 1) }),
      () => schedulerProfileCell({ ...scheduler, addresses: ['ip4/1.2.3.4'] }),
      () => schedulerProfileCell({ ...scheduler, addresses: ['/a b'] }),
      () => schedulerProfileCell({ ...scheduler, addresses: Array(5).fill(`/${'x'.repeat(240)}`) }),
      () => gpuProfileCell({ ...gpu, model: 'x'.repeat(128) }),
      () => gpuProfileCell({ ...gpu, model: 'line\nbreak' }),
    ]
    for (const write of wrong) expect(write).toThrow(MarketError)
    const most = schedulerProfileCell({ ...scheduler, addresses: long(LIMITS.dialAddresses) })
    expect(parseSchedulerProfile(most).addresses).toHaveLength(LIMITS.dialAddresses)
    expect(
      parseSchedulerProfile(schedulerProfileCell({ ...scheduler, addresses: [] })).addresses,
    ).toEqual([])
  })

  it('of a scheduler keeps what is an address and leaves out what is none', () => {
    const lines = `/ip4/192.0.2.7/tcp/1\nhello\n\n/ip4/é\n/${'x'.repeat(300)}\n/ok`
    const cell = beginCell()
      .storeUint(0, 512 + 16)
      .storeRef(
        beginCell()
          .storeBuffer(Buffer.from(lines.slice(0, 100), 'latin1'))
          .storeRef(
            beginCell()
              .storeBuffer(Buffer.from(lines.slice(100, 220), 'latin1'))
              .storeRef(beginCell().storeBuffer(Buffer.from(lines.slice(220), 'latin1')))
              .endCell(),
          )
          .endCell(),
      )
      .endCell()
    expect(parseSchedulerProfile(cell).addresses).toEqual(['/ip4/192.0.2.7/tcp/1', '/ok'])
  })

  it('too long, in a loop of empty cells or in no cell at all is refused by name', async () => {
    let chain = beginCell().endCell()
    for (let i = 0; i < 500; i++) chain = beginCell().storeRef(chain).endCell()
    const of = (addresses: Cell): Cell =>
      beginCell().storeUint(0, 528).storeRef(addresses).endCell()
    let long = beginCell().storeBuffer(Buffer.alloc(127, '/a')).endCell()
    for (let i = 0; i < 9; i++) {
      long = beginCell().storeBuffer(Buffer.alloc(127, '/a')).storeRef(long).endCell()
    }
    for (const cell of [of(chain), of(long), beginCell().endCell()]) {
      expect(() => parseSchedulerProfile(cell)).toThrow(
        expect.objectContaining({ code: 'bad-frame' }),
      )
    }
    const getter = async (): Promise<TupleReader> => new TupleReader([{ type: 'null' }])
    const hostile = { getter } as unknown as Parameters<typeof readProfile>[0]
    await expect(readProfile(hostile, owner, parseGpuProfile)).rejects.toMatchObject({
      code: 'bad-frame',
    })
  })
})

describe('what strangers show', () => {
  /** Chains of cells, each with up to two references to what comes after it. */
  const part = fc.tuple(
    fc.oneof(fc.uint8Array({ maxLength: 126 }), fc.constantFrom(hash(0), new Uint8Array(64))),
    fc.constantFrom(0, 0, 0, 8, 16, 1, 5),
    fc.nat(2),
  )
  const cells: fc.Arbitrary<Cell> = fc.array(part, { minLength: 1, maxLength: 12 }).map((parts) =>
    parts.reduce<Cell>((next, [bytes, bits, refs]) => {
      const builder = beginCell().storeBuffer(Buffer.from(bytes))
      builder.storeUint(0, Math.min(bits, builder.availableBits))
      for (let i = 0; i < refs; i++) builder.storeRef(next)
      return builder.endCell()
    }, beginCell().endCell()),
  )

  it('is a profile, or refused by name: random cells', () => {
    const parsers = [parseProviderProfile, parseSchedulerProfile, parseGpuProfile]
    fc.assert(
      fc.property(cells, (cell) => parsers.every((parse) => answersOrRefuses(() => parse(cell)))),
      { seed: 21, numRuns: RUNS },
    )
  })

  it('is a profile, or refused by name: valid ones with any bit changed', () => {
    const valid = [
      [providerProfileCell(provider), parseProviderProfile],
      [schedulerProfileCell(scheduler), parseSchedulerProfile],
      [gpuProfileCell(gpu), parseGpuProfile],
    ] as const
    for (const [cell, parse] of valid) {
      for (let bit = 0; bit < cell.bits.length; bit++) {
        expect(answersOrRefuses(() => parse(flipped(cell, bit)))).toBe(true)
      }
    }
  })

  it('is an item, or refused by name: random answers', () => {
    const item = fc.oneof(
      fc.bigInt({ min: -(1n << 256n), max: (1n << 256n) - 1n }),
      fc.bigInt({ min: -1n, max: 4n }),
    )
    const tuple: fc.Arbitrary<TupleItem[]> = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: item.map((value) => ({ type: 'int', value }) as const) },
        fc.constant({ type: 'null' } as const),
        fc
          .constantFrom(beginCell().storeAddress(owner).endCell(), beginCell().endCell())
          .map((cell) => ({ type: 'slice', cell }) as const),
      ),
      { maxLength: 24 },
    )
    fc.assert(
      fc.property(
        tuple,
        (items) =>
          answersOrRefuses(() => parseItemView(new TupleReader([...items]))) &&
          answersOrRefuses(() => parseItemSolvency(new TupleReader([...items]))),
      ),
      { seed: 22, numRuns: RUNS },
    )
  })
})

describe('the bond of a case', () => {
  it('doubles with every sixteen that stand', () => {
    const bonds = [0, 15, 16, 31, 32, 239].map((cases) => bondAgainst({ cases }, 5n))
    expect(bonds).toEqual([5n, 5n, 10n, 10n, 20n, 5n << 14n])
  })
})

describe('constants', () => {
  it('are those of the contract', () => {
    const codes = [...tolk('items/errors.tolk').matchAll(/^const ERROR_\w+ = (\w+)/gm)]
    expect(codes.map(([, code]) => Number(code))).toEqual(Object.values(ITEM_EXIT))
    const ton = (name: string): string =>
      new RegExp(`^const ${name} = ton\\("([\\d.]+)"\\)`, 'm').exec(tolk('items/fees.tolk'))![1]!
    expect(Number(ITEM_FLOOR)).toBe(Number(ton('FLOOR')) * 1e9)
    expect(Number(ITEM_RENT_RESERVE)).toBe(Number(ton('RENT_RESERVE')) * 1e9)
    const doubling = /^const CASES_A_DOUBLING = (\d+)$/m.exec(tolk('items/bond.tolk'))?.[1]
    expect(CASES_A_DOUBLING).toBe(Number(doubling))
    const ops = [...tolk('items/messages.tolk').matchAll(/^struct \((0x\w+)\)/gm)]
    expect(ops.map(([, op]) => Number(op))).toEqual([
      ...Object.values(ITEM_OP),
      ...Object.values(ITEM_OUT),
    ])
  })
})

describe('a message', () => {
  it('has hashes of 32 bytes and amounts that are some', () => {
    expect(() => heartbeatBody({ anchor: new Uint8Array(31), sheet: hash(1) })).toThrow(MarketError)
    expect(() => addStakeBody(-1n)).toThrow(MarketError)
  })

  it('that adds to the stake replaces the rent that was paid', () => {
    const bonded = 5n
    const full = bonded + ITEM_FLOOR + ITEM_RENT_RESERVE
    expect(addStakeValue(7n, { balance: full, bonded })).toBe(7n + ITEM_VALUE.addStake)
    expect(addStakeValue(7n, { balance: full - 3n, bonded })).toBe(10n + ITEM_VALUE.addStake)
  })
})

function answersOrRefuses(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch (error) {
    return error instanceof MarketError && error.code === 'bad-frame'
  }
}

function flipped(cell: Cell, at: number): Cell {
  const builder = beginCell()
  for (let i = 0; i < cell.bits.length; i++) builder.storeBit(cell.bits.at(i) !== (i === at))
  for (const ref of cell.refs) builder.storeRef(ref)
  return builder.endCell()
}
