/**
 * What mutants of the case showed to be unwatched: edges of its rules, amounts to the nanoTON, and
 * the flags of what it sends (`npm run mutate:tolk -- --contract dispute`).
 * @module
 */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import {
  DISPUTE_ANSWER_S,
  DISPUTE_CLOSE_VALUE,
  DISPUTE_EXIT,
  DISPUTE_FLOOR,
} from '../../../contracts/wrappers/Dispute.ts'
import { DISPUTE_VALUE } from '../../../contracts/wrappers/disputeMessages.ts'
import { BOND, type DisputeSandbox, disputeSandbox } from '../../support/disputeSandbox.ts'
import { type Outcome, refuseEverything, START_S, sentTo } from '../../support/sandboxChain.ts'

const UPHELD = { uphold: true, loss: 30n * TON }
const EXIT = DISPUTE_EXIT
/** `fees.tolk`, and the sandbox's price. */
const GAS_CONCLUDE = 11_000n
const GAS_PRICE = 400n

let s: DisputeSandbox
let fresh: ReturnType<DisputeSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await disputeSandbox()
  fresh = s.blockchain.snapshot()
})
beforeEach(() => s.blockchain.loadFrom(fresh))

it('one arbiter is enough where the rules say so, and two are asked on appeal', async () => {
  const one = await disputeSandbox({ rules: { threshold: 1 } })
  await one.tried()
  expect((await one.view()).terms).toMatchObject({ needed: 1, neededOnAppeal: 2 })
  expect((await one.verdict(UPHELD, [4])).exit).toBe(0)
  await one.appeal()
  expect((await one.verdict(UPHELD, [4])).exit).toBe(EXIT.tooFew)
  expect((await one.verdict(UPHELD, [4, 0])).exit).toBe(0)
})

describe('a case that waits', () => {
  it('for the registry has nothing frozen, no ticket and no second bond', async () => {
    await s.open()
    expect(await s.view()).toMatchObject({ frozen: 0n, ticket: 0, appealBond: 0n })
  })

  it('for the item gives it an hour from the registry’s answer', async () => {
    await s.open()
    s.elapse(100)
    await s.opened()
    expect((await s.view()).deadlineS).toBe(START_S + 100 + DISPUTE_ANSWER_S)
  })
})

it('a verdict counts even where nothing is left to give back to its bearer', async () => {
  await s.tried()
  const { gas } = await s.lab.undone(() => s.verdict(UPHELD))
  const outcome = await s.verdict(UPHELD, [0, 1, 2], {}, gas * GAS_PRICE + 1n)
  expect(outcome.exit).toBe(0)
  expect(outcome.tx!.outMessagesCount).toBe(0)
  expect((await s.view()).state).toBe('judged')
})

it('an appeal is late in the very second of its deadline', async () => {
  await s.tried()
  await s.verdict(UPHELD)
  s.elapse(s.rules.appealS)
  expect((await s.appeal()).exit).toBe(EXIT.tooLate)
})

describe('a conclusion', () => {
  it('needs bonds, floor, the way to the registry and its gas, to the nanoTON', async () => {
    await s.tried()
    await s.verdict({ uphold: false, loss: 0n })
    s.elapse(s.rules.appealS)
    const least = BOND + DISPUTE_FLOOR + DISPUTE_CLOSE_VALUE + GAS_CONCLUDE * GAS_PRICE
    const short = least - DISPUTE_VALUE.conclude + (await rentDue()) - 1n
    const holding = (balance: bigint) =>
      s.lab.undone(async () => {
        const account = await s.blockchain.getContract(s.address)
        account.balance = balance
        return s.conclude()
      })
    expect((await holding(short)).exit).toBe(EXIT.reserve)
    const outcome = await holding(short + 1n)
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.owner.address)).toBeGreaterThanOrEqual(BOND - 400_000n)
  })
})

/** What the next transaction takes for storage. */
async function rentDue(): Promise<bigint> {
  const { tx } = await s.lab.undone(() => s.conclude())
  if (tx?.description.type !== 'generic') throw new Error('no transaction')
  return tx.description.storagePhase?.storageFeesCollected ?? 0n
}

describe('what a case sends', () => {
  const modes = ({ tx }: Outcome): boolean[] =>
    [...(tx?.outMessages.values() ?? [])].map(({ info }) => info.type === 'internal' && info.bounce)

  it('to the registry bounces, to people does not', async () => {
    expect(modes(await s.open())).toEqual([true])
    await s.opened()
    await s.frozen()
    expect(modes(await s.verdict(UPHELD))).toEqual([false])
    s.elapse(s.rules.appealS)
    expect(modes(await s.conclude())).toEqual([true, false])
  })

  it('to people arrives even where their contract throws', async () => {
    await s.tried()
    s.elapse(s.rules.verdictS)
    await refuseEverything(s.blockchain, s.owner.address)
    const before = await s.balance(s.owner.address)
    await s.conclude()
    expect((await s.balance(s.owner.address)) - before).toBeGreaterThan(BOND)
    expect(await s.balance()).toBe(DISPUTE_FLOOR)
  })
})
