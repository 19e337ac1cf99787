/**
 * What cases may do to an item: freeze a bounded sum for a bounded time, and take of it what a
 * verdict says, once. And what they may not.
 * @module
 */
import { Address } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { ITEM_EXIT } from '../../../contracts/wrappers/bondedItem.ts'
import { ITEM_FLOOR } from '../../../contracts/wrappers/itemMessages.ts'
import { type ItemSandbox, itemSandbox, STAKE, UNBONDING_S } from '../../support/itemSandbox.ts'
import {
  DAY_S,
  type Outcome,
  refuseEverything,
  START_S,
  sentTo,
  takeEverything,
} from '../../support/sandboxChain.ts'
import { freezeBody, settleBody } from '../../support/testRegistry.ts'

const NOBODY = new Address(0, Buffer.alloc(32))
const WEEK_S = 7 * DAY_S

let s: ItemSandbox
let fresh: ReturnType<ItemSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await itemSandbox()
  await s.register()
  fresh = s.blockchain.snapshot()
}, 60_000)
beforeEach(() => s.blockchain.loadFrom(fresh))

/** What the item answered to the case. */
function frozenIn({ tx }: Outcome): { amount: bigint; ticket: number } {
  const body = tx!.outMessages.get(0)!.body.beginParse()
  expect(body.loadUint(32)).toBe(0x2c5a2211)
  return { amount: body.loadCoins(), ticket: body.loadUint(32) }
}

/** Of a case that risks more than any item asks for. */
const MOST_BONDS = 0xffff

describe('a freeze', () => {
  it('takes what it asks for, and no more than there is', async () => {
    expect(frozenIn(await s.freeze(TON, WEEK_S))).toEqual({ amount: TON, ticket: 1 })
    expect(await s.facts()).toMatchObject({ stake: STAKE, frozen: TON })
    expect(frozenIn(await s.freeze(STAKE + 1n, WEEK_S))).toEqual({ amount: STAKE, ticket: 2 })
    expect(await s.facts()).toMatchObject({ stake: STAKE, frozen: STAKE })
  })

  it('reaches what is unbonding', async () => {
    await s.unbond(STAKE)
    expect(frozenIn(await s.freeze(STAKE + 1n, WEEK_S)).amount).toBe(STAKE)
  })

  it('comes from the registry alone', async () => {
    const body = freezeBody(s.stranger.address, TON, START_S + WEEK_S)
    for (const from of [s.owner.address, s.stranger.address]) {
      expect((await s.internal(from, TON, body)).exit).toBe(ITEM_EXIT.notRegistry)
    }
    expect((await s.facts()).frozen).toBe(0n)
  })

  it('is refused where its value would not carry the answer', async () => {
    const { exit } = await s.freeze(TON, WEEK_S, s.stranger.address, 5_100_000n)
    expect(exit).toBe(ITEM_EXIT.tooLittleValue)
    expect((await s.freeze(TON, WEEK_S, s.stranger.address, 5_200_000n)).exit).toBe(0)
  })

  it('holds back what is due, and only the sum that is frozen', async () => {
    await s.unbond(STAKE)
    await s.freeze(TON, 20 * DAY_S)
    s.elapse(UNBONDING_S)
    await s.withdraw()
    expect(await s.facts()).toMatchObject({ unbonding: TON, withdrawn: STAKE - TON })
    expect((await s.withdraw()).exit).toBe(ITEM_EXIT.nothingDue)
    s.elapse(6 * DAY_S)
    expect((await s.withdraw()).exit).toBe(0)
  })

  it('lapses by itself', async () => {
    await s.freeze(TON, WEEK_S)
    s.elapse(WEEK_S - 1)
    expect(await s.facts()).toMatchObject({ frozen: TON, frozenUntilS: START_S + WEEK_S })
    s.elapse(1)
    expect(await s.facts()).toMatchObject({ frozen: 0n, frozenUntilS: 0 })
    expect(frozenIn(await s.freeze(STAKE, WEEK_S)).amount).toBe(STAKE)
  })

  it('asked for in the past, is none', async () => {
    expect(frozenIn(await s.freeze(TON, 0))).toEqual({ amount: 0n, ticket: 0 })
    expect(frozenIn(await s.freeze(TON, 1)).amount).toBe(TON)
  })

  it('ends where the case will not have it', async () => {
    await refuseEverything(s.blockchain, s.stranger.address)
    const { transactions } = await s.freeze(TON, WEEK_S)
    expect(transactions).toHaveLength(3)
    expect((await s.facts()).frozen).toBe(0n)
    // One case's refusal is not another's end.
    await takeEverything(s.blockchain, s.stranger.address)
    await s.freeze(2n * TON, WEEK_S)
    await refuseEverything(s.blockchain, s.stranger.address)
    await s.freeze(TON, WEEK_S)
    expect((await s.facts()).frozen).toBe(2n * TON)
  })
})

describe('case upon case', () => {
  it('may freeze the same money: one that ends frees nothing that another holds', async () => {
    await s.unbond(STAKE)
    await s.freeze(STAKE, 40 * DAY_S)
    expect(frozenIn(await s.freeze(4n * TON, 40 * DAY_S)).amount).toBe(4n * TON)
    s.elapse(UNBONDING_S)
    await s.settle({ ticket: 1, release: STAKE })
    await s.withdraw()
    expect(await s.facts()).toMatchObject({ withdrawn: STAKE - 4n * TON, frozen: 4n * TON })
    await s.settle({ ticket: 2, release: 4n * TON, slash: 4n * TON, loss: TON })
    expect(await s.facts()).toMatchObject({ slashed: 4n * TON, unbonding: 0n, frozen: 0n })
  })

  it('is no shorter for what was frozen long before', async () => {
    await s.freeze(1n, DAY_S)
    await s.settle({ ticket: 1, release: 1n })
    s.elapse(29 * DAY_S)
    await s.freeze(TON, 36 * DAY_S)
    expect((await s.facts()).frozenUntilS).toBe(START_S + 65 * DAY_S)
  })

  it('holds back what is due for 45 days, and no longer', async () => {
    await s.unbond(STAKE)
    s.elapse(UNBONDING_S)
    for (let day = 0; day < 45; day += 5) {
      await s.freeze(STAKE, 36 * DAY_S)
      expect((await s.withdraw()).exit).toBe(ITEM_EXIT.nothingDue)
      s.elapse(5 * DAY_S)
    }
    await s.freeze(STAKE, 36 * DAY_S)
    expect((await s.withdraw()).exit).toBe(0)
    expect((await s.facts()).withdrawn).toBe(STAKE)
    expect(await s.balance()).toBe(ITEM_FLOOR)
  })

  it('has room for 240 open cases, and counts on when they are over', async () => {
    const ticketOf = async (bonds = MOST_BONDS) =>
      frozenIn(await s.freeze(1n, WEEK_S, s.stranger.address, undefined, bonds)).ticket
    // One that lapsed takes no room, though nobody ended it.
    await s.freeze(1n, DAY_S)
    s.elapse(DAY_S)
    for (let ticket = 2; ticket <= 241; ticket++) expect(await ticketOf()).toBe(ticket)
    expect(await s.facts()).toMatchObject({ frozen: 240n, cases: 240 })
    expect(await ticketOf()).toBe(0)
    // Only the oldest makes room, and only for one; a lapse makes it for all.
    await s.settle({ ticket: 4, release: 1n })
    expect(await ticketOf()).toBe(0)
    await s.settle({ ticket: 2, release: 1n })
    expect(await ticketOf()).toBe(242)
    expect(await ticketOf()).toBe(0)
    s.elapse(WEEK_S)
    expect(await ticketOf(1)).toBe(243)
    expect((await s.facts()).cases).toBe(1)
  }, 120_000)

  it('needs twice the bond for every sixteen cases that stand', async () => {
    const holds = async (bonds: number) =>
      frozenIn(await s.freeze(TON, WEEK_S, s.stranger.address, undefined, bonds)).amount > 0n
    for (const least of [1, 2, 4]) {
      expect(await holds(least - 1)).toBe(false)
      for (let i = 0; i < 16; i++) expect(await holds(least)).toBe(true)
    }
    expect((await s.facts()).cases).toBe(48)
    expect(await holds(7)).toBe(false)
    await s.settle({ ticket: 5, release: TON })
    expect((await s.facts()).cases).toBe(47)
    expect(await holds(4)).toBe(true)
    await s.settle({ ticket: 5, release: TON }) // a second end is none
    expect(await holds(4)).toBe(false)
    s.elapse(WEEK_S) // and what has lapsed stands no more
    await s.settle({ ticket: 6, release: TON })
    expect((await s.facts()).cases).toBe(0)
    expect(await holds(1)).toBe(true)
    await s.settle({ ticket: 7, release: TON }) // of the lot before: it takes nothing from this one
    expect(await s.facts()).toMatchObject({ cases: 1, frozen: TON })
  })
})

describe('a settlement', () => {
  it('pays the loss to the challenger and burns the rest of the slash', async () => {
    await s.freeze(4n * TON, WEEK_S)
    const end = { ticket: 1, release: 4n * TON, slash: 3n * TON, loss: TON }
    const out = await s.settle(end)
    const forwarding = 400_000n
    expect(sentTo(out, s.stranger.address)).toBe(TON - forwarding)
    expect(sentTo(out, NOBODY)).toBe(2n * TON - forwarding)
    expect(await s.facts()).toMatchObject({
      stake: STAKE - 3n * TON,
      frozen: 0n,
      slashed: 3n * TON,
    })
    expect((await s.solvency()).solvent).toBe(true)
  })

  it('dismissed, gives everything free', async () => {
    await s.freeze(STAKE, WEEK_S)
    expect((await s.settle({ ticket: 1, release: STAKE })).tx!.outMessagesCount).toBe(0)
    expect(await s.facts()).toMatchObject({ stake: STAKE, frozen: 0n, slashed: 0n })
  })

  it('counts once, and only with a ticket that was given out', async () => {
    await s.freeze(TON, WEEK_S)
    await s.freeze(TON, WEEK_S)
    const end = { release: TON, slash: TON, loss: TON }
    for (const ticket of [0, 3, 300, 0xffffffff]) await s.settle({ ...end, ticket })
    expect((await s.facts()).slashed).toBe(0n)
    await s.settle({ ...end, ticket: 1 })
    await s.settle({ ...end, ticket: 1 })
    expect(await s.facts()).toMatchObject({ slashed: TON, frozen: TON })
    await s.settle({ ...end, ticket: 2 })
    expect(await s.facts()).toMatchObject({ slashed: 2n * TON, frozen: 0n })
  })

  it('comes from the registry alone', async () => {
    await s.freeze(TON, WEEK_S)
    const parties = { case: s.stranger.address, challenger: s.stranger.address }
    const body = settleBody({ ...parties, ticket: 1, release: TON, slash: TON, loss: TON })
    for (const from of [s.owner.address, s.stranger.address]) {
      expect((await s.internal(from, TON, body)).exit).toBe(ITEM_EXIT.notRegistry)
    }
    expect(await s.facts()).toMatchObject({ stake: STAKE, frozen: TON })
  })

  it('takes first what is leaving', async () => {
    await s.unbond(TON)
    await s.freeze(3n * TON, WEEK_S)
    await s.settle({ ticket: 1, release: 3n * TON, slash: 3n * TON, loss: TON })
    expect(await s.facts()).toMatchObject({ stake: STAKE - 3n * TON, unbonding: 0n })
  })

  it('pays no more loss than it slashes', async () => {
    await s.freeze(TON, WEEK_S)
    const out = await s.settle({ ticket: 1, release: TON, slash: TON, loss: 5n * TON })
    expect(sentTo(out, s.stranger.address)).toBe(TON - 400_000n)
  })

  it('takes no more than exists, after the lapse or after another case', async () => {
    await s.unbond(STAKE - TON)
    await s.freeze(STAKE, WEEK_S)
    s.elapse(UNBONDING_S)
    await s.withdraw()
    // All but 1 TON is gone. Another case has frozen half of that; who is judged first is first.
    await s.freeze(TON / 2n, WEEK_S)
    await s.settle({ ticket: 1, release: STAKE, slash: STAKE, loss: STAKE })
    expect(await s.facts()).toMatchObject({ stake: 0n, frozen: 0n, slashed: TON })
    await s.settle({ ticket: 2, release: TON / 2n, slash: TON / 2n, loss: TON / 2n })
    expect(await s.facts()).toMatchObject({ stake: 0n, frozen: 0n, slashed: TON })
    expect(await s.balance()).toBeGreaterThanOrEqual(ITEM_FLOOR)
  })

  it('cannot be locked or lost by a challenger that throws', async () => {
    await s.freeze(TON, WEEK_S)
    await refuseEverything(s.blockchain, s.stranger.address)
    const before = await s.balance(s.stranger.address)
    await s.settle({ ticket: 1, release: TON, slash: TON, loss: TON })
    // It throws, and yet the money is in its account: the message does not bounce.
    const after = await s.balance(s.stranger.address)
    expect(after - before).toBeGreaterThan(TON - 10_000_000n)
    expect(await s.facts()).toMatchObject({ stake: STAKE - TON, slashed: TON, frozen: 0n })
  })
})
