/**
 * Items of all kinds: enrolment, heartbeats, the bond and its way out. Each rule with an act that
 * passes and one that fails. What cases may do is in itemCases.test.ts, a GPU's own rules and new
 * code in itemGpu.test.ts.
 * @module
 */
import { type Address, beginCell, Cell } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { ITEM_EXIT, isLive } from '../../../contracts/wrappers/bondedItem.ts'
import { ITEM_KINDS, itemConfigCell } from '../../../contracts/wrappers/itemConfig.ts'
import {
  heartbeatBody,
  ITEM_FLOOR,
  ITEM_OP,
  ITEM_RENT_RESERVE,
  ITEM_VALUE,
} from '../../../contracts/wrappers/itemMessages.ts'
import { REGISTRY_PROTOCOL } from '../../../contracts/wrappers/registryMessages.ts'
import {
  hashOf,
  type ItemSandbox,
  itemSandbox,
  profileOf,
  STAKE,
  UNBONDING_S,
} from '../../support/itemSandbox.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  outcomeOf,
  refuseEverything,
  START_S,
  sentTo,
} from '../../support/sandboxChain.ts'
import { enrolledBody } from '../../support/testRegistry.ts'

/** An item of a kind needs no stranger's leave to be looked at, so most rules are tried on one. */
let s: ItemSandbox
let fresh: ReturnType<ItemSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await itemSandbox()
  fresh = s.blockchain.snapshot()
}, 60_000)
beforeEach(() => s.blockchain.loadFrom(fresh))

describe.each(ITEM_KINDS)('a %s', (kind) => {
  it('lives from registration to the last withdrawal', async () => {
    const t = await itemSandbox({ kind })
    expect((await t.register()).exit).toBe(0)
    expect(await t.view()).toMatchObject({
      ...{ status: 'enrolled', stake: STAKE, unbonding: 0n, frozen: 0n, index: 1 },
      ...{ enrolledAtS: START_S, seenAtS: START_S, unbondingS: UNBONDING_S, codeVersion: 0 },
      ...{ anchor: new Uint8Array(32), sheet: new Uint8Array(32), slashed: 0n, withdrawn: 0n },
    })
    const { config } = await t.view()
    expect(itemConfigCell(config).equals(itemConfigCell(t.config))).toBe(true)
    expect(await t.balance()).toBeGreaterThanOrEqual(STAKE + ITEM_FLOOR + ITEM_RENT_RESERVE)
    t.elapse(7 * DAY_S)
    const renewed = profileOf(kind, 'another', t.stranger.address)
    expect((await t.heartbeat(renewed)).exit).toBe(0)
    expect(await t.view()).toMatchObject({
      ...{ seenAtS: START_S + 7 * DAY_S, anchor: hashOf('books'), sheet: hashOf('prices') },
    })
    expect((await t.profileShown()).equals(renewed)).toBe(true)
    expect((await t.unbond(STAKE)).exit).toBe(0)
    t.elapse(UNBONDING_S)
    const out = await t.withdraw()
    expect(out.exit).toBe(0)
    expect(sentTo(out, t.owner.address)).toBeGreaterThan(STAKE + ITEM_RENT_RESERVE - TON / 50n)
    expect(await t.view()).toMatchObject({ status: 'enrolled', stake: 0n, unbonding: 0n })
    expect(await t.balance()).toBe(ITEM_FLOOR)
  })
})

describe('register', () => {
  it('names the item enrolled before it, and counts', async () => {
    await s.register()
    const second = await itemSandbox({ blockchain: s.blockchain, registry: s.registry, owner: 'b' })
    await second.register()
    expect((await s.view()).previous).toBeUndefined()
    const { index, previous } = await second.view()
    expect({ index, previous: previous?.toString() }).toEqual({
      index: 2,
      previous: s.address.toString(),
    })
  })

  it('is refused from anyone but the owner', async () => {
    const value = STAKE + ITEM_VALUE.register
    expect((await s.register(STAKE, value, s.stranger.address)).exit).toBe(ITEM_EXIT.notOwner)
    expect((await s.register()).exit).toBe(0)
  })

  it('is refused twice', async () => {
    await s.register()
    expect((await s.register()).exit).toBe(ITEM_EXIT.notBlank)
    await s.become({ silent: true })
    const t = await itemSandbox({ blockchain: s.blockchain, registry: s.registry, owner: 'b' })
    await t.register()
    expect((await t.view()).status).toBe('pending')
    expect((await t.register()).exit).toBe(ITEM_EXIT.notBlank)
  })

  it('is refused where the value lacks stake, reserve or fees; else it works', async () => {
    let [fails, works] = [STAKE, STAKE + ITEM_VALUE.register]
    const blank = s.blockchain.snapshot()
    while (works - fails > 20_000n) {
      const value = (fails + works) / 2n
      const { exit } = await s.register(STAKE, value)
      expect([0, ITEM_EXIT.tooLittleValue]).toContain(exit)
      if (exit === 0) works = value
      else fails = value
      await s.blockchain.loadFrom(blank)
    }
    await s.register(STAKE, works)
    expect((await s.view()).status).toBe('enrolled')
    expect(await s.balance()).toBeGreaterThanOrEqual(STAKE + ITEM_FLOOR + ITEM_RENT_RESERVE)
  })

  it('refused by the registry, gives all above the floor back; may be tried again', async () => {
    await s.become({ refuses: true })
    const before = await s.balance(s.owner.address)
    await s.register()
    expect((await s.view()).status).toBe('blank')
    expect(await s.balance()).toBe(ITEM_FLOOR)
    const back = (await s.balance(s.owner.address)) - before
    expect(back).toBeGreaterThan(STAKE + ITEM_VALUE.register - ITEM_FLOOR - TON / 50n)
    await s.become({ unbondingS: UNBONDING_S })
    // The floor is there already.
    expect((await s.register(STAKE, STAKE + ITEM_VALUE.register - ITEM_FLOOR)).exit).toBe(0)
    expect((await s.view()).status).toBe('enrolled')
  })

  it('never answered, gives the stake back after a day; a late answer still counts', async () => {
    for (const kind of ITEM_KINDS) {
      const t = await itemSandbox({ kind })
      await t.become({ silent: true })
      await t.register()
      expect((await t.withdraw()).exit).toBe(ITEM_EXIT.tooEarly)
      t.elapse(40 * DAY_S)
      expect((await t.withdraw(t.stranger.address)).exit).toBe(ITEM_EXIT.notOwner)
      expect(sentTo(await t.withdraw(), t.owner.address)).toBeGreaterThan(STAKE)
      expect((await t.withdraw()).exit).toBe(ITEM_EXIT.nothingDue)
      expect((await t.view()).status).toBe('pending')
      expect((await t.told(enrolledBody(UNBONDING_S, 7, t.stranger.address))).exit).toBe(0)
      const late = await t.view()
      const now = t.blockchain.now!
      expect(late).toMatchObject({ status: 'enrolled', stake: 0n, index: 7 })
      expect(late).toMatchObject({ seenAtS: now, enrolledAtS: now })
      expect(late.previous?.equals(t.stranger.address)).toBe(true)
    }
  })
})

describe('enrolment', () => {
  it('is believed from the registry alone, and once', async () => {
    await s.become({ silent: true })
    expect((await s.told(enrolledBody(1))).exit).toBe(-2)
    await s.register()
    const forged = await s.internal(s.owner.address, TON, enrolledBody(1))
    expect(forged.exit).toBe(ITEM_EXIT.notRegistry)
    expect((await s.told(enrolledBody(UNBONDING_S))).exit).toBe(0)
    expect((await s.told(enrolledBody(1))).exit).toBe(ITEM_EXIT.notPending)
    expect((await s.view()).unbondingS).toBe(UNBONDING_S)
  })

  it('cannot bind the owner for longer than 30 days', async () => {
    await s.become({ silent: true })
    await s.register()
    await s.told(enrolledBody(0xffffffff))
    expect((await s.view()).unbondingS).toBe(30 * DAY_S)
  })
})

describe('what comes back', () => {
  it('is taken from the registry alone, and only while it is awaited', async () => {
    await s.register()
    const before = await s.facts()
    const comeBack = (from: Address, op: number): Promise<Outcome> => {
      const body = beginCell().storeUint(0xffffffff, 32).storeUint(op, 32).storeUint(0, 224)
      const message = internalMessage(from, s.address, TON, body.endCell(), { bounced: true })
      return outcomeOf(s.blockchain, s.address, message)
    }
    const { enrol, askCode } = REGISTRY_PROTOCOL
    for (const op of [enrol, askCode]) {
      expect((await comeBack(s.stranger.address, op)).exit).toBe(ITEM_EXIT.notRegistry)
    }
    expect((await comeBack(s.registry, enrol)).exit).toBe(ITEM_EXIT.notPending)
    // A ticket that was never given out.
    expect((await comeBack(s.registry, 0x2c5a2211)).exit).toBe(0)
    expect(await s.facts()).toEqual(before)
  })
})

describe('heartbeat', () => {
  it('is the owner’s alone, of an enrolled item', async () => {
    await s.become({ silent: true })
    await s.register()
    expect((await s.heartbeat()).exit).toBe(ITEM_EXIT.notEnrolled)
    await s.told(enrolledBody(UNBONDING_S))
    expect((await s.heartbeat(undefined, s.stranger.address)).exit).toBe(ITEM_EXIT.notOwner)
    expect((await s.heartbeat()).exit).toBe(0)
  })

  it('needs no more value than its gas: an excess too small to send stays', async () => {
    await s.register()
    const body = heartbeatBody({ anchor: hashOf('a'), sheet: hashOf('b') })
    const before = await s.balance()
    expect((await s.internal(s.owner.address, 2_200_000n, body)).exit).toBe(0)
    expect(await s.balance()).toBeGreaterThan(before)
    expect((await s.facts()).anchor).toEqual(hashOf('a'))
  })

  it('keeps the profile where it brings none', async () => {
    await s.register()
    expect((await s.heartbeat()).exit).toBe(0)
    expect((await s.profileShown()).equals(s.profile)).toBe(true)
  })

  it('makes an item live for 30 days, where its stake is enough', async () => {
    await s.register()
    const item = await s.view()
    expect(isLive(item, STAKE, START_S + 30 * DAY_S - 1)).toBe(true)
    expect(isLive(item, STAKE, START_S + 30 * DAY_S)).toBe(false)
    expect(isLive(item, STAKE + 1n, START_S)).toBe(false)
  })

  it('refuses a profile of another shape', async () => {
    await s.register()
    for (const profile of [Cell.EMPTY, profileOf('scheduler')]) {
      expect((await s.heartbeat(profile)).exit).toBe(9)
    }
    expect((await s.profileShown()).equals(s.profile)).toBe(true)
  })
})

describe('the bond', () => {
  beforeEach(async () => {
    await s.register()
  })

  it('grows by what the owner adds, and only by that', async () => {
    expect((await s.addStake(TON)).exit).toBe(0)
    expect((await s.view()).stake).toBe(STAKE + TON)
    expect((await s.addStake(TON, TON)).exit).toBe(ITEM_EXIT.tooLittleValue)
    const stranger = await s.addStake(TON, 2n * TON, s.stranger.address)
    expect(stranger.exit).toBe(ITEM_EXIT.notOwner)
    expect((await s.view()).stake).toBe(STAKE + TON)
  })

  it('grows at the least value that covers it, with nothing left to give back', async () => {
    const before = s.blockchain.snapshot()
    let [fails, works] = [TON, TON + ITEM_VALUE.addStake]
    while (works - fails > 100_000n) {
      const value = (fails + works) / 2n
      const { exit } = await s.addStake(TON, value)
      expect([0, ITEM_EXIT.tooLittleValue]).toContain(exit)
      if (exit === 0) works = value
      else fails = value
      await s.blockchain.loadFrom(before)
    }
    expect((await s.addStake(TON, works)).tx!.outMessagesCount).toBe(0)
    expect((await s.view()).stake).toBe(STAKE + TON)
  })

  it('cannot be unbonded beyond the stake, nor by a stranger', async () => {
    expect((await s.unbond(STAKE + 1n)).exit).toBe(ITEM_EXIT.amount)
    expect((await s.unbond(0n)).exit).toBe(ITEM_EXIT.amount)
    expect((await s.unbond(1n, s.stranger.address)).exit).toBe(ITEM_EXIT.notOwner)
    expect((await s.unbond(1n)).exit).toBe(0)
    expect((await s.unbond(STAKE - 1n)).exit).toBe(0)
    expect(await s.view()).toMatchObject({ stake: 0n, unbonding: STAKE })
  })

  it('is paid out when the clock has run, not a second earlier', async () => {
    await s.unbond(TON)
    s.elapse(UNBONDING_S - 1)
    expect((await s.withdraw()).exit).toBe(ITEM_EXIT.tooEarly)
    s.elapse(1)
    expect((await s.withdraw(s.stranger.address)).exit).toBe(ITEM_EXIT.notOwner)
    const out = await s.withdraw()
    expect(sentTo(out, s.owner.address)).toBeGreaterThan(TON)
    expect(await s.view()).toMatchObject({ stake: STAKE - TON, unbonding: 0n, withdrawn: TON })
    expect((await s.withdraw()).exit).toBe(ITEM_EXIT.nothingDue)
    expect((await s.solvency()).solvent).toBe(true)
  })

  it('waits again for all of it where more is unbonded', async () => {
    await s.unbond(TON)
    s.elapse(UNBONDING_S)
    await s.unbond(TON)
    expect((await s.withdraw()).exit).toBe(ITEM_EXIT.tooEarly)
    s.elapse(UNBONDING_S)
    expect((await s.withdraw()).exit).toBe(0)
    expect((await s.view()).withdrawn).toBe(2n * TON)
  })

  it('is the owner’s even where its contract throws', async () => {
    await s.unbond(STAKE)
    s.elapse(UNBONDING_S)
    await refuseEverything(s.blockchain, s.owner.address)
    const before = await s.balance(s.owner.address)
    await s.withdraw()
    expect((await s.balance(s.owner.address)) - before).toBeGreaterThan(STAKE)
    expect(await s.balance()).toBe(ITEM_FLOOR)
  })

  it('may be put down again by an owner that had left', async () => {
    await s.unbond(STAKE)
    s.elapse(UNBONDING_S)
    await s.withdraw()
    expect(await s.balance()).toBe(ITEM_FLOOR)
    // The rent reserve went with the last of it.
    expect((await s.addStake(STAKE)).exit).toBe(ITEM_EXIT.tooLittleValue)
    expect((await s.addStake(STAKE, STAKE + ITEM_VALUE.register)).exit).toBe(0)
    expect(await s.view()).toMatchObject({ status: 'enrolled', stake: STAKE, index: 1 })
  })
})

describe('anything else', () => {
  it('is refused, on a blank item and on an enrolled one', async () => {
    const unknown = beginCell().storeUint(0x2c5a21ff, 32).endCell()
    await s.become({ refuses: true })
    await s.register()
    for (const op of [ITEM_OP.withdraw, ITEM_OP.upgrade]) {
      const body = beginCell().storeUint(op, 32).endCell()
      expect((await s.internal(s.owner.address, TON, body)).exit).toBe(ITEM_EXIT.notEnrolled)
    }
    await s.become({})
    await s.register()
    const before = await s.balance()
    for (const body of [unknown, Cell.EMPTY, beginCell().storeUint(1, 8).endCell()]) {
      expect((await s.internal(s.owner.address, TON, body)).exit).not.toBe(0)
    }
    expect(await s.balance()).toBe(before)
  })
})
