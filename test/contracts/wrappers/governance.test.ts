/**
 * What an operation of governance does, in words; its cells; and the exit codes of its contracts.
 * @module
 */
import { readFileSync } from 'node:fs'
import { beginCell, Cell } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import {
  describeOperation,
  describeOrder,
  describeQueued,
  type Known,
  orderToQueue,
} from '../../../contracts/wrappers/governance.ts'
import { MULTISIG_EXIT, topUpMultisigBody } from '../../../contracts/wrappers/Multisig.ts'
import { decodeOperation, encodeOperation } from '../../../contracts/wrappers/operation.ts'
import { describeChanges } from '../../../contracts/wrappers/parameterDiff.ts'
import { encodeParameters } from '../../../contracts/wrappers/parameters.ts'
import { REGISTRY_EXIT } from '../../../contracts/wrappers/Registry.ts'
import {
  acceptOwnerBody,
  applyBody,
  cancelUpgradeBody,
  pauseBody,
  prepareBody,
  setGuardianBody,
  topUpRegistryBody,
  transferOwnerBody,
  unpauseBody,
  updateBody,
} from '../../../contracts/wrappers/registryMessages.ts'
import {
  cancelBody,
  executeBody,
  queueBody,
  setDelayBody,
  TIMELOCK_EXIT,
  topUpTimelockBody,
} from '../../../contracts/wrappers/Timelock.ts'
import { signerKey } from '../../support/governanceSandbox.ts'
import { hashOf, someAddress, someParameters } from '../../support/someParameters.ts'

const REGISTRY = someAddress('registry')
const TIMELOCK = someAddress('timelock')
const MULTISIG = someAddress('multisig')
const known: Known = {
  ...{ registry: REGISTRY, timelock: TIMELOCK, multisig: MULTISIG },
  current: someParameters(),
}
const NOW_S = 1_795_305_600
const DAY_S = 86_400

const toRegistry = (body: Cell): string[] =>
  describeOperation({ to: REGISTRY, value: TON / 20n, body }, known)
const toTimelock = (body: Cell): string[] =>
  describeOperation({ to: TIMELOCK, value: TON / 20n, body }, known)

describe('an operation in words', () => {
  it('says what changes in the parameters, and nothing else', () => {
    const { stakes, models, disputes } = someParameters()
    const [id, model] = [...models][0]!
    const changed = new Map([...models].filter(([each]) => each !== id))
    changed.set('models/new\u202e', { ...model, referenceTick: 9 })
    const next = someParameters({
      ...{ version: 2, window: 512, models: changed },
      stakes: { ...stakes, gpu: 25n * TON },
      disputes: { ...disputes, arbiters: disputes.arbiters.slice(1) },
    })
    const lines = toRegistry(updateBody(encodeParameters(next)))
    expect(lines[0]).toBe(`To the registry ${REGISTRY}, with 0.05 TON:`)
    const said = lines.slice(1).map((line) => line.trim())
    expect(said).toEqual([
      'Put version 2 of the parameters into force.',
      'window: 256 tokens -> 512 tokens',
      'least stake of a gpu: 20 TON -> 25 TON',
      'votes for a verdict: 2 of 3 -> 2 of 2',
      expect.stringMatching(/^arbiter [0-9a-f]{64}: gone \(was EQ/),
      expect.stringMatching(/^model "models\/number-0": gone \(was weights/),
      expect.stringMatching(/^model "models\/new\\u\{202e\}": new, weights .* tick 9,/),
    ])
  })

  it('says where nothing changes, where the version is wrong, and where it cannot compare', () => {
    const same = encodeParameters(someParameters({ version: 2 }))
    expect(toRegistry(updateBody(same)).at(-1)).toContain('Nothing changes.')
    const late = toRegistry(updateBody(encodeParameters(someParameters({ version: 4 }))))
    expect(late.join()).toContain('NOT THE NEXT VERSION after 1.')
    const { current: _, ...without } = known
    const blind = describeOperation({ to: REGISTRY, value: 0n, body: updateBody(same) }, without)
    expect(blind.join()).toContain(
      `Not compared with any version. Hash ${same.hash().toString('hex')}`,
    )
  })

  it.each([
    [prepareBody('registry', hashOf('code')), `Prepare code ${hashOf('code')} for the registry`],
    [prepareBody('gpu', hashOf('code')), `Prepare code for every gpu: ${hashOf('code')}.`],
    [applyBody('registry', new Cell()), 'Run code 96a296d2'],
    [applyBody('scheduler', new Cell()), 'Offer every scheduler code 96a296d2'],
    [cancelUpgradeBody('registry'), 'Take back code prepared for the registry.'],
    [cancelUpgradeBody('provider'), 'Take back code prepared for provider.'],
    [setGuardianBody(MULTISIG), `Make ${MULTISIG} the guardian`],
    [transferOwnerBody(MULTISIG), `OFFER THE REGISTRY to ${MULTISIG}`],
    [acceptOwnerBody(), 'Accept the registry'],
    [unpauseBody(), 'End a pause'],
    [topUpRegistryBody(), 'for rent'],
  ])('to the registry: %#', (body, words) => {
    const lines = toRegistry(body)
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain(words)
  })

  it.each([
    [setDelayBody(3 * DAY_S + 61), 'Let operations wait 3 d 1 min 1 s.'],
    [cancelBody(7n), 'Cancel operation 7.'],
    [executeBody(7n), 'Execute operation 7.'],
    [topUpTimelockBody(), 'Leave the value there.'],
  ])('to the timelock: %#', (body, words) => {
    expect(toTimelock(body)[1]).toContain(words)
  })

  it('looks into what is queued', () => {
    const operation = { to: REGISTRY, value: TON, body: unpauseBody() }
    const lines = toTimelock(queueBody({ id: 3n, etaS: NOW_S, operation }))
    expect(lines.map((line) => line.trim())).toEqual([
      `To the timelock ${TIMELOCK}, with 0.05 TON:`,
      'Queue operation 3, to be executed from 2026-11-22T00:00:00Z:',
      `To the registry ${REGISTRY}, with 1 TON:`,
      'End a pause of registration.',
    ])
  })

  it('never passes over what it cannot tell', () => {
    const strange = beginCell().storeUint(0xdead, 32).endCell()
    expect(toRegistry(strange)[1]).toContain('NOT UNDERSTOOD')
    expect(toTimelock(strange)[1]).toContain('NOT UNDERSTOOD')
    // The registry takes a pause from its guardian only.
    expect(toRegistry(pauseBody())[1]).toContain('NOT UNDERSTOOD')
    const nowhere = describeOperation({ to: someAddress('x'), value: TON, body: strange }, known)
    expect(nowhere[0]).toContain('which is not known, with 1 TON')
    expect(nowhere[1]).toContain('NOT UNDERSTOOD')
    const broken = [
      new Cell(),
      updateBody(new Cell()),
      beginCell().storeSlice(unpauseBody().beginParse()).storeBit(true).endCell(),
      beginCell().storeUint(0x2c5a200a, 32).storeUint(9, 8).endCell(),
    ]
    for (const body of broken) expect(toRegistry(body)[1]).toContain('MALFORMED')
  })

  it('is due, is not, or is void', () => {
    const queued = { id: 1n, etaS: NOW_S, operation: { to: REGISTRY, value: 0n, body: new Cell() } }
    const first = (nowS: number) => describeQueued(queued, nowS, known)[0]
    expect(first(NOW_S - 3_601)).toBe('Operation 1, due in 1 h 1 s, at 2026-11-22T00:00:00Z:')
    expect(first(NOW_S)).toBe('Operation 1, due, void in 14 d:')
    expect(first(NOW_S + 14 * DAY_S)).toBe('Operation 1, void since 2026-12-06T00:00:00Z:')
  })
})

describe('an order in words', () => {
  it('says what is queued by it, and what is signed', () => {
    const order = orderToQueue({
      ...{ multisig: MULTISIG, timelock: TIMELOCK, validUntilS: NOW_S },
      view: { network: -777, seqno: 4 },
      queued: { id: 9n, etaS: NOW_S, operation: { to: REGISTRY, value: TON, body: unpauseBody() } },
    })
    const lines = describeOrder(order, known)
    expect(lines[0]).toContain(`Order 4 of multisig ${MULTISIG} on network -777`)
    expect(lines.join('\n')).toContain('Queue operation 9')
    expect(lines.join('\n')).toContain('End a pause of registration.')
    expect(lines.at(-1)).toMatch(/^Signed is [0-9a-f]{64}\.$/)
  })

  it('names new signers', () => {
    const signers = { threshold: 1, keys: [signerKey(1).publicKey, signerKey(2).publicKey] }
    const order = { network: 1, multisig: MULTISIG, seqno: 0, validUntilS: NOW_S }
    const lines = describeOrder({ ...order, action: { kind: 'signers', signers } })
    expect(lines[1]).toContain('From now on 1 of these 2 signers must sign:')
    expect(lines[4]).toContain('At once')
    expect(lines).toHaveLength(6)
  })

  it('to the multisig itself is understood', () => {
    const operation = { to: MULTISIG, value: TON, body: topUpMultisigBody() }
    expect(describeOperation(operation, known)[1]).toContain('Leave the value there.')
  })
})

describe('an operation as a cell', () => {
  it('comes back as it went, and nothing else is read', () => {
    const operation = { to: REGISTRY, value: TON, body: unpauseBody() }
    const cell = encodeOperation(operation)
    const back = decodeOperation(cell)
    expect(back.to.equals(REGISTRY)).toBe(true)
    expect([back.value, back.body.equals(operation.body)]).toEqual([TON, true])
    const longer = beginCell().storeSlice(cell.beginParse()).storeBit(true).endCell()
    for (const wrong of [longer, new Cell()])
      expect(() => decodeOperation(wrong)).toThrow('malformed')
    expect(() => encodeOperation({ ...operation, value: -1n })).toThrow('not valid')
  })
})

it('describes no change between equal parameters', () => {
  expect(describeChanges(someParameters(), someParameters())).toEqual([])
})

describe('exit codes', () => {
  const codesOf = (file: string): Map<string, number> => {
    const text = readFileSync(new URL(`../../../contracts/tolk/${file}`, import.meta.url), 'utf8')
    const found = [...text.matchAll(/^const ERROR_(\w+) = (\w+)/gm)]
    return new Map(found.map(([, name, code]) => [camel(name!), Number(code)]))
  }
  const camel = (name: string): string =>
    name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

  it('of the registry are those of the source', () => {
    expect(Object.fromEntries(codesOf('registry/errors.tolk'))).toEqual(REGISTRY_EXIT)
  })

  it('of timelock and multisig are those of the source', () => {
    const source = codesOf('governance/errors.tolk')
    const both = { ...TIMELOCK_EXIT, ...MULTISIG_EXIT }
    expect([...source.values()].sort()).toEqual(Object.values(both).sort())
    expect(Object.fromEntries(source)).toEqual(both)
  })
})
