/**
 * The compiled case in the sandbox: its life, who may say what and when, and what is paid at its
 * end. Registry and item are played; `disputeVerdict.test.ts` is about signatures.
 * @module
 */
import { Address, beginCell } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import {
  caseConfigCell,
  DISPUTE_ANSWER_S,
  DISPUTE_CLOSE_VALUE,
  DISPUTE_EXIT,
  DISPUTE_FLOOR,
} from '../../../contracts/wrappers/Dispute.ts'
import { DISPUTE_VALUE } from '../../../contracts/wrappers/disputeMessages.ts'
import { encodeDisputeRules } from '../../../contracts/wrappers/parameters.ts'
import {
  AMOUNT,
  BOND,
  type DisputeSandbox,
  disputeSandbox,
  EVIDENCE,
} from '../../support/disputeSandbox.ts'
import {
  DAY_S,
  type Outcome,
  refuseEverything,
  START_S,
  sentTo,
} from '../../support/sandboxChain.ts'

const UPHELD = { uphold: true, loss: 30n * TON }
const DISMISSED = { uphold: false, loss: 0n }
const EXIT = DISPUTE_EXIT

let s: DisputeSandbox
let fresh: ReturnType<DisputeSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await disputeSandbox()
  fresh = s.blockchain.snapshot()
})
beforeEach(() => s.blockchain.loadFrom(fresh))

describe('opening', () => {
  it('asks the registry for the freeze and keeps the bond', async () => {
    const outcome = await s.open()
    expect(outcome.exit).toBe(0)
    const view = await s.view()
    expect(view).toMatchObject({ state: 'asked', amount: AMOUNT, bond: BOND, openedAtS: START_S })
    expect(view.deadlineS).toBe(START_S + DISPUTE_ANSWER_S)
    expect(caseConfigCell(view.config).equals(caseConfigCell(s.config))).toBe(true)
    expect(view.evidence).toEqual(EVIDENCE)
    const asked = bodyTo(outcome, s.registry.address)
    expect(asked.loadUint(32)).toBe(0x2c5a2003)
    expect([asked.loadCoins(), asked.loadCoins()]).toEqual([AMOUNT, BOND])
    expect(await s.solvency()).toMatchObject({ owed: BOND })
    expect((await s.solvency()).spare).toBeGreaterThan(200_000_000n)
  })

  it('is the challenger’s alone, who is not the accused', async () => {
    const strange = await s.open({ from: s.stranger.address })
    expect(strange.exit).toBe(EXIT.notChallenger)
    const self = await disputeSandbox({ config: { challenger: s.owner.address } })
    expect((await self.open({ from: s.owner.address })).exit).toBe(EXIT.self)
  })

  it('needs an amount, and a value above its costs', async () => {
    expect((await s.open({ amount: 0n })).exit).toBe(EXIT.noAmount)
    expect((await s.open({ value: DISPUTE_VALUE.open })).exit).toBe(EXIT.tooLittleValue)
    expect((await s.open({ value: DISPUTE_VALUE.open + 1n })).exit).toBe(0)
    expect((await s.view()).bond).toBe(1n)
  })

  it('happens once', async () => {
    await s.open()
    expect((await s.open()).exit).toBe(EXIT.state)
    await s.opened()
    expect((await s.open()).exit).toBe(EXIT.state)
  })

  it('comes back whole where the registry refuses, and the nonce is used', async () => {
    await refuseEverything(s.blockchain, s.registry.address)
    const { transactions } = await s.open()
    const refund = transactions.at(-1)!.inMessage!.info
    if (refund.type !== 'internal') throw new Error('no refund')
    expect(refund.dest.equals(s.challenger.address)).toBe(true)
    expect(refund.value.coins).toBeGreaterThan(BOND + DISPUTE_VALUE.open - 20_000_000n)
    expect(await s.view()).toMatchObject({ state: 'void' })
    expect(await s.balance()).toBe(DISPUTE_FLOOR)
    expect((await s.open()).exit).toBe(EXIT.state)
  })
})

describe('the answers of registry and item', () => {
  it('are believed from nobody else, and once', async () => {
    await s.open()
    expect((await s.opened({ from: s.stranger.address })).exit).toBe(EXIT.notRegistry)
    expect((await s.opened({ from: s.item.address })).exit).toBe(EXIT.notRegistry)
    expect((await s.frozen()).exit).toBe(EXIT.state)
    expect((await s.opened()).exit).toBe(0)
    expect((await s.opened()).exit).toBe(EXIT.state)
    expect((await s.frozen(AMOUNT, s.registry.address)).exit).toBe(EXIT.notAccused)
    expect((await s.frozen(AMOUNT, s.owner.address)).exit).toBe(EXIT.notAccused)
    expect((await s.frozen()).exit).toBe(0)
    expect((await s.frozen()).exit).toBe(EXIT.state)
  })

  it('pin the rules, and the first deadline', async () => {
    await s.open()
    await s.opened()
    const { terms } = await s.view()
    expect(terms).toMatchObject({ needed: 2, neededOnAppeal: 3 })
    expect(encodeDisputeRules(terms!.rules).equals(encodeDisputeRules(s.rules))).toBe(true)
    expect(terms!.accused.equals(s.item.address)).toBe(true)
    s.elapse(60)
    await s.frozen(AMOUNT - 1n)
    const tried = { state: 'tried', frozen: AMOUNT - 1n, ticket: 7 }
    expect(await s.view()).toMatchObject({ ...tried, deadlineS: START_S + 60 + s.rules.verdictS })
  })

  it('are refused where nobody would have to sign', async () => {
    await s.open()
    const rules = encodeDisputeRules({ ...s.rules, threshold: 0 })
    expect((await s.opened({ rules })).exit).toBe(EXIT.noThreshold)
  })

  it('never freeze more than was asked for', async () => {
    await s.tried(AMOUNT + 1n)
    expect((await s.view()).frozen).toBe(AMOUNT)
  })

  it('end the case where nothing could be frozen', async () => {
    await s.open()
    await s.opened()
    const outcome = await s.frozen(0n)
    expect(sentTo(outcome, s.challenger.address)).toBeGreaterThan(BOND + 200_000_000n)
    expect(await s.view()).toMatchObject({ state: 'void', frozen: 0n })
    expect(await s.balance()).toBe(DISPUTE_FLOOR)
  })

  it('may stay away: then anyone ends the case, after an hour', async () => {
    for (const answered of [false, true]) {
      await s.blockchain.loadFrom(fresh)
      await s.open()
      if (answered) await s.opened()
      s.elapse(DISPUTE_ANSWER_S - 1)
      expect((await s.conclude()).exit).toBe(EXIT.tooEarly)
      s.elapse(1)
      const outcome = await s.conclude()
      expect(sentTo(outcome, s.challenger.address)).toBeGreaterThan(BOND + 200_000_000n)
      expect(await s.view()).toMatchObject({ state: 'void' })
      // What comes too late bounces: then the item ends its freeze.
      expect((await s.opened()).exit).toBe(EXIT.state)
      expect((await s.frozen()).exit).toBe(EXIT.state)
    }
  })

  it('cannot make a case last longer than the freeze', async () => {
    await s.open()
    const untilS = START_S + 2 * DAY_S
    await s.opened({ untilS })
    await s.frozen()
    expect((await s.view()).deadlineS).toBe(untilS - DAY_S)
    await s.verdict(UPHELD)
    expect((await s.view()).deadlineS).toBe(untilS - DAY_S)
    await s.appeal()
    expect((await s.view()).deadlineS).toBe(untilS - DAY_S)
  })
})

describe('the end of a case', () => {
  it('without a verdict is dismissal: the bond goes to the accused', async () => {
    await s.tried()
    s.elapse(s.rules.verdictS - 1)
    expect((await s.conclude()).exit).toBe(EXIT.tooEarly)
    s.elapse(1)
    const outcome = await s.conclude()
    expect(sentTo(outcome, s.owner.address)).toBeGreaterThan(BOND)
    expect(sentTo(outcome, s.challenger.address)).toBe(0n)
    expect(closing(s, outcome)).toEqual({ ticket: 7, release: AMOUNT, slash: 0n, loss: 0n })
  })

  it('upheld: the bond comes back, what was frozen is slashed, the loss is named', async () => {
    await s.tried()
    await s.verdict(UPHELD)
    s.elapse(s.rules.appealS)
    const outcome = await s.conclude()
    expect(sentTo(outcome, s.challenger.address)).toBeGreaterThan(BOND)
    expect(sentTo(outcome, s.owner.address)).toBe(0n)
    expect(closing(s, outcome)).toEqual({
      ...{ ticket: 7, release: AMOUNT, slash: AMOUNT, loss: UPHELD.loss },
    })
    expect(await s.balance()).toBe(DISPUTE_FLOOR)
    expect(await s.view()).toMatchObject({ state: 'concluded', first: UPHELD, deadlineS: 0 })
    expect(await s.solvency()).toEqual({ balance: DISPUTE_FLOOR, owed: 0n, spare: 0n })
  })

  it('gives the challenger no more than was frozen', async () => {
    await s.tried(20n * TON)
    await s.verdict(UPHELD)
    s.elapse(s.rules.appealS)
    const slashed = { release: 20n * TON, slash: 20n * TON, loss: 20n * TON }
    expect(closing(s, await s.conclude())).toMatchObject(slashed)
  })

  it('waits for the time to appeal', async () => {
    await s.tried()
    await s.verdict(DISMISSED)
    s.elapse(s.rules.appealS - 1)
    expect((await s.conclude()).exit).toBe(EXIT.tooEarly)
    s.elapse(1)
    expect(sentTo(await s.conclude(), s.owner.address)).toBeGreaterThan(BOND)
  })

  it('may be told again, by whoever pays the way', async () => {
    await s.tried()
    await s.verdict(UPHELD)
    s.elapse(s.rules.appealS)
    const first = await s.conclude()
    expect((await s.conclude()).exit).toBe(EXIT.reserve)
    const again = await s.conclude(DISPUTE_VALUE.concludeAgain)
    expect(closing(s, again)).toEqual(closing(s, first))
    expect(sentTo(again, s.challenger.address)).toBeLessThan(DISPUTE_VALUE.concludeAgain)
    expect(await s.balance()).toBe(DISPUTE_FLOOR)
  })

  it('survives a registry that refuses it: what comes back pays for the next time', async () => {
    await s.tried()
    await s.verdict(UPHELD)
    s.elapse(s.rules.appealS)
    await refuseEverything(s.blockchain, s.registry.address)
    const outcome = await s.conclude()
    expect(sentTo(outcome, s.challenger.address)).toBeGreaterThan(BOND)
    expect(await s.balance()).toBeGreaterThan(DISPUTE_FLOOR + DISPUTE_CLOSE_VALUE / 2n)
    expect(await s.view()).toMatchObject({ state: 'concluded' })
    expect(closing(s, await s.conclude(50_000_000n))).toMatchObject({ slash: AMOUNT })
  })

  it('takes no message but a conclusion', async () => {
    await s.tried()
    s.elapse(s.rules.verdictS)
    await s.conclude()
    expect((await s.open()).exit).toBe(EXIT.state)
    expect((await s.opened()).exit).toBe(EXIT.state)
    expect((await s.frozen()).exit).toBe(EXIT.state)
    expect((await s.appeal()).exit).toBe(EXIT.state)
    expect((await s.verdict(UPHELD)).exit).toBe(EXIT.state)
    expect(await s.balance()).toBe(DISPUTE_FLOOR)
  })
})

describe('an appeal', () => {
  it('is the loser’s, with a bond at least the first, in time and once', async () => {
    await s.tried()
    expect((await s.appeal()).exit).toBe(EXIT.state)
    await s.verdict(UPHELD)
    expect((await s.appeal(s.challenger.address)).exit).toBe(EXIT.notLoser)
    expect((await s.appeal(s.stranger.address)).exit).toBe(EXIT.notLoser)
    const short = BOND + DISPUTE_VALUE.appeal - 1n
    expect((await s.appeal(s.owner.address, short)).exit).toBe(EXIT.tooLittleValue)
    expect((await s.appeal(s.owner.address, 1_000_000n)).exit).not.toBe(0)
    expect((await s.appeal()).exit).toBe(0)
    expect((await s.appeal()).exit).toBe(EXIT.state)
    expect(await s.view()).toMatchObject({ state: 'appealed', appealBond: BOND })
    expect((await s.solvency()).owed).toBe(2n * BOND)
  })

  it('is the challenger’s after a dismissal', async () => {
    await s.tried()
    await s.verdict(DISMISSED)
    expect((await s.appeal(s.owner.address)).exit).toBe(EXIT.notLoser)
    expect((await s.appeal(s.challenger.address)).exit).toBe(0)
  })

  it('comes too late after its time', async () => {
    await s.tried()
    await s.verdict(UPHELD)
    s.elapse(s.rules.appealS - 1)
    const live = s.blockchain.snapshot()
    expect((await s.appeal()).exit).toBe(0)
    await s.blockchain.loadFrom(live)
    s.elapse(s.rules.appealS)
    expect((await s.appeal()).exit).toBe(EXIT.tooLate)
  })

  it.each([
    { first: UPHELD, second: DISMISSED, winner: 'owner' },
    { first: UPHELD, second: UPHELD, winner: 'challenger' },
    { first: DISMISSED, second: UPHELD, winner: 'challenger' },
    { first: DISMISSED, second: DISMISSED, winner: 'owner' },
    { first: UPHELD, second: undefined, winner: 'challenger' },
    { first: DISMISSED, second: undefined, winner: 'owner' },
  ] as const)('the winner has every bond: %o', async ({ first, second, winner }) => {
    await s.tried()
    await s.verdict(first)
    await s.appeal(first.uphold ? s.owner.address : s.challenger.address)
    if (second) expect((await s.verdict(second)).exit).toBe(0)
    else {
      s.elapse(s.rules.verdictS - 1)
      expect((await s.conclude()).exit).toBe(EXIT.tooEarly)
      s.elapse(1)
    }
    const outcome = await s.conclude()
    expect(sentTo(outcome, s[winner].address)).toBeGreaterThan(2n * BOND)
    expect(closing(s, outcome).slash).toBe(winner === 'challenger' ? AMOUNT : 0n)
    expect(await s.balance()).toBe(DISPUTE_FLOOR)
  })
})

it('refuses what it does not know, and plain coins', async () => {
  await s.tried()
  const before = await s.lab.state()
  for (const body of [beginCell().endCell(), beginCell().storeUint(7, 32).endCell()]) {
    expect((await s.internal(s.stranger.address, TON, body)).exit).toBe(EXIT.unknownMessage)
  }
  expect(await s.lab.state()).toBe(before)
})

interface Closing {
  readonly ticket: number
  readonly release: bigint
  readonly slash: bigint
  readonly loss: bigint
}

/** What the case told the registry. */
function closing(of: DisputeSandbox, outcome: Outcome): Closing {
  const body = bodyTo(outcome, of.registry.address)
  expect(body.loadUint(32)).toBe(0x2c5a2004)
  return {
    ticket: body.loadUint(32),
    release: body.loadCoins(),
    slash: body.loadCoins(),
    loss: body.loadCoins(),
  }
}

function bodyTo(outcome: Outcome, to: Address) {
  const all = [...(outcome.tx?.outMessages.values() ?? [])]
  const found = all.find(({ info }) => Address.isAddress(info.dest) && info.dest.equals(to))
  return found!.body.beginParse()
}
