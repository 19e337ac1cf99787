/**
 * The compiled jetton-channel in the sandbox: opening, deposits, claims.
 * @module
 */
import { beginCell, external } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../contracts/base/bytes.ts'
import { TON } from '../../../contracts/base/units.ts'
import { voucherHash } from '../../../contracts/money/voucher.ts'
import {
  checkJettonChannel,
  JETTON_CHANNEL_EXIT,
  JETTON_CHANNEL_FLOOR,
  JETTON_CHANNEL_RENT_RESERVE,
  jettonChannelAddress,
} from '../../../contracts/wrappers/JettonChannel.ts'
import { jettonTransferBody } from '../../../contracts/wrappers/jetton.ts'
import {
  JETTON_CHANNEL_VALUE,
  jettonClaimBody,
} from '../../../contracts/wrappers/jettonChannelMessages.ts'
import { testJettonMinter } from '../../../contracts/wrappers/testJetton.ts'
import {
  DOLLAR,
  type JettonSandbox,
  jettonSandbox,
  openJettonSandbox,
} from '../../support/jettonSandbox.ts'
import {
  DAY_S,
  outcomeOf,
  refuseEverything,
  sentTo,
  TEST_NETWORK,
} from '../../support/sandboxChain.ts'

const RESERVE = JETTON_CHANNEL_FLOOR + JETTON_CHANNEL_RENT_RESERVE
const EXIT = JETTON_CHANNEL_EXIT

let s: JettonSandbox
let opened: ReturnType<JettonSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await openJettonSandbox(100n * DOLLAR)
  opened = s.blockchain.snapshot()
})
beforeEach(() => s.blockchain.loadFrom(opened))

describe('opening', () => {
  it('asks the minter for the own wallet, keeps the reserve and sends the rest back', async () => {
    const fresh = await jettonSandbox()
    const outcome = await fresh.open(TON)
    expect(outcome.exit).toBe(0)
    expect(String((await fresh.view()).wallet)).toBe(String(await fresh.walletOf(fresh.address)))
    expect(await fresh.balance()).toBeGreaterThanOrEqual(RESERVE)
    expect(sentTo(outcome, fresh.payer.address)).toBeGreaterThan(TON - RESERVE - TON / 20n)
    expect(await fresh.view()).toMatchObject({ status: 'open', deposited: 0n, claimed: 0n })
    expect((await fresh.view()).config.nonce).toEqual(new Uint8Array(fresh.config.nonce))
  })

  it('is refused where the value does not cover reserve and fees', async () => {
    const fresh = await jettonSandbox()
    expect((await fresh.open(RESERVE)).exit).toBe(EXIT.reserve)
    expect((await fresh.open(RESERVE + 25_000_000n)).exit).toBe(0)
  })

  it('again fills the reserve from anyone and asks no more', async () => {
    s.elapse(3 * 365 * DAY_S)
    const { wallet, deposited } = await s.view()
    const outcome = await s.open(TON, s.stranger.address)
    expect(outcome.exit).toBe(0)
    expect(outcome.tx?.outMessages.size).toBe(1)
    expect(await s.balance()).toBe(RESERVE)
    expect(sentTo(outcome, s.stranger.address)).toBeGreaterThan(TON - RESERVE)
    const after = await s.view()
    expect([String(after.wallet), after.deposited]).toEqual([String(wallet), deposited])
  })

  it('never takes more than the reserve from who pays, nor gives what was there', async () => {
    const held = await s.balance()
    const outcome = await s.open(JETTON_CHANNEL_VALUE.open, s.stranger.address)
    expect(sentTo(outcome, s.stranger.address)).toBeLessThan(JETTON_CHANNEL_VALUE.open)
    expect(await s.balance()).toBe(held)
  })
})

describe('a deposit', () => {
  it('is what the own wallet says, from anyone, while open', async () => {
    expect((await s.view()).deposited).toBe(100n * DOLLAR)
    expect((await s.deposit(5n * DOLLAR, { from: s.stranger.address })).exit).toBe(0)
    expect((await s.view()).deposited).toBe(105n * DOLLAR)
    expect(await s.held()).toBe(105n * DOLLAR)
  })

  it('sends back to the depositor the TON that came along', async () => {
    const outcome = await s.deposit(DOLLAR, { from: s.stranger.address, forward: TON })
    expect(sentTo(outcome, s.stranger.address)).toBeGreaterThan(TON - TON / 100n)
  })

  it('fills the reserve with it first, where rent has taken some', async () => {
    s.elapse(3 * 365 * DAY_S)
    const outcome = await s.deposit(DOLLAR, { from: s.stranger.address, forward: TON })
    expect(await s.balance()).toBe(RESERVE)
    expect(sentTo(outcome, s.stranger.address)).toBeGreaterThan(TON - RESERVE)
  })

  it('while closing goes back to where it came from', async () => {
    await s.startClose()
    await s.deposit(5n * DOLLAR, { from: s.stranger.address })
    expect(await s.held(s.stranger.address)).toBe(1_000n * DOLLAR)
    expect((await s.view()).deposited).toBe(100n * DOLLAR)
  })

  it('once closed goes back too', async () => {
    await s.cooperativeClose()
    await s.deposit(5n * DOLLAR, { from: s.stranger.address })
    expect(await s.held(s.stranger.address)).toBe(1_000n * DOLLAR)
    expect(await s.held()).toBe(0n)
  })

  it('before the wallet is known goes back', async () => {
    // The minter answers nobody, so the channel never learns of its wallet.
    const fresh = await jettonSandbox()
    const minter = await fresh.blockchain.getContract(testJettonMinter())
    const { account } = minter
    await refuseEverything(fresh.blockchain, testJettonMinter())
    expect((await fresh.open()).exit).toBe(0)
    minter.account = account
    expect((await fresh.view()).wallet).toBeUndefined()
    await fresh.deposit(5n * DOLLAR)
    expect(await fresh.held(fresh.payer.address)).toBe(1_000n * DOLLAR)
    expect((await fresh.view()).deposited).toBe(0n)
    expect((await fresh.open()).exit).toBe(0)
    await fresh.deposit(5n * DOLLAR)
    expect((await fresh.view()).deposited).toBe(5n * DOLLAR)
  })

  it('of another jetton goes back', async () => {
    // The payer's wallet of another minter: here a person who says what a wallet would say.
    const other = await s.blockchain.treasury('wallet of another jetton')
    const body = beginCell().storeUint(0x7362d09c, 32).storeUint(0, 64).storeCoins(DOLLAR)
    body.storeAddress(s.payer.address).storeBit(false)
    const outcome = await s.internal(other.address, TON / 10n, body.endCell())
    expect(outcome.exit).toBe(0)
    expect((await s.view()).deposited).toBe(100n * DOLLAR)
    expect(sentTo(outcome, other.address)).toBeGreaterThan(TON / 10n - TON / 100n)
    const back = outcome.tx!.outMessages.get(0)!.body.beginParse()
    expect(back.loadUint(32)).toBe(0x0f8a7ea5)
  })
})

describe('a claim', () => {
  it('pays the payee the difference, keeps the hash, and gives the TON back', async () => {
    const before = await s.balance(s.payee.address)
    expect((await s.claim(s.voucher(30n * DOLLAR))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(30n * DOLLAR)
    const view = await s.view()
    expect(view.claimed).toBe(30n * DOLLAR)
    expect(toHex(view.receiptsHash)).toBe(toHex(s.voucher(30n * DOLLAR).receiptsHash))
    expect((await s.claim(s.voucher(50n * DOLLAR))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(50n * DOLLAR)
    // The sandbox mints the attached value; what came back shows what it cost.
    const back = (await s.balance(s.payee.address)) - before
    expect(back).toBeGreaterThan(2n * JETTON_CHANNEL_VALUE.claim - TON / 20n)
  })

  it('pays one base unit, and what there is where the voucher is above the deposit', async () => {
    expect((await s.claim(s.voucher(1n))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(1n)
    expect((await s.claim(s.voucher(1_000n * DOLLAR))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(100n * DOLLAR)
    await s.deposit(5n * DOLLAR)
    expect((await s.claim(s.voucher(102n * DOLLAR))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(102n * DOLLAR)
  })

  it('is taken while closing', async () => {
    await s.startClose()
    expect((await s.claim(s.voucher(DOLLAR))).exit).toBe(0)
  })

  it('is refused a second time, and below what was claimed', async () => {
    await s.claim(s.voucher(30n * DOLLAR))
    expect((await s.claim(s.voucher(30n * DOLLAR))).exit).toBe(EXIT.nothingToPay)
    expect((await s.claim(s.voucher(29n * DOLLAR))).exit).toBe(EXIT.nothingToPay)
    expect(await s.held(s.payee.address)).toBe(30n * DOLLAR)
  })

  it('is refused from anyone else, and from outside', async () => {
    const voucher = s.voucher(DOLLAR)
    expect((await s.claim(voucher, { from: s.payer.address })).exit).toBe(EXIT.notPayee)
    const body = jettonClaimBody(voucher, s.sign(voucher))
    const outcome = await outcomeOf(s.blockchain, s.address, external({ to: s.address, body }))
    expect(outcome.tx).toBeUndefined()
    expect((await s.claim(voucher)).exit).toBe(0)
  })

  it('is refused without the signature, on another network, and for another tag', async () => {
    const voucher = s.voucher(DOLLAR)
    const forged = jettonClaimBody(voucher, s.sign(s.voucher(2n * DOLLAR)))
    const value = JETTON_CHANNEL_VALUE.claim
    expect((await s.internal(s.payee.address, value, forged)).exit).toBe(EXIT.badSignature)
    const tonVoucher = jettonClaimBody(voucher, s.sign({ ...voucher, asset: 'ton' }))
    expect((await s.internal(s.payee.address, value, tonVoucher)).exit).toBe(EXIT.badSignature)
    const foreign = await openJettonSandbox(DOLLAR, { networkId: -3 })
    expect((await foreign.claim(foreign.voucher(1n))).exit).toBe(EXIT.wrongNetwork)
  })

  it('is refused with too little attached', async () => {
    const voucher = s.voucher(DOLLAR)
    expect((await s.claim(voucher, { value: 100_000_000n })).exit).toBe(EXIT.tooLittleValue)
    expect((await s.claim(voucher, { value: 140_000_000n })).exit).toBe(0)
  })
})

describe('voucher hash', () => {
  it.each([0n, 1n, 255n, 2n ** 53n, 2n ** 63n, 2n ** 120n - 1n])(
    'of %d is the same in TypeScript and in the TVM',
    async (cumulative) => {
      const voucher = s.voucher(cumulative)
      const args = [cumulative, BigInt(`0x${toHex(voucher.receiptsHash)}`)]
      const { stackReader } = await s.blockchain.runGetMethod(
        s.address,
        'get_voucher_hash',
        args.map((value) => ({ type: 'int', value })),
      )
      const inTvm = stackReader.readBigNumber().toString(16).padStart(64, '0')
      expect(inTvm).toBe(toHex(voucherHash(voucher)))
      expect(inTvm).not.toBe(toHex(voucherHash({ ...voucher, asset: 'ton' })))
    },
  )
})

describe('a payee', () => {
  const expected = () => ({
    ...{ payee: s.payee.address, network: TEST_NETWORK, minCloseDelayS: DAY_S },
    minters: [testJettonMinter()],
  })

  it('finds the channel where its configuration says, and nowhere else', () => {
    expect(checkJettonChannel(s.config, expected()).equals(s.address)).toBe(true)
    const others = [{ nonce: new Uint8Array(16) }, { payer: s.stranger.address }]
    for (const change of others) {
      expect(jettonChannelAddress({ ...s.config, ...change }).equals(s.address)).toBe(false)
    }
  })

  it('refuses another payee, network or minter, and too short a delay', () => {
    const wrong = [
      { payee: s.stranger.address },
      { network: -3 },
      { closeDelayS: DAY_S - 1 },
      { payer: s.payee.address },
    ]
    for (const change of wrong) {
      expect(() => checkJettonChannel({ ...s.config, ...change }, expected())).toThrowError(
        expect.objectContaining({ code: 'bad-channel', facts: { field: Object.keys(change)[0] } }),
      )
    }
    const ownMinter = { ...s.config, minter: s.stranger.address }
    expect(() => checkJettonChannel(ownMinter, expected())).toThrowError(
      expect.objectContaining({ code: 'bad-asset' }),
    )
  })
})

it('bounces messages it does not know, and takes none from outside', async () => {
  const transfer = jettonTransferBody({ amount: 1n, to: s.address, excesses: s.payer.address })
  for (const unknown of [transfer, beginCell().endCell(), beginCell().storeUint(5, 3).endCell()]) {
    const outcome = await s.internal(s.stranger.address, TON, unknown)
    expect(outcome.exit).toBe(EXIT.unknownMessage)
    expect(sentTo(outcome, s.stranger.address)).toBeGreaterThan(TON - TON / 100n)
  }
})
