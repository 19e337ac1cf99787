/**
 * The channel handled roughly: too little gas or value, messages in any order, spam, frost, and
 * strangers who would make it grow. What an attacker gains by a message that looks like an honest
 * one is in `channelAttacks.test.ts`.
 * @module
 */
import { Address, beginCell, type Cell, external } from '@ton/core'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import {
  CHANNEL_EXIT,
  CHANNEL_FLOOR,
  channelStateInit,
} from '../../../contracts/wrappers/Channel.ts'
import {
  CHANNEL_OP,
  CHANNEL_VALUE,
  claimBody,
  cooperativeCloseBody,
  finishCloseBody,
  startCloseBody,
  sweepBody,
  topUpBody,
} from '../../../contracts/wrappers/channelMessages.ts'
import { type ChannelSandbox, channelSandbox } from '../../support/channelSandbox.ts'
import { type ContractLab, contractLab, interleave } from '../../support/contractLab.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  outcomeAmong,
  sentTo,
  YEAR_S,
} from '../../support/sandboxChain.ts'

const OUT_OF_GAS = -14
/** An account without code: it refuses what may bounce. */
const NOBODY = Address.parseRaw(`0:${'5a'.repeat(32)}`)

let s: ChannelSandbox
let lab: ContractLab
beforeEach(async () => {
  s = await channelSandbox()
  lab = contractLab(s.blockchain, s.address)
  await s.topUp(10n * TON)
})

/** What the channel holds beyond what it owes its payer and payee. */
async function spare(): Promise<bigint> {
  const { deposited, claimed } = await s.view()
  return (await s.balance()) - (deposited - claimed)
}

describe('with too little gas', () => {
  it('a claim from outside is not accepted, at any amount of gas, or is done whole', async () => {
    const exits = new Set<number>()
    for (let credit = 200n; credit <= 5_000n; credit += 600n) {
      const { exit, tx } = await lab.undone(() =>
        lab.atGas({ credit }, () => s.claim(s.voucher(4n * TON))),
      )
      exits.add(exit)
      if (exit !== 0) expect(tx).toBeUndefined()
    }
    expect(exits).toEqual(new Set([0, OUT_OF_GAS]))
  })

  it('an accepted claim has all the gas that it needs: its fee is on the balance', async () => {
    const balance = 10n * TON + CHANNEL_FLOOR + 5_000_000n
    const account = await s.blockchain.getContract(s.address)
    account.balance = balance
    const outcome = await s.claim(s.voucher(10n * TON))
    expect([0, CHANNEL_EXIT.reserve]).toContain(outcome.exit)
    if (outcome.exit !== 0) expect(await s.balance()).toBe(balance)
  })
})

describe('with too little value', () => {
  const upTo = 12_000_000n

  it('a claim by the payee moves nothing, or all that it says', async () => {
    const seen = await lab.atEveryValue(
      (value) => s.claimFrom(s.payee.address, s.voucher(4n * TON), value),
      {
        upTo,
        steps: 12,
        whole: async (outcome) => {
          expect(sentTo(outcome, s.payee.address)).toBeGreaterThanOrEqual(4n * TON)
          expect((await s.view()).claimed).toBe(4n * TON)
        },
      },
    )
    expect([...seen.keys()]).toEqual(expect.arrayContaining([0, CHANNEL_EXIT.tooLittleValue]))
  })

  it('a cooperative close pays both, or stays open', async () => {
    await lab.atEveryValue(
      (value) => s.cooperativeClose(s.voucher(4n * TON), s.payee.address, value),
      {
        upTo,
        steps: 12,
        whole: async (outcome) => {
          expect(sentTo(outcome, s.payee.address)).toBeGreaterThanOrEqual(4n * TON)
          expect(sentTo(outcome, s.payer.address)).toBeGreaterThan(6n * TON)
          expect(await s.balance()).toBe(CHANNEL_FLOOR)
        },
      },
    )
  })

  it('closing by the payer is started, or not; finished, or not', async () => {
    const start = await lab.atEveryValue((value) => s.startClose(s.payer.address, value), {
      ...{ upTo, steps: 12 },
      whole: async () => expect((await s.view()).status).toBe('closing'),
    })
    expect(start.get(0)).toBeDefined()
    await s.startClose()
    s.elapse(DAY_S)
    const finish = await lab.atEveryValue((value) => s.finishClose(s.stranger.address, value), {
      ...{ upTo, steps: 12 },
      whole: (outcome) => expect(sentTo(outcome, s.payer.address)).toBeGreaterThan(10n * TON),
    })
    expect(finish.get(0)).toBeDefined()
  })

  it('no message of any size of value takes from what backs the deposit', async () => {
    const bodies = [topUpBody(0n), topUpBody(TON), startCloseBody(), finishCloseBody(), sweepBody()]
    bodies.push(cooperativeCloseBody(), beginCell().endCell(), claim(4n * TON))
    const before = await spare()
    for (const body of bodies) {
      const send = (value: bigint): Promise<Outcome> => s.internal(s.stranger.address, value, body)
      await lab.atEveryValue(send, { upTo, steps: 4 })
      for (const value of [1n, 2_000_000n, 20_000_000n]) await send(value)
    }
    expect(await spare()).toBeGreaterThanOrEqual(before)
    expect(await s.view()).toMatchObject({ status: 'open', deposited: 10n * TON, claimed: 0n })
  })
})

describe('in any order', () => {
  it('claims and closes that cross pay the payee its voucher and the payer the rest', async () => {
    await s.startClose()
    s.elapse(DAY_S)
    const inward = (from: typeof s.payer, body: Cell) =>
      internalMessage(from.address, s.address, CHANNEL_VALUE.claim, body)
    const last = { voucher: s.voucher(4n * TON), signature: s.sign(s.voucher(4n * TON)) }
    const messages = () => [
      external({ to: s.address, body: claim(2n * TON) }),
      inward(s.payee, claim(3n * TON)),
      inward(s.payee, cooperativeCloseBody(last)),
      inward(s.stranger, finishCloseBody()),
      inward(s.stranger, sweepBody()),
    ]
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(1_000)), (picks) =>
        lab.undone(async () => {
          const pick = (alive: number): number => picks.next().value! % alive
          const done = await interleave(s.blockchain, messages(), pick)
          let paid = 0n
          for (const each of done) paid += sentTo(outcomeAmong(each, s.address), s.payee.address)
          const { status, deposited, claimed } = await s.view()
          expect(status).toBe('closed')
          expect(deposited).toBe(claimed)
          // Whoever was first, no more than the best voucher was paid, and nothing twice.
          expect(claimed).toBeLessThanOrEqual(4n * TON)
          expect(paid).toBeLessThan(claimed + 3n * CHANNEL_VALUE.claim)
          expect(await s.balance()).toBe(CHANNEL_FLOOR)
        }),
      ),
      { seed: 11, numRuns: 8 },
    )
  })

  it('a payout that comes back after the close is still owed', async () => {
    const refused = await channelSandbox({ config: { payee: NOBODY } })
    await refused.topUp(10n * TON)
    await refused.startClose()
    refused.elapse(DAY_S)
    const voucher = refused.voucher(4n * TON)
    const body = claimBody(voucher, refused.sign(voucher))
    const finish = internalMessage(
      refused.stranger.address,
      refused.address,
      CHANNEL_VALUE.finishClose,
      finishCloseBody(),
    )
    // The claim's payout is on its way when the close is finished: pick 0, then 1, then the rest.
    const picks = [0, 1]
    const claimThenFinish = [external({ to: refused.address, body }), finish]
    await interleave(refused.blockchain, claimThenFinish, () => picks.shift() ?? 0)
    const { status, deposited, claimed } = await refused.view()
    expect(status).toBe('closed')
    expect(deposited - claimed).toBeGreaterThan(4n * TON - TON / 100n)
    expect(await refused.balance()).toBeGreaterThanOrEqual(deposited - claimed + CHANNEL_FLOOR)
    await refused.sweep()
    expect(await refused.balance()).toBe(deposited - claimed + CHANNEL_FLOOR)
  })
})

describe('spam and growth', () => {
  it('a hundred internal messages of strangers cost the channel nothing', async () => {
    const before = await spare()
    for (let i = 0; i < 100; i++) {
      const body = beginCell().storeUint(Object.values(CHANNEL_OP)[i % 6]!, 32)
      await s.internal(s.stranger.address, BigInt(i) * 30_000n, body.storeUint(i, 40).endCell())
    }
    expect(await spare()).toBeGreaterThanOrEqual(before)
    expect(await s.view()).toMatchObject({ status: 'open', deposited: 10n * TON, claimed: 0n })
  })

  it('a hundred external messages of every shape are not accepted', async () => {
    const voucher = s.voucher(4n * TON)
    const bodies = Array.from({ length: 100 }, (_, i) => {
      const op = Object.values(CHANNEL_OP)[i % 6]!
      const body = beginCell().storeUint(i % 7 === 0 ? i : op, 32)
      return i % 2 ? body.endCell() : claimBody(voucher, new Uint8Array(64).fill(i))
    })
    expect(await lab.spam(bodies)).toEqual({ accepted: 0, cost: 0n })
  })

  it('nothing that strangers send makes the state grow by a cell', async () => {
    const before = await lab.size()
    for (let i = 0; i < 20; i++) {
      await s.topUp(1_000_000n, 20_000_000n, s.stranger.address)
      await s.internal(s.stranger.address, TON, beginCell().storeUint(i, 32).endCell(), false)
    }
    const after = await lab.size()
    expect(after.cells).toBe(before.cells)
    // Sums of coins take bytes as they grow, sixteen at most each.
    expect(after.bits - before.bits).toBeLessThanOrEqual(3n * 128n)
  })
})

describe('frost and silence', () => {
  it('a frozen channel comes back with its state, and goes on', async () => {
    await s.claim(s.voucher(4n * TON))
    const before = await lab.state()
    expect(await lab.freeze()).toBeGreaterThan(9 * YEAR_S)
    expect(await lab.status()).toBe('frozen')
    expect((await s.claim(s.voucher(9n * TON))).tx).toBeUndefined()
    // Not the StateInit of the channel's first day, which would forget what was claimed.
    const first = internalMessage(s.payer.address, s.address, 20n * TON, topUpBody(0n), {
      init: channelStateInit(s.config),
    })
    await s.blockchain.sendMessage(first)
    expect(await lab.status()).toBe('frozen')

    await lab.unfreeze(s.stranger.address, 20n * TON)
    expect(await lab.state()).toBe(before)
    expect((await s.claim(s.voucher(9n * TON))).exit).toBe(0)
    expect(await s.view()).toMatchObject({ claimed: 9n * TON })
  })

  it('five years of silence, and then a claim, and each way to close', async () => {
    lab.elapse(5 * YEAR_S)
    expect((await s.claim(s.voucher(4n * TON))).exit).toBe(0)
    await lab.undone(async () => {
      expect((await s.cooperativeClose(s.voucher(5n * TON))).exit).toBe(0)
      expect(await s.balance()).toBe(CHANNEL_FLOOR)
    })
    expect((await s.startClose()).exit).toBe(0)
    lab.elapse(DAY_S)
    const outcome = await s.finishClose()
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.payer.address)).toBeGreaterThan(6n * TON - TON / 100n)
  })
})

function claim(cumulative: bigint): Cell {
  const voucher = s.voucher(cumulative)
  return claimBody(voucher, s.sign(voucher))
}
