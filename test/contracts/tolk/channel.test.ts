/**
 * The compiled channel contract in the sandbox: top-ups, and claims from outside and by the payee.
 * @module
 */
import { beginCell } from '@ton/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../contracts/base/bytes.ts'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import { voucherHash } from '../../../contracts/money/voucher.ts'
import {
  CHANNEL_EXIT,
  CHANNEL_FLOOR,
  CHANNEL_RENT_RESERVE,
} from '../../../contracts/wrappers/Channel.ts'
import {
  CHANNEL_VALUE,
  claimBody,
  topUpValue,
} from '../../../contracts/wrappers/channelMessages.ts'
import { CONTRACT_GAS, forwardFee, gasFee } from '../../../node/chain/simulatedFees.ts'
import {
  type ChannelSandbox,
  channelSandbox,
  sentTo,
  YEAR_S,
} from '../../support/channelSandbox.ts'

/** What the chain of these tests charges: the emulator's own table, dearer than mainnet's. */
const PRICES = CHAIN_PRICES['sandbox-0.41']
const FEE = gasFee(PRICES, CONTRACT_GAS.claim) + forwardFee(PRICES, 1023n, 1n)
const FORWARD = PRICES.forward.lump
/** 100 times what an external claim costs at these prices. */
const LEAST = 100n * (FEE + FORWARD)

let s: ChannelSandbox
beforeEach(async () => {
  s = await channelSandbox()
  expect((await s.topUp(10n * TON)).exit).toBe(0)
})

describe('top-up', () => {
  it('opens the channel with its deposit', async () => {
    expect(await s.view()).toMatchObject({ status: 'open', deposited: 10n * TON, claimed: 0n })
    expect((await s.view()).config.nonce).toEqual(new Uint8Array(s.config.nonce))
  })

  it('is taken from anyone while open', async () => {
    const { exit } = await s.topUp(TON, TON + CHANNEL_VALUE.topUp, s.stranger.address)
    expect(exit).toBe(0)
    expect((await s.view()).deposited).toBe(11n * TON)
  })

  it('is refused while closing and once closed, and bounces whole but for its fees', async () => {
    await s.startClose()
    const before = await s.balance(s.stranger.address)
    expect((await s.topUp(TON, 2n * TON, s.stranger.address)).exit).toBe(CHANNEL_EXIT.notOpen)
    expect((await s.balance(s.stranger.address)) - before).toBeGreaterThan(2n * TON - TON / 100n)
    await s.cooperativeClose()
    expect((await s.topUp(TON)).exit).toBe(CHANNEL_EXIT.notOpen)
    expect((await s.view()).status).toBe('closed')
  })

  it('is refused where the value does not cover amount, reserve and fees', async () => {
    const fresh = await channelSandbox({ config: { nonce: new Uint8Array(16) } })
    const least =
      5n * TON + CHANNEL_FLOOR + CHANNEL_RENT_RESERVE + FEE + gasFee(PRICES, CONTRACT_GAS.topUp)
    expect((await fresh.topUp(5n * TON, least - 1n)).exit).toBe(CHANNEL_EXIT.reserve)
    expect((await fresh.topUp(5n * TON, least)).exit).toBe(0)
  })

  it('of nothing replaces the rent that was paid', async () => {
    s.elapse(3 * YEAR_S)
    const view = await s.view()
    // Refused, but this transaction took the rent, so the balance is now known.
    expect((await s.topUp(0n, CHANNEL_VALUE.topUp)).exit).toBe(CHANNEL_EXIT.reserve)
    const needed = topUpValue(0n, { balance: await s.balance(), ...view })
    expect(needed).toBeGreaterThan(CHANNEL_VALUE.topUp)
    expect((await s.topUp(0n, needed)).exit).toBe(0)
    expect((await s.view()).deposited).toBe(view.deposited)
  })

  it('takes sums up to what coins hold, and no more', async () => {
    const most = (1n << 120n) - 1n
    expect((await s.topUp(most - 10n * TON, 100n * TON)).exit).toBe(CHANNEL_EXIT.reserve)
    expect((await s.topUp(most, 100n * TON)).exit).toBe(CHANNEL_EXIT.reserve)
    expect((await s.view()).deposited).toBe(10n * TON)
  })
})

describe('claim by an external message', () => {
  it('pays the payee the difference, less its fee, and keeps the hash', async () => {
    const outcome = await s.claim(s.voucher(3n * TON))
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.payee.address)).toBe(3n * TON - FEE - FORWARD)
    const view = await s.view()
    expect(view.claimed).toBe(3n * TON)
    expect(toHex(view.receiptsHash)).toBe(toHex(s.voucher(3n * TON).receiptsHash))

    const second = await s.claim(s.voucher(5n * TON))
    expect(sentTo(second, s.payee.address)).toBe(2n * TON - FEE - FORWARD)
  })

  it('never lessens what the account holds for the rest', async () => {
    const spare = async (): Promise<bigint> => {
      const { deposited, claimed } = await s.view()
      return (await s.balance()) - (deposited - claimed)
    }
    let before = await spare()
    for (let ton = 1n; ton <= 10n; ton++) {
      expect((await s.claim(s.voucher(ton * TON))).exit).toBe(0)
      const after = await spare()
      expect(after).toBeGreaterThanOrEqual(before)
      before = after
    }
  })

  it('pays what there is where the voucher is above the deposit', async () => {
    const outcome = await s.claim(s.voucher(1_000n * TON))
    expect(sentTo(outcome, s.payee.address)).toBe(10n * TON - FEE - FORWARD)
    expect((await s.view()).claimed).toBe(10n * TON)
  })

  it('pays a voucher above the deposit the rest after the next top-up', async () => {
    await s.claim(s.voucher(12n * TON))
    await s.topUp(5n * TON)
    const outcome = await s.claim(s.voucher(12n * TON))
    expect(sentTo(outcome, s.payee.address)).toBe(2n * TON - FEE - FORWARD)
  })

  it('is refused a second time, and below what was claimed', async () => {
    const voucher = s.voucher(3n * TON)
    expect((await s.claim(voucher)).exit).toBe(0)
    const again = await s.claim(voucher)
    expect(again.exit).toBe(CHANNEL_EXIT.tooSmall)
    expect(again.tx).toBeUndefined()
    expect((await s.claim(s.voucher(2n * TON))).exit).toBe(CHANNEL_EXIT.tooSmall)
  })

  it('is refused below 100 times its fee', async () => {
    const small = await channelSandbox({ config: { nonce: new Uint8Array(16) } })
    await small.topUp(LEAST * 2n)
    expect((await small.claim(small.voucher(LEAST - 1n))).exit).toBe(CHANNEL_EXIT.tooSmall)
    expect((await small.claim(small.voucher(LEAST))).exit).toBe(0)
  })

  it('is refused below a 64th of the deposit', async () => {
    await s.topUp(90n * TON)
    const least = (100n * TON) / 64n
    expect(least).toBeGreaterThan(LEAST)
    expect((await s.claim(s.voucher(least - 1n))).exit).toBe(CHANNEL_EXIT.tooSmall)
    expect((await s.claim(s.voucher(least))).exit).toBe(0)
  })

  it('may be below a 64th where it takes all that is left', async () => {
    await s.topUp(90n * TON)
    await s.claim(s.voucher(99n * TON))
    expect((await s.claim(s.voucher(99n * TON + LEAST))).exit).toBe(CHANNEL_EXIT.tooSmall)
    expect((await s.claim(s.voucher(100n * TON))).exit).toBe(0)
  })

  it('is refused with anything after the voucher', async () => {
    const voucher = s.voucher(3n * TON)
    const body = claimBody(voucher, s.sign(voucher))
    const longer = beginCell().storeSlice(body.beginParse()).storeBit(true).endCell()
    const referring = beginCell().storeSlice(body.beginParse()).storeRef(body).endCell()
    expect((await s.external(longer)).exit).toBe(9)
    expect((await s.external(referring)).exit).toBe(9)
    expect((await s.external(beginCell().endCell())).exit).toBe(63)
    expect((await s.external(body)).exit).toBe(0)
  })
})

describe('claim by the payee', () => {
  it('pays any amount, and what was attached comes back less the fees', async () => {
    const outcome = await s.claimFrom(s.payee.address, s.voucher(1n))
    expect(outcome.exit).toBe(0)
    const fees = gasFee(PRICES, outcome.gas) + FORWARD
    expect(sentTo(outcome, s.payee.address)).toBe(1n + CHANNEL_VALUE.claim - fees)
    expect((await s.view()).claimed).toBe(1n)
  })

  it('is refused from anyone else, with nothing to pay, and with too little attached', async () => {
    const voucher = s.voucher(TON)
    expect((await s.claimFrom(s.payer.address, voucher)).exit).toBe(CHANNEL_EXIT.notPayee)
    expect((await s.claimFrom(s.payee.address, s.voucher(0n))).exit).toBe(CHANNEL_EXIT.nothingToPay)
    const short = gasFee(PRICES, CONTRACT_GAS.claim) + FORWARD - 1n
    expect((await s.claimFrom(s.payee.address, voucher, short)).exit).toBe(
      CHANNEL_EXIT.tooLittleValue,
    )
    expect((await s.claimFrom(s.payee.address, voucher, short + 1n)).exit).toBe(0)
  })

  it('is refused without the signature of the voucher key', async () => {
    const voucher = s.voucher(TON)
    const body = claimBody(voucher, s.sign(s.voucher(2n * TON)))
    const outcome = await s.internal(s.payee.address, CHANNEL_VALUE.claim, body)
    expect(outcome.exit).toBe(CHANNEL_EXIT.badSignature)
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
    },
  )
})

it('bounces messages it does not know', async () => {
  const body = beginCell().storeUint(0x12345678, 32).endCell()
  for (const unknown of [body, beginCell().endCell(), beginCell().storeUint(5, 3).endCell()]) {
    const outcome = await s.internal(s.stranger.address, TON, unknown)
    expect(outcome.exit).toBe(CHANNEL_EXIT.unknownMessage)
    expect(sentTo(outcome, s.stranger.address)).toBeGreaterThan(TON - TON / 100n)
  }
})
