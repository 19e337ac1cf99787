/**
 * The ends of a jetton-channel: start and finish, together, and what is swept afterwards.
 * @module
 */
import { beginCell } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import {
  JETTON_CHANNEL_EXIT,
  JETTON_CHANNEL_FLOOR,
} from '../../../contracts/wrappers/JettonChannel.ts'
import { DOLLAR, type JettonSandbox, openJettonSandbox } from '../../support/jettonSandbox.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  outcomeAmong,
  refuseEverything,
  sentTo,
} from '../../support/sandboxChain.ts'

const EXIT = JETTON_CHANNEL_EXIT

let s: JettonSandbox
let opened: ReturnType<JettonSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await openJettonSandbox(100n * DOLLAR)
  opened = s.blockchain.snapshot()
})
beforeEach(() => s.blockchain.loadFrom(opened))

/** Makes the own wallet refuse everything for the time of `run`, as a locked one would. */
async function whileLocked<T>(run: () => Promise<T>): Promise<T> {
  const address = await s.walletOf(s.address)
  const { account } = await s.blockchain.getContract(address)
  await refuseEverything(s.blockchain, address)
  const result = await run()
  const wallet = await s.blockchain.getContract(address)
  wallet.account = account
  return result
}

describe('start-close', () => {
  it('is the payer’s, once, and leaves the delay', async () => {
    expect((await s.startClose(s.payee.address)).exit).toBe(EXIT.notPayer)
    expect((await s.startClose()).exit).toBe(0)
    const view = await s.view()
    expect(view).toMatchObject({ status: 'closing', closeAtS: s.blockchain.now! + DAY_S })
    expect((await s.startClose()).exit).toBe(EXIT.notOpen)
  })
})

describe('finish-close', () => {
  it('is refused before anyone started, and before the delay has passed', async () => {
    expect((await s.finishClose()).exit).toBe(EXIT.notClosing)
    await s.startClose()
    s.elapse(DAY_S - 1)
    expect((await s.finishClose()).exit).toBe(EXIT.tooEarly)
    s.elapse(1)
    expect((await s.finishClose()).exit).toBe(0)
    expect((await s.finishClose()).exit).toBe(EXIT.notClosing)
  })

  it('by anyone sends the rest and the reserve to the payer, and the excess back', async () => {
    await s.claim(s.voucher(30n * DOLLAR))
    await s.startClose()
    s.elapse(DAY_S)
    const outcome = await s.finishClose(s.stranger.address)
    expect(await s.held(s.payer.address)).toBe(970n * DOLLAR)
    expect(await s.held()).toBe(0n)
    expect(await s.view()).toMatchObject({ status: 'closed', deposited: 30n * DOLLAR, rest: 0n })
    expect(sentTo(outcome, s.payer.address)).toBeGreaterThan(TON / 11n)
    expect(sentTo(outcome, s.stranger.address)).toBeGreaterThan(0n)
    expect(await s.balance()).toBe(JETTON_CHANNEL_FLOOR)
  })

  it('needs the value of a transfer only where there is something to transfer', async () => {
    await s.startClose()
    s.elapse(DAY_S)
    expect((await s.finishClose(s.payer.address, TON / 10n)).exit).toBe(EXIT.tooLittleValue)
    await s.claim(s.voucher(100n * DOLLAR))
    expect((await s.finishClose(s.payer.address, TON / 50n)).exit).toBe(0)
  })
})

describe('cooperative close', () => {
  it('is the payee’s alone', async () => {
    expect((await s.cooperativeClose(undefined, s.payer.address)).exit).toBe(EXIT.notPayee)
    expect((await s.cooperativeClose()).exit).toBe(0)
    expect(await s.held(s.payer.address)).toBe(1_000n * DOLLAR)
    expect((await s.cooperativeClose()).exit).toBe(EXIT.notOpen)
  })

  it('pays a last voucher and returns the rest, while open and while closing', async () => {
    await s.startClose()
    expect((await s.cooperativeClose(s.voucher(40n * DOLLAR))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(40n * DOLLAR)
    expect(await s.held(s.payer.address)).toBe(960n * DOLLAR)
    expect(await s.balance()).toBe(JETTON_CHANNEL_FLOOR)
    expect((await s.view()).receiptsHash).toEqual(s.voucher(40n * DOLLAR).receiptsHash)
  })

  it('with an old voucher pays nothing more and closes', async () => {
    await s.claim(s.voucher(40n * DOLLAR))
    expect((await s.cooperativeClose(s.voucher(10n * DOLLAR))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(40n * DOLLAR)
    expect(await s.held(s.payer.address)).toBe(960n * DOLLAR)
  })

  it('is refused with a voucher that is not signed for it, or too little value', async () => {
    const other = s.voucher(40n * DOLLAR, { channel: s.stranger.address })
    expect((await s.cooperativeClose(other)).exit).toBe(EXIT.badSignature)
    const last = s.voucher(40n * DOLLAR)
    const { exit } = await s.cooperativeClose(last, s.payee.address, 250_000_000n)
    expect(exit).toBe(EXIT.tooLittleValue)
    expect((await s.view()).status).toBe('open')
  })
})

describe('once closed', () => {
  it('no voucher pays, however high', async () => {
    await s.cooperativeClose(s.voucher(40n * DOLLAR))
    expect((await s.claim(s.voucher(90n * DOLLAR))).exit).toBe(EXIT.nothingToPay)
    expect((await s.startClose()).exit).toBe(EXIT.notOpen)
  })

  it('a redeployment starts nothing afresh', async () => {
    await s.cooperativeClose(s.voucher(40n * DOLLAR))
    await s.open()
    await s.deposit(50n * DOLLAR)
    expect(await s.view()).toMatchObject({ status: 'closed', deposited: 40n * DOLLAR })
    expect(await s.held(s.payer.address)).toBe(960n * DOLLAR)
  })

  it('jettons that nobody counted go to the payer, where the payee is owed nothing', async () => {
    // Without a notification, or with too little TON to send them back, they stay.
    await s.deposit(7n * DOLLAR, { forward: 0n })
    expect((await s.view()).deposited).toBe(100n * DOLLAR)
    expect((await s.sweep(7n * DOLLAR)).exit).toBe(EXIT.notClosed)
    await s.cooperativeClose()
    await s.deposit(5n * DOLLAR, { from: s.stranger.address, forward: 1_000_000n })
    expect(await s.held()).toBe(12n * DOLLAR)
    expect((await s.sweep(12n * DOLLAR)).exit).toBe(0)
    expect(await s.held()).toBe(0n)
    expect(await s.held(s.payer.address)).toBe(1_005n * DOLLAR)
  })

  it('a sweep of more than there is moves nothing, and harms no later one', async () => {
    await s.deposit(7n * DOLLAR, { forward: 0n })
    await s.cooperativeClose()
    await s.sweep(8n * DOLLAR)
    expect((await s.view()).rest).toBe(0n)
    await s.sweep(7n * DOLLAR)
    expect(await s.held(s.payer.address)).toBe(1_000n * DOLLAR)
  })

  it('a sweep of nothing sends surplus TON to the payer', async () => {
    await s.cooperativeClose()
    await s.open(TON / 2n, s.stranger.address)
    const outcome = await s.sweep(0n, s.stranger.address, TON / 20n)
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.payer.address)).toBeGreaterThan(TON / 20n)
    expect(await s.balance()).toBe(JETTON_CHANNEL_FLOOR)
    expect((await s.sweep(1n, s.stranger.address, TON / 10n)).exit).toBe(EXIT.tooLittleValue)
  })
})

describe('where the own wallet refuses', () => {
  it('a claim is owed again, and the payee has its TON back', async () => {
    const outcome = await whileLocked(() => s.claim(s.voucher(30n * DOLLAR)))
    expect(outcome.exit).toBe(0)
    expect((await s.view()).claimed).toBe(0n)
    const back = lastOf(outcome)
    expect(sentTo(back, s.payee.address)).toBeGreaterThan(TON / 10n)
    expect((await s.claim(s.voucher(30n * DOLLAR))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(30n * DOLLAR)
  })

  it('a later claim alone is owed again, not what was paid before it', async () => {
    await s.claim(s.voucher(10n * DOLLAR))
    await whileLocked(() => s.claim(s.voucher(30n * DOLLAR)))
    expect((await s.view()).claimed).toBe(10n * DOLLAR)
    expect((await s.claim(s.voucher(30n * DOLLAR))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(30n * DOLLAR)
  })

  it('a sweep that moves uncounted jettons and fails leaves nothing due', async () => {
    await s.deposit(7n * DOLLAR, { forward: 0n })
    await s.cooperativeClose()
    await whileLocked(() => s.sweep(7n * DOLLAR))
    expect((await s.view()).rest).toBe(0n)
    await s.sweep(7n * DOLLAR)
    expect(await s.held(s.payer.address)).toBe(1_000n * DOLLAR)
  })

  it('a return that fails changes no account', async () => {
    await s.startClose()
    const wallet = await s.walletOf(s.address)
    const body = beginCell().storeUint(0xffffffff, 32).storeUint(0x0f8a7ea5, 32).storeUint(3, 64)
    const bounced = body.storeCoins(30n * DOLLAR).endCell()
    const before = await s.view()
    await s.blockchain.sendMessage(
      internalMessage(wallet, s.address, TON, bounced, { bounce: false, bounced: true }),
    )
    const { deposited, claimed, rest } = await s.view()
    expect([deposited, claimed, rest]).toEqual([before.deposited, before.claimed, before.rest])
  })

  it('a close is final, and both sides are paid later', async () => {
    await whileLocked(() => s.cooperativeClose(s.voucher(30n * DOLLAR)))
    const view = await s.view()
    expect(view).toMatchObject({ status: 'closed', deposited: 30n * DOLLAR, claimed: 0n })
    expect(view.rest).toBe(70n * DOLLAR)
    // While the payee is owed, nothing but the known rest goes to the payer.
    await s.sweep(100n * DOLLAR)
    expect(await s.held(s.payer.address)).toBe(970n * DOLLAR)
    expect(await s.held()).toBe(30n * DOLLAR)
    expect((await s.claim(s.voucher(30n * DOLLAR))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(30n * DOLLAR)
    expect((await s.claim(s.voucher(40n * DOLLAR))).exit).toBe(EXIT.nothingToPay)
  })

  it('a refund that fails again is due again', async () => {
    await s.startClose()
    s.elapse(DAY_S)
    await whileLocked(() => s.finishClose())
    expect((await s.view()).rest).toBe(100n * DOLLAR)
    await whileLocked(() => s.sweep())
    expect((await s.view()).rest).toBe(100n * DOLLAR)
    await s.sweep()
    expect((await s.view()).rest).toBe(0n)
    expect(await s.held(s.payer.address)).toBe(1_000n * DOLLAR)
  })

  it('nobody else can say that a transfer failed', async () => {
    await s.claim(s.voucher(30n * DOLLAR))
    const body = beginCell().storeUint(0xffffffff, 32).storeUint(0x0f8a7ea5, 32).storeUint(1, 64)
    const bounced = body.storeCoins(30n * DOLLAR).endCell()
    const own = await s.walletOf(s.address)
    const forged = (from: typeof own) =>
      s.blockchain.sendMessage(
        internalMessage(from, s.address, TON, bounced, { bounce: false, bounced: true }),
      )
    await forged(s.payee.address)
    expect((await s.view()).claimed).toBe(30n * DOLLAR)
    // From the own wallet it would count: this is what the sender's address is checked for.
    await forged(own)
    expect((await s.view()).claimed).toBe(0n)
  })
})

/** The channel's last transaction of a cascade. */
function lastOf({ transactions }: Outcome): Outcome {
  return outcomeAmong([...transactions].reverse(), s.address)
}
