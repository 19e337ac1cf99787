/**
 * The registry's wrapper: what is in its address, and constants that must equal the contract's or
 * bound what was measured.
 * @module
 */
import { readFileSync } from 'node:fs'
import { TupleReader } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { MULTISIG_RESERVE, MULTISIG_SIGNERS } from '../../../contracts/wrappers/Multisig.ts'
import { encodeDisputeRules } from '../../../contracts/wrappers/parameters.ts'
import {
  REGISTRY_HISTORY,
  REGISTRY_TIMES,
  type RegistryConfig,
  registryAddress,
} from '../../../contracts/wrappers/Registry.ts'
import { parseRegistryView, parseSolvency } from '../../../contracts/wrappers/registryView.ts'
import {
  TIMELOCK_QUEUE,
  TIMELOCK_RESERVE,
  TIMELOCK_TIMES,
} from '../../../contracts/wrappers/Timelock.ts'
import { sizeOf } from '../../../node/chain/simulatedFees.ts'
import { committedGas } from '../../bench/gasTable.ts'
import { codeOf, SOME_CODES } from '../../support/registrySandbox.ts'
import { someAddress, someParameters } from '../../support/someParameters.ts'

const config: RegistryConfig = {
  network: -777,
  owner: someAddress('owner'),
  guardian: someAddress('guardian'),
  parameters: someParameters(),
  codes: SOME_CODES,
}

describe('the address of a registry', () => {
  it('changes with everything that it was made of', () => {
    const changes: readonly Partial<RegistryConfig>[] = [
      {},
      { network: -3 },
      { owner: someAddress('another') },
      { guardian: someAddress('another') },
      { parameters: someParameters({ window: 512 }) },
      ...(['provider', 'scheduler', 'gpu', 'dispute'] as const).map((kind) => ({
        codes: { ...SOME_CODES, [kind]: codeOf('another') },
      })),
    ]
    const all = changes.map((change) => registryAddress({ ...config, ...change }).toString())
    expect(new Set(all).size).toBe(changes.length)
  })

  it('is refused with parameters that are not the first, and with no network', () => {
    for (const change of [
      { parameters: someParameters({ version: 2 }) },
      { parameters: someParameters({ sinceS: 5 }) },
      { network: 0.5 },
    ]) {
      expect(() => registryAddress({ ...config, ...change })).toThrow('not valid')
    }
  })
})

describe('what the registry answers', () => {
  it('is refused where it is anything else', () => {
    for (const items of [[], [{ type: 'int', value: 1n } as const], [{ type: 'null' } as const]]) {
      expect(() => parseRegistryView(new TupleReader([...items]))).toThrow('malformed')
      expect(() => parseSolvency(new TupleReader([...items]))).toThrow('malformed')
    }
  })
})

describe('constants', () => {
  const source = (path: string): string =>
    readFileSync(new URL(`../../../contracts/tolk/${path}`, import.meta.url), 'utf8')
  const constant = (path: string, name: string): number => {
    const text = new RegExp(`const ${name} = (.*?)(?://.*)?$`, 'm').exec(source(path))![1]!
    const product = text.replace('DAY_S', '86400').replace(/ton\("(.*)"\)/, '$1 * 1000000000')
    return product.split('*').reduce((value, factor) => value * Number(factor), 1)
  }

  it('are those of the contracts', () => {
    const bounds = 'registry/bounds.tolk'
    expect(REGISTRY_TIMES.upgradeDelayS).toBe(constant(bounds, 'UPGRADE_DELAY_S'))
    expect(REGISTRY_TIMES.applyWithinS).toBe(constant(bounds, 'APPLY_WITHIN_S'))
    expect(REGISTRY_TIMES.pauseS).toBe(constant(bounds, 'PAUSE_S'))
    expect(REGISTRY_HISTORY).toBe(constant(bounds, 'HISTORY'))
    const timelock = 'governance/timelock.tolk'
    expect(TIMELOCK_TIMES.graceS).toBe(constant(timelock, 'GRACE_S'))
    expect(TIMELOCK_TIMES.aheadS).toBe(constant(timelock, 'AHEAD_S'))
    expect(TIMELOCK_TIMES.mostDelayS).toBe(constant(timelock, 'MOST_DELAY_S'))
    expect(TIMELOCK_TIMES.leastDelayS).toBe(constant(timelock, 'LEAST_DELAY_S'))
    expect(TIMELOCK_QUEUE).toBe(constant(timelock, 'QUEUE_MOST'))
    expect(Number(TIMELOCK_RESERVE)).toBe(constant(timelock, 'TIMELOCK_RESERVE'))
    expect(MULTISIG_SIGNERS).toBe(constant('governance/multisig.tolk', 'SIGNERS_MOST'))
    expect(Number(MULTISIG_RESERVE)).toBe(constant('governance/multisig.tolk', 'MULTISIG_RESERVE'))
  })

  it('of gas are above what was measured, by who does the work', () => {
    const table = committedGas()
    const most = (contracts: readonly string[], ...messages: string[]): number =>
      Math.max(...contracts.flatMap((name) => messages.map((each) => table[name]![each]!)))
    const items = ['provider', 'scheduler', 'gpu']
    const common = (name: string): number => constant('common/gas.tolk', name)
    const own = (name: string): number => constant('registry/fees.tolk', name)
    expect(most(['registry'], 'enrol', 'enrolFirst')).toBeLessThanOrEqual(common('GAS_ENROL'))
    expect(most(['registry'], 'askCode')).toBeLessThanOrEqual(common('GAS_ASK_CODE'))
    expect(most(['registry'], 'openCase')).toBeLessThanOrEqual(own('GAS_OPEN_CASE'))
    expect(most(['registry'], 'closeCase')).toBeLessThanOrEqual(own('GAS_CLOSE_CASE'))
    expect(most(items, 'enrolled')).toBeLessThanOrEqual(common('GAS_ENROLLED'))
    expect(most(items, 'newCode')).toBeLessThanOrEqual(common('GAS_NEW_CODE'))
    expect(most(items, 'freeze')).toBeLessThanOrEqual(common('GAS_FREEZE'))
    expect(most(items, 'settle')).toBeLessThanOrEqual(common('GAS_SETTLE_CASE'))
    const opened = most(['dispute'], 'opened', 'openedTen')
    expect(opened).toBeLessThanOrEqual(own('GAS_CASE_OPENED'))
    expect(most(['dispute'], 'frozen', 'frozenNothing')).toBeLessThanOrEqual(own('GAS_FROZEN'))
  })

  it('of the size of rules hold with ten arbiters', () => {
    const { disputes } = someParameters()
    const arbiters = Array.from({ length: 10 }, () => disputes.arbiters[0]!)
    const each = arbiters.map((_, i) => ({ key: `${i}`.repeat(64), account: someAddress(`${i}`) }))
    const rules = encodeDisputeRules({ ...disputes, arbiters: each })
    const { bits, cells } = sizeOf([rules])
    const [mostBits, mostCells] = /BASECHAIN, (\d+), (\d+)\);\n}\s*$/
      .exec(source('registry/fees.tolk'))!
      .slice(1)
    expect(bits).toBeLessThanOrEqual(BigInt(mostBits!))
    // The rules, and the cell of the body that carries them.
    expect(cells + 1n).toBeLessThanOrEqual(BigInt(mostCells!))
  })
})
