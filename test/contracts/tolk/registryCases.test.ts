/**
 * The compiled registry in the sandbox: it passes on between cases and the items that they accuse.
 * @module
 */
import { type Address, beginCell, contractAddress, type Slice } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toBigInt } from '../../../contracts/base/bytes.ts'
import { TON } from '../../../contracts/base/units.ts'
import { decodeDisputeRules } from '../../../contracts/wrappers/parameters.ts'
import { REGISTRY_EXIT } from '../../../contracts/wrappers/Registry.ts'
import { REGISTRY_PROTOCOL } from '../../../contracts/wrappers/registryMessages.ts'
import {
  codeOf,
  deviceOf,
  type RegistrySandbox,
  registrySandbox,
  type SomeCase,
} from '../../support/registrySandbox.ts'
import {
  DAY_S,
  type Outcome,
  outcomeAmong,
  refuseEverything,
  START_S,
  sentTo,
  takeEverything,
} from '../../support/sandboxChain.ts'
import { someAddress } from '../../support/someParameters.ts'

let s: RegistrySandbox
let accused: Address
let about: SomeCase
beforeAll(async () => {
  s = await registrySandbox()
})
beforeEach(async () => {
  await s.reset()
  const item = s.item('gpu', 'an owner', deviceOf('a device'))
  accused = s.addressOf(item)
  await takeEverything(s.blockchain, accused)
  about = await s.caseAgainst(item)
})

/** The one message that a transaction sent to an address. */
function bodyTo(outcome: Outcome, to: Address): Slice {
  const all = [...(outcome.tx?.outMessages.values() ?? [])].filter(
    ({ info }) => info.type === 'internal' && info.dest.equals(to),
  )
  expect(all).toHaveLength(1)
  return all[0]!.body.beginParse()
}

const SETTLEMENT = { ticket: 7, release: 10n * TON, slash: 8n * TON, loss: 3n * TON }

describe('opening a case', () => {
  it('freezes what it claims for its longest time, and tells the case its rules', async () => {
    const before = await s.balance()
    const outcome = await s.openCase(about)
    expect(outcome.exit).toBe(0)
    const untilS = START_S + 18 * DAY_S
    const freeze = bodyTo(outcome, accused)
    expect(freeze.loadUint(32)).toBe(REGISTRY_PROTOCOL.freeze)
    expect(freeze.loadAddress().equals(about.address)).toBe(true)
    expect([freeze.loadCoins(), freeze.loadUint(32)]).toEqual([10n * TON, untilS])
    const opened = bodyTo(outcome, about.address)
    expect(opened.loadUint(32)).toBe(REGISTRY_PROTOCOL.caseOpened)
    expect(opened.loadAddress().equals(accused)).toBe(true)
    expect(opened.loadUint(32)).toBe(untilS)
    const rules = decodeDisputeRules(opened.loadRef())
    expect(rules).toMatchObject({ threshold: 2, leastBond: 5n * TON, verdictS: 7 * DAY_S })
    expect(await s.balance()).toBe(before)
  })

  it.each([
    [5n * TON, 1],
    [10n * TON - 1n, 1],
    [10n * TON, 2],
    [5n * 0xffffn * TON, 0xffff],
    [5n * 0x10000n * TON, 0xffff],
  ])('tells the item what it risks in least bonds: %s is %i', async (bond, bonds) => {
    const freeze = bodyTo(await s.openCase(about, 1n, bond), accused).skip(32 + 267)
    expect([freeze.loadCoins(), freeze.skip(32).loadUint(16)]).toEqual([1n, bonds])
  })

  it('pins the rules in force, not those of a later version', async () => {
    const { disputes } = (await s.parameters())!
    await s.update({ disputes: { ...disputes, verdictS: DAY_S, threshold: 3 } })
    const outcome = await s.openCase(about)
    const opened = bodyTo(outcome, about.address).skip(32 + 267)
    expect(opened.loadUint(32)).toBe(START_S + 6 * DAY_S)
    expect(decodeDisputeRules(opened.loadRef()).threshold).toBe(3)
  })

  it('asks for the least bond, and for something to freeze', async () => {
    expect((await s.openCase(about, TON, 5n * TON - 1n)).exit).toBe(REGISTRY_EXIT.bond)
    expect((await s.openCase(about, 0n)).exit).toBe(REGISTRY_EXIT.bond)
    expect((await s.openCase(about, 1n, 5n * TON)).exit).toBe(0)
  })

  it('is refused with too little value for what follows, whole but for the fees', async () => {
    const short = await s.openCase(about, TON, 5n * TON, 20_000_000n)
    expect(short.exit).toBe(REGISTRY_EXIT.tooLittleValue)
    expect(sentTo(short, about.address)).toBeGreaterThan(15_000_000n)
    expect((await s.openCase(about, TON, 5n * TON, 40_000_000n)).exit).toBe(0)
  })

  it('against an item that is not there gives the value to the case', async () => {
    const item = s.item('provider', 'nobody')
    const ghost = await s.caseAgainst(item)
    const before = await s.balance()
    const { exit, transactions } = await s.openCase(ghost)
    expect(exit).toBe(0)
    const back = outcomeAmong(
      transactions.filter(
        ({ inMessage }) => inMessage?.info.type === 'internal' && inMessage.info.bounced,
      ),
      s.address,
    )
    expect(back.exit).toBe(0)
    expect(sentTo(back, ghost.address)).toBeGreaterThan(5_000_000n)
    expect(await s.balance()).toBe(before)
  })
})

describe('the end of a case', () => {
  it('reaches the item with the challenger that the case was made of', async () => {
    const before = await s.balance()
    const outcome = await s.closeCase(about, SETTLEMENT)
    expect(outcome.exit).toBe(0)
    const body = bodyTo(outcome, accused)
    expect(body.loadUint(32)).toBe(REGISTRY_PROTOCOL.settleCase)
    expect(body.loadAddress().equals(about.address)).toBe(true)
    expect(body.loadAddress().equals(someAddress('a challenger'))).toBe(true)
    expect(body.loadUint(32)).toBe(7)
    expect([body.loadCoins(), body.loadCoins(), body.loadCoins()]).toEqual([
      10n * TON,
      8n * TON,
      3n * TON,
    ])
    body.endParse()
    expect(await s.balance()).toBe(before)
  })

  it('that the item refuses gives the value back to the case, which says it again', async () => {
    await refuseEverything(s.blockchain, accused)
    const before = await s.balance()
    const { transactions } = await s.closeCase(about, SETTLEMENT)
    const back = outcomeAmong(transactions.slice(1), s.address)
    expect(back.exit).toBe(0)
    expect(sentTo(back, about.address)).toBeGreaterThan(80_000_000n)
    expect(await s.balance()).toBe(before)
    await takeEverything(s.blockchain, accused)
    expect(bodyTo(await s.closeCase(about, SETTLEMENT), accused).loadUint(32)).toBe(
      REGISTRY_PROTOCOL.settleCase,
    )
  })

  it('is refused with too little value for what the item must do', async () => {
    expect((await s.closeCase(about, SETTLEMENT, 10_000_000n)).exit).toBe(
      REGISTRY_EXIT.tooLittleValue,
    )
    expect((await s.closeCase(about, SETTLEMENT, 15_000_000n)).exit).toBe(0)
  })
})

it('says where a case is, as TypeScript does', async () => {
  const { stackReader } = await s.blockchain.runGetMethod(s.address, 'get_case_address', [
    { type: 'slice', cell: beginCell().storeAddress(about.challenger).endCell() },
    { type: 'int', value: 0n },
    { type: 'int', value: 3n },
    { type: 'slice', cell: beginCell().storeAddress(someAddress('an owner')).endCell() },
    { type: 'int', value: toBigInt(deviceOf('a device')) },
  ])
  expect(stackReader.readAddress().equals(about.address)).toBe(true)
})

describe('a case is believed only at its own address', () => {
  const both = async (from: SomeCase): Promise<number[]> => [
    (await s.openCase(from)).exit,
    (await s.closeCase(from, SETTLEMENT)).exit,
  ]

  it('not from another sender, nor in the name of another challenger or item', async () => {
    const item = s.item('gpu', 'an owner', deviceOf('a device'))
    const other = await s.caseAgainst(item, 'another challenger')
    const elsewhere = await s.caseAgainst(s.item('provider'))
    const impostors = [
      { ...about, address: s.stranger.address },
      { ...about, address: accused },
      { ...about, config: other.config },
      { ...about, config: elsewhere.config },
      { ...about, address: other.address },
    ]
    for (const impostor of impostors) {
      expect(await both(impostor)).toEqual([REGISTRY_EXIT.notCase, REGISTRY_EXIT.notCase])
    }
    expect(await both(about)).toEqual([0, 0])
  })

  it('not with other code, nor with state that was preset', async () => {
    const forged = [
      { code: codeOf('forged'), data: { state: 0 } },
      { code: s.config.codes.dispute, data: { state: 4 } },
    ]
    for (const { code, data } of forged) {
      const cell = beginCell().storeUint(data.state, 8).storeRef(about.config).endCell()
      const address = contractAddress(0, { code, data: cell })
      expect(await both({ ...about, address })).toEqual([
        REGISTRY_EXIT.notCase,
        REGISTRY_EXIT.notCase,
      ])
    }
  })

  it('not of another registry', async () => {
    const foreign = await registrySandbox({
      blockchain: s.blockchain,
      config: { guardian: s.stranger.address },
    })
    const item = { ...s.item('provider'), registry: foreign.address }
    const theirs = await foreign.caseAgainst(item)
    expect(await both(theirs)).toEqual([REGISTRY_EXIT.otherRegistry, REGISTRY_EXIT.otherRegistry])
    expect((await foreign.openCase(theirs)).exit).toBe(0)
  })
})
