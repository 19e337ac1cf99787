/**
 * What mutants of the case showed to be unwatched: edges of its rules, amounts to the nanoTON, and
 * the flags of what it sends (`npm run mutate:tolk -- --contract dispute`).
 * @module
 */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  DISPUTE_ANSWER_S,
  DISPUTE_CLOSE_VALUE,
  DISPUTE_EXIT,
  DISPUTE_FLOOR,
} from '../../../contracts/wrappers/Dispute.ts'
import {
  CASE_PROTOCOL,
  DISPUTE_OUT,
  DISPUTE_VALUE,
} from '../../../contracts/wrappers/disputeMessages.ts'
import { forwardFee, sizeOf } from '../../../node/chain/simulatedFees.ts'
import { BOND, type DisputeSandbox, disputeSandbox } from '../../support/disputeSandbox.ts'
import { type Outcome, refuseEverything, START_S, sentTo } from '../../support/sandboxChain.ts'

const UPHELD = { uphold: true, loss: 30n * TON }
const EXIT = DISPUTE_EXIT
/** `fees.tolk`, and the sandbox's price. */
const GAS_CONCLUDE = 11_000n
const GAS_PRICE = 400n
const PRICES = CHAIN_PRICES['sandbox-0.41']

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

describe('how many must sign on appeal', () => {
  it.each([
    { arbiters: 2, accounts: [] },
    { arbiters: 3, accounts: ['owner'] },
    { arbiters: 3, accounts: ['challenger'] },
    { arbiters: 4, accounts: ['challenger', 'owner'] },
  ] as const)('no more than there are impartial ones: %o', async ({ arbiters, accounts }) => {
    const parties = new Map(accounts.map((party, place) => [place, party]))
    const two = await disputeSandbox({ arbiters, accounts: parties })
    await two.tried()
    expect((await two.view()).terms).toMatchObject({ needed: 2, neededOnAppeal: 2 })
  })
})

describe('a conclusion', () => {
  it('sends what it takes to the registry, all else above the floor to the winner', async () => {
    await s.tried()
    s.elapse(s.rules.verdictS)
    const held = (await s.balance()) - (await rentDue())
    const outcome = await s.conclude()
    const sent = messagesOf(outcome)
    expect(sent.map(({ to }) => to)).toEqual([s.registry.address, s.owner.address].map(String))
    expect(sent[0]!.value).toBe(DISPUTE_CLOSE_VALUE - sent[0]!.fee)
    const left = held + DISPUTE_VALUE.conclude - outcome.gas * GAS_PRICE - DISPUTE_FLOOR
    expect(sent[1]!.value).toBe(left - DISPUTE_CLOSE_VALUE - sent[1]!.fee)
  })

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

describe('a case that is over', () => {
  it('keeps its end, and no rules or deadline', async () => {
    const over = async () => {
      const { state, deadlineS, terms } = await s.view()
      return { state, deadlineS, terms }
    }
    await s.tried()
    s.elapse(s.rules.verdictS)
    await s.conclude()
    expect(await over()).toEqual({ state: 'concluded', deadlineS: 0, terms: undefined })
    await s.blockchain.loadFrom(fresh)
    await s.open()
    await s.opened()
    await s.frozen(0n)
    expect(await over()).toEqual({ state: 'void', deadlineS: 0, terms: undefined })
  })

  it('before it began, may be ended again with nothing to pay out', async () => {
    await s.open()
    s.elapse(DISPUTE_ANSWER_S)
    await s.conclude()
    const { gas } = await s.lab.undone(() => s.conclude())
    const outcome = await s.conclude(gas * GAS_PRICE + 1n)
    expect(outcome.exit).toBe(0)
    expect(messagesOf(outcome)).toEqual([])
  })
})

describe('what a case says of itself', () => {
  it('has no verdict before there is one, and zeros in its place', async () => {
    await s.tried()
    expect(await verdicts()).toEqual([0n, 0n, 0n, 0n, 0n])
  })

  it('counts its verdicts and tells each', async () => {
    const { loss } = UPHELD
    await s.tried()
    await s.verdict(UPHELD)
    expect(await verdicts()).toEqual([1n, -1n, loss, 0n, 0n])
    await s.appeal()
    await s.verdict({ ...UPHELD, loss: loss - 1n })
    expect(await verdicts()).toEqual([2n, -1n, loss, -1n, loss - 1n])
  })

  it('counts the way to the registry as needed while a single nanoTON is owed', async () => {
    await s.open({ value: DISPUTE_VALUE.open + 1n })
    const { balance, owed, spare } = await s.solvency()
    expect({ owed, spare }).toEqual({
      ...{ owed: 1n, spare: balance - 1n - DISPUTE_FLOOR - DISPUTE_CLOSE_VALUE },
    })
  })
})

describe('what a case sends', () => {
  it('says by an op what it is', async () => {
    const ops = ({ tx }: Outcome): number[] =>
      [...(tx?.outMessages.values() ?? [])].map(({ body }) => body.beginParse().loadUint(32))
    const { openCase, closeCase } = CASE_PROTOCOL
    expect(ops(await s.open())).toEqual([openCase])
    await s.opened()
    await s.frozen()
    expect(ops(await s.verdict(UPHELD))).toEqual([DISPUTE_OUT.excess])
    s.elapse(s.rules.appealS)
    expect(ops(await s.conclude())).toEqual([closeCase, DISPUTE_OUT.payout])
  })

  it('to the registry with an opening is 0.1 TON, to the nanoTON', async () => {
    const [asked] = messagesOf(await s.open())
    expect(asked!.value + asked!.fee).toBe(TON / 10n)
  })

  it('with a verdict is what its bearer attached, and nothing of the case', async () => {
    await s.tried()
    const before = await s.balance()
    await s.verdict(UPHELD)
    expect(await s.balance()).toBe(before)
  })

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

/** What `get_case` says of verdicts: how many, then whether and how much, of each. */
async function verdicts(): Promise<unknown[]> {
  const { stack } = await s.blockchain.runGetMethod(s.address, 'get_case')
  return stack.slice(-6, -1).map((entry) => entry.type === 'int' && entry.value)
}

/** The messages of the case's transaction, each with the fee of forwarding it. */
function messagesOf({ tx }: Outcome): { to: string; value: bigint; fee: bigint }[] {
  return [...(tx?.outMessages.values() ?? [])].map(({ info, body }) => {
    if (info.type !== 'internal') throw new Error('not an internal message')
    // The root cell goes for nothing, and the body is in it where it has room.
    const { bits, cells } = sizeOf(body.refs)
    const fee = forwardFee(PRICES, bits, cells)
    return { to: info.dest.toString(), value: info.value.coins, fee }
  })
}
