/**
 * The compiled channel contract in the sandbox: both ways to close it, the tombstone that is left,
 * and payouts that bounce.
 * @module
 */
import { Address, beginCell } from '@ton/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { CHANNEL_EXIT, CHANNEL_FLOOR } from '../../../contracts/wrappers/Channel.ts'
import { CHANNEL_VALUE, topUpBody } from '../../../contracts/wrappers/channelMessages.ts'
import {
  type ChannelSandbox,
  channelSandbox,
  DAY_S,
  START_S,
  sentTo,
  takeEverything,
  YEAR_S,
} from '../../support/channelSandbox.ts'

let s: ChannelSandbox
beforeEach(async () => {
  s = await channelSandbox()
  await s.topUp(10n * TON)
})

describe('closing by the payer', () => {
  it('takes the delay, and then gives the payer the rest', async () => {
    await s.claim(s.voucher(4n * TON))
    expect((await s.startClose()).exit).toBe(0)
    expect(await s.view()).toMatchObject({ status: 'closing', closeAtS: START_S + DAY_S })

    s.elapse(DAY_S - 1)
    expect((await s.finishClose()).exit).toBe(CHANNEL_EXIT.tooEarly)
    s.elapse(1)
    const outcome = await s.finishClose(s.stranger.address)
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.payer.address)).toBeGreaterThan(6n * TON)
    expect(await s.balance()).toBe(CHANNEL_FLOOR)
    expect(await s.view()).toMatchObject({ status: 'closed', claimed: 4n * TON })
  })

  it('is started by the payer only, and once', async () => {
    expect((await s.startClose(s.stranger.address)).exit).toBe(CHANNEL_EXIT.notPayer)
    expect((await s.startClose(s.payee.address)).exit).toBe(CHANNEL_EXIT.notPayer)
    expect((await s.startClose()).exit).toBe(0)
    s.elapse(60)
    expect((await s.startClose()).exit).toBe(CHANNEL_EXIT.notOpen)
    expect((await s.view()).closeAtS).toBe(START_S + DAY_S)
  })

  it('cannot be finished where it was not started', async () => {
    expect((await s.finishClose()).exit).toBe(CHANNEL_EXIT.notClosing)
  })

  it('leaves time for claims, from outside and from the payee, until it is finished', async () => {
    await s.startClose()
    expect((await s.claim(s.voucher(4n * TON))).exit).toBe(0)
    s.elapse(2 * DAY_S)
    expect((await s.claimFrom(s.payee.address, s.voucher(5n * TON))).exit).toBe(0)
    expect((await s.claim(s.voucher(9n * TON))).exit).toBe(0)
    expect(await s.view()).toMatchObject({ status: 'closing', claimed: 9n * TON })
  })

  it('with the longest delay ends before the year 2107', async () => {
    const long = await channelSandbox({ config: { closeDelayS: 0xffffffff } })
    await long.topUp(TON)
    await long.startClose()
    expect((await long.view()).closeAtS).toBe(0xfffffffe)
  })
})

describe('cooperative close', () => {
  it('pays the payee its last voucher and the payer the rest, at once', async () => {
    const outcome = await s.cooperativeClose(s.voucher(4n * TON))
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.payee.address)).toBeGreaterThan(4n * TON)
    expect(sentTo(outcome, s.payer.address)).toBeGreaterThan(6n * TON)
    expect(await s.view()).toMatchObject({ status: 'closed', claimed: 4n * TON })
    expect(await s.balance()).toBe(CHANNEL_FLOOR)
  })

  it('needs no voucher, and works while closing', async () => {
    await s.startClose()
    const outcome = await s.cooperativeClose()
    expect(sentTo(outcome, s.payer.address)).toBeGreaterThan(10n * TON)
    expect((await s.view()).status).toBe('closed')
  })

  it('takes a voucher that was claimed already as nothing more to pay', async () => {
    await s.claim(s.voucher(4n * TON))
    const outcome = await s.cooperativeClose(s.voucher(3n * TON))
    expect(sentTo(outcome, s.payee.address)).toBeLessThan(CHANNEL_VALUE.cooperativeClose)
    expect(await s.view()).toMatchObject({ status: 'closed', claimed: 4n * TON })
  })

  it('is refused from all but the payee, twice, with a bad voucher, with too little', async () => {
    const { payer, payee } = s
    expect((await s.cooperativeClose(undefined, payer.address)).exit).toBe(CHANNEL_EXIT.notPayee)
    const other = s.voucher(TON, { channel: payer.address })
    expect((await s.cooperativeClose(other)).exit).toBe(CHANNEL_EXIT.badSignature)
    const short = 3_119_999n
    const last = s.voucher(TON)
    expect((await s.cooperativeClose(last, payee.address, short)).exit).toBe(
      CHANNEL_EXIT.tooLittleValue,
    )
    expect((await s.cooperativeClose(last, payee.address, short + 1n)).exit).toBe(0)
    expect((await s.cooperativeClose()).exit).toBe(CHANNEL_EXIT.notOpen)
  })
})

describe('the tombstone', () => {
  beforeEach(async () => {
    await s.cooperativeClose(s.voucher(4n * TON))
  })

  it('pays no old voucher, from outside or from the payee', async () => {
    for (const cumulative of [3n * TON, 4n * TON, 9n * TON]) {
      expect((await s.claim(s.voucher(cumulative))).exit).toBe(CHANNEL_EXIT.tooSmall)
      const inside = await s.claimFrom(s.payee.address, s.voucher(cumulative))
      expect(inside.exit).toBe(CHANNEL_EXIT.nothingToPay)
    }
  })

  it('cannot be deployed again: the same StateInit meets the tombstone', async () => {
    expect((await s.topUp(10n * TON)).exit).toBe(CHANNEL_EXIT.notOpen)
    // `topUp` carries the StateInit; without it the answer is the same.
    const bare = await s.internal(s.payer.address, 2n * TON, topUpBody(TON))
    expect(bare.exit).toBe(CHANNEL_EXIT.notOpen)
    expect((await s.claim(s.voucher(9n * TON))).exit).toBe(CHANNEL_EXIT.tooSmall)
  })

  it('gives an excess to the payer, whoever sweeps', async () => {
    await s.internal(s.stranger.address, 2n * TON, beginCell().endCell(), false)
    const outcome = await s.sweep()
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.payer.address)).toBeGreaterThan(2n * TON - TON / 100n)
    expect(await s.balance()).toBe(CHANNEL_FLOOR)
  })

  it('is what sweep needs', async () => {
    const open = await channelSandbox({ config: { nonce: new Uint8Array(16) } })
    await open.topUp(TON)
    expect((await open.sweep()).exit).toBe(CHANNEL_EXIT.notClosed)
  })

  it('outlives ten years of rent, and still pays nothing', async () => {
    s.elapse(10 * YEAR_S)
    expect((await s.claimFrom(s.payee.address, s.voucher(9n * TON))).exit).toBe(
      CHANNEL_EXIT.nothingToPay,
    )
    expect((await s.view()).status).toBe('closed')
  })
})

describe('a payout that bounces', () => {
  // An account without code refuses a message that may bounce.
  const payee = Address.parseRaw(`0:${'5a'.repeat(32)}`)

  it('is owed again, less the cost of the way, and can be claimed again', async () => {
    const b = await channelSandbox({ config: { payee } })
    await b.topUp(10n * TON)
    await b.claim(b.voucher(4n * TON))
    const { claimed } = await b.view()
    expect(claimed).toBeGreaterThan(0n)
    expect(claimed).toBeLessThan(TON / 100n)
    expect(await b.balance()).toBeGreaterThan(10n * TON - claimed)

    await takeEverything(b.blockchain, payee)
    expect((await b.claim(b.voucher(4n * TON))).exit).toBe(CHANNEL_EXIT.bounced)
    expect((await b.claimFrom(payee, b.voucher(4n * TON))).exit).toBe(0)
    expect(await b.view()).toMatchObject({ claimed: 4n * TON, bounced: false })
    expect(await b.balance(payee)).toBeGreaterThan(4n * TON - TON / 50n)
  })

  it('after the close stays owed to the payee: no sweep takes it', async () => {
    const b = await channelSandbox({ config: { payee } })
    await b.topUp(10n * TON)
    const closed = await b.cooperativeClose(b.voucher(4n * TON), payee)
    expect(closed.exit).toBe(0)
    const { status, deposited, claimed } = await b.view()
    expect(status).toBe('closed')
    expect(deposited - claimed).toBeGreaterThan(4n * TON - TON / 100n)

    expect((await b.sweep()).exit).toBe(0)
    expect(await b.balance()).toBe(CHANNEL_FLOOR + deposited - claimed)
    await takeEverything(b.blockchain, payee)
    expect((await b.claimFrom(payee, b.voucher(4n * TON))).exit).toBe(0)
    expect(await b.balance(payee)).toBeGreaterThan(4n * TON - TON / 50n)
    expect(await b.balance()).toBe(CHANNEL_FLOOR)
  })

  it('restores no more than was paid, whatever the payee had attached', async () => {
    const b = await channelSandbox({ config: { payee } })
    await b.topUp(10n * TON)
    await b.claimFrom(payee, b.voucher(TON), 5n * TON)
    expect((await b.view()).claimed).toBe(0n)
  })
})
