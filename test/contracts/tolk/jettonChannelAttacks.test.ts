/**
 * Attacks on the jetton-channel: lying minters and wallets, replays, too little of everything,
 * years of silence.
 * @module
 */
import { type Address, beginCell, type Cell } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_PRICES, type ChainPrices } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  JETTON_CHANNEL_EXIT,
  JETTON_CHANNEL_FLOOR,
  JETTON_CHANNEL_RENT_RESERVE,
} from '../../../contracts/wrappers/JettonChannel.ts'
import { jettonTransferBody } from '../../../contracts/wrappers/jetton.ts'
import {
  JETTON_CHANNEL_VALUE,
  jettonClaimBody,
  jettonCooperativeCloseBody,
  openBody,
} from '../../../contracts/wrappers/jettonChannelMessages.ts'
import { storageFee } from '../../../node/chain/simulatedFees.ts'
import { channelSandbox } from '../../support/channelSandbox.ts'
import { contractLab, interleave } from '../../support/contractLab.ts'
import {
  DOLLAR,
  type JettonSandbox,
  jettonSandbox,
  openJettonSandbox,
} from '../../support/jettonSandbox.ts'
import { DAY_S, internalMessage, START_S, sentTo, YEAR_S } from '../../support/sandboxChain.ts'

const EXIT = JETTON_CHANNEL_EXIT

let s: JettonSandbox
let opened: ReturnType<JettonSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await openJettonSandbox(100n * DOLLAR)
  opened = s.blockchain.snapshot()
})
beforeEach(() => s.blockchain.loadFrom(opened))

const notification = (amount: bigint, from: Address): Cell =>
  beginCell()
    .storeUint(0x7362d09c, 32)
    .storeUint(0, 64)
    .storeCoins(amount)
    .storeAddress(from)
    .storeBit(false)
    .endCell()
const answer = (wallet: Address | null): Cell =>
  beginCell()
    .storeUint(0xd1735400, 32)
    .storeUint(0, 64)
    .storeAddress(wallet)
    .storeBit(false)
    .endCell()

describe('who may say what', () => {
  it('a notification from anyone but the own wallet counts nothing', async () => {
    for (const from of [s.payer.address, s.stranger.address, s.config.minter]) {
      await s.internal(from, TON, notification(1_000n * DOLLAR, s.payer.address), false)
    }
    const { deposited } = await s.view()
    expect(deposited).toBe(100n * DOLLAR)
    await s.internal(await s.walletOf(s.address), TON, notification(DOLLAR, s.payer.address))
    expect((await s.view()).deposited).toBe(101n * DOLLAR)
  })

  it('a false notification costs the channel nothing', async () => {
    const before = await s.balance()
    for (const value of [0n, 1n, 1_000n, 400_000n, 1_700_000n, 2_000_000n, TON]) {
      const lie = notification(1n, s.payer.address)
      const { exit } = await s.internal(s.stranger.address, value, lie, false)
      // What pays for the code and not for an answer is no error either.
      if (value > 1_000_000n) expect(exit).toBe(0)
      expect(await s.balance()).toBeGreaterThanOrEqual(before)
    }
  })

  it('a wallet address from anyone but the minter is refused', async () => {
    const fresh = await jettonSandbox({ config: { minter: s.stranger.address } })
    await fresh.open()
    const lie = answer(fresh.payer.address)
    expect((await fresh.internal(fresh.payer.address, TON, lie)).exit).toBe(EXIT.notMinter)
    expect((await fresh.view()).wallet).toBeUndefined()
    expect((await fresh.internal(fresh.config.minter, TON, lie)).exit).toBe(0)
    expect(String((await fresh.view()).wallet)).toBe(String(fresh.payer.address))
  })

  it('a minter’s first answer stands; none is no answer', async () => {
    const fresh = await jettonSandbox({ config: { minter: s.stranger.address } })
    await fresh.open()
    await fresh.internal(fresh.config.minter, TON, answer(null))
    expect((await fresh.view()).wallet).toBeUndefined()
    // Asked again, it answers, and changes its mind.
    expect((await fresh.open()).tx?.outMessages.size).toBe(2)
    await fresh.internal(fresh.config.minter, TON, answer(fresh.payee.address))
    await fresh.internal(fresh.config.minter, TON, answer(fresh.stranger.address))
    expect(String((await fresh.view()).wallet)).toBe(String(fresh.payee.address))
  })

  it('a channel that never learned of its wallet closes, and has no jettons to sweep', async () => {
    const fresh = await jettonSandbox({ config: { minter: s.stranger.address } })
    await fresh.open()
    await fresh.startClose()
    fresh.elapse(DAY_S)
    expect((await fresh.finishClose()).exit).toBe(0)
    expect((await fresh.sweep(1n)).exit).toBe(EXIT.noWallet)
    expect((await fresh.sweep()).exit).toBe(0)
  })

  it('a wallet that only takes leaves the TON accounts whole', async () => {
    // The payer's own minter, whose wallet takes every transfer and moves nothing.
    const minter = s.stranger.address
    const fresh = await jettonSandbox({ config: { minter } })
    const wallet = await fresh.blockchain.treasury('a wallet that only takes')
    await fresh.open()
    await fresh.internal(minter, TON, answer(wallet.address))
    await fresh.internal(wallet.address, TON, notification(DOLLAR, fresh.payer.address))
    // Twice the same word is two deposits: a lying wallet lies to whoever accepts its minter.
    await fresh.internal(wallet.address, TON, notification(DOLLAR, fresh.payer.address))
    expect((await fresh.view()).deposited).toBe(2n * DOLLAR)
    const before = await fresh.balance()
    expect((await fresh.claim(fresh.voucher(DOLLAR))).exit).toBe(0)
    expect(await fresh.balance()).toBeGreaterThanOrEqual(before)
    expect(await fresh.held(fresh.payee.address)).toBe(0n)
    expect((await fresh.cooperativeClose()).exit).toBe(0)
    expect(await fresh.balance()).toBe(JETTON_CHANNEL_FLOOR)
  })
})

describe('a voucher counts only where it was signed for', () => {
  it('is refused with any signed field changed', async () => {
    const honest = s.voucher(30n * DOLLAR)
    const changed = [
      { asset: 'ton' as const },
      { network: -239 },
      { channel: s.payer.address },
      { cumulative: 40n * DOLLAR },
      { receiptsHash: new Uint8Array(32) },
    ]
    for (const change of changed) {
      const body = jettonClaimBody(honest, s.sign({ ...honest, ...change }))
      const { exit } = await s.internal(s.payee.address, JETTON_CHANNEL_VALUE.claim, body)
      expect({ change, exit }).toEqual({ change, exit: EXIT.badSignature })
    }
    expect((await s.claim(honest)).exit).toBe(0)
  })

  it('of another channel, whatever its asset, pays nothing here', async () => {
    const nonce = new Uint8Array(16)
    const { blockchain } = s
    const other = await openJettonSandbox(DOLLAR, { blockchain, config: { nonce } })
    const ton = await channelSandbox({ blockchain })
    await ton.topUp(10n * TON)
    for (const channel of [other.address, ton.address]) {
      for (const asset of ['ton', 'jetton'] as const) {
        const honest = s.voucher(DOLLAR)
        const body = jettonClaimBody(honest, s.sign({ ...honest, channel, asset }))
        const { exit } = await s.internal(s.payee.address, JETTON_CHANNEL_VALUE.claim, body)
        expect(exit).toBe(EXIT.badSignature)
      }
    }
    // And a voucher of this channel pays nothing there.
    const mine = s.sign(s.voucher(TON))
    expect((await ton.claim(ton.voucher(TON), mine)).exit).toBe(708)
    expect((await ton.claim(ton.voucher(TON), s.sign(ton.voucher(TON)))).exit).toBe(0)
    const theirs = jettonClaimBody(other.voucher(DOLLAR), s.sign(s.voucher(DOLLAR)))
    const { exit } = await other.internal(s.payee.address, JETTON_CHANNEL_VALUE.claim, theirs)
    expect(exit).toBe(EXIT.badSignature)
  })

  it('signed for a jetton-channel is no voucher of a TON channel at the same address', async () => {
    const ton = await channelSandbox({ blockchain: s.blockchain })
    await ton.topUp(10n * TON)
    const honest = ton.voucher(TON)
    const { exit } = await ton.claim(honest, ton.sign({ ...honest, asset: 'jetton' }))
    expect(exit).toBe(708)
  })
})

describe('too little of everything', () => {
  const whole = async (): Promise<void> => {
    // Whatever succeeded, the books and the wallet say the same.
    const { deposited, claimed, rest } = await s.view()
    expect(await s.held()).toBe(deposited - claimed + rest)
    expect(await s.held(s.payee.address)).toBe(claimed)
  }

  it('no value makes half a claim', async () => {
    const voucher = s.voucher(30n * DOLLAR)
    const lab = contractLab(s.blockchain, s.address)
    const run = (value: bigint) => s.claim(voucher, { value })
    const seen = await lab.atEveryValue(run, { upTo: 200_000_000n, steps: 10, whole })
    expect([...seen.keys()].sort((a, b) => a - b)).toEqual(
      expect.arrayContaining([0, EXIT.tooLittleValue]),
    )
  })

  it('no value makes half a close or half a sweep', async () => {
    const lab = contractLab(s.blockchain, s.address)
    const last = s.voucher(30n * DOLLAR)
    const close = (value: bigint) => s.cooperativeClose(last, s.payee.address, value)
    const closes = await lab.atEveryValue(close, { upTo: 400_000_000n, steps: 10, whole })
    expect([...closes.keys()]).toEqual(expect.arrayContaining([0, EXIT.tooLittleValue]))
    await s.startClose()
    s.elapse(DAY_S)
    const finish = (value: bigint) => s.finishClose(s.stranger.address, value)
    await lab.atEveryValue(finish, { upTo: 200_000_000n, steps: 6, whole })
    const reopen = (value: bigint) => s.open(value, s.stranger.address)
    await lab.atEveryValue(reopen, { upTo: 200_000_000n, steps: 6, whole })
  })

  it('no gas makes half a claim or half a close', async () => {
    const lab = contractLab(s.blockchain, s.address)
    const before = await lab.state()
    for (let limit = 500n; limit <= 14_500n; limit += 1_400n) {
      for (const run of [() => s.claim(s.voucher(DOLLAR)), () => s.cooperativeClose()]) {
        await lab.undone(() =>
          lab.atGas({ limit }, async () => {
            const { exit } = await run()
            // A channel that ran through may still meet wallets that cannot: it hears of that.
            const { deposited, claimed, rest } = await s.view()
            if (exit !== 0) expect(await lab.state()).toBe(before)
            else expect(deposited - claimed + rest).toBeLessThanOrEqual(await s.held())
          }),
        )
      }
    }
  })
})

describe('time', () => {
  it('rent of five years is within the reserve, at the dearer table', async () => {
    const { used } = (await s.blockchain.getContract(s.address)).account.account!.storageStats
    const rent = (prices: ChainPrices, years: number) =>
      storageFee(prices, used, START_S, START_S + years * YEAR_S)
    expect(rent(CHAIN_PRICES['sandbox-0.41'], 5)).toBeLessThan(JETTON_CHANNEL_RENT_RESERVE)
    expect(rent(CHAIN_PRICES['sandbox-0.41'], 6)).toBeGreaterThan(JETTON_CHANNEL_RENT_RESERVE)
    expect(rent(CHAIN_PRICES['mainnet-2026-08'], 30)).toBeLessThan(JETTON_CHANNEL_RENT_RESERVE)
  })

  it.each([1, 5, 8])('%d years of silence, then a claim and a close', async (years) => {
    s.elapse(years * YEAR_S)
    expect((await s.claim(s.voucher(40n * DOLLAR))).exit).toBe(0)
    expect(await s.held(s.payee.address)).toBe(40n * DOLLAR)
    await s.startClose(s.payer.address, TON / 10n)
    s.elapse(DAY_S)
    expect((await s.finishClose()).exit).toBe(0)
    expect(await s.held(s.payer.address)).toBe(960n * DOLLAR)
  })

  it('frozen and brought back by anyone, it knows what it knew', async () => {
    await s.claim(s.voucher(10n * DOLLAR))
    const lab = contractLab(s.blockchain, s.address)
    const before = await lab.state()
    await lab.freeze()
    await lab.unfreeze(s.stranger.address, TON, openBody())
    expect(await lab.state()).toBe(before)
    // The wallets slept as long, and paid their rent out of what a claim brings along.
    expect((await s.claim(s.voucher(40n * DOLLAR))).exit).toBe(0)
    expect((await s.view()).claimed).toBe(40n * DOLLAR)
    expect(await s.held(s.payee.address)).toBe(40n * DOLLAR)
  })

  it('a tombstone frozen and brought back is a tombstone still', async () => {
    await s.cooperativeClose(s.voucher(10n * DOLLAR))
    const lab = contractLab(s.blockchain, s.address)
    const before = await lab.state()
    await lab.freeze()
    await lab.unfreeze(s.stranger.address)
    expect(await lab.state()).toBe(before)
    expect((await s.claim(s.voucher(90n * DOLLAR))).exit).toBe(EXIT.nothingToPay)
  })
})

describe('strangers', () => {
  it('spam from outside costs nothing, and no message makes the account grow', async () => {
    const lab = contractLab(s.blockchain, s.address)
    const voucher = s.voucher(30n * DOLLAR)
    const bodies = [openBody(), jettonClaimBody(voucher, s.sign(voucher)), beginCell().endCell()]
    expect(await lab.spam(Array.from({ length: 30 }, (_, i) => bodies[i % 3]!))).toEqual({
      ...{ accepted: 0, cost: 0n },
    })
    const before = await lab.size()
    for (let i = 0; i < 10; i++) {
      await s.deposit(1n, { from: s.stranger.address })
      await s.internal(s.stranger.address, TON, notification(1n, s.payer.address), false)
      await s.open(TON, s.stranger.address)
    }
    expect((await lab.size()).cells).toBe(before.cells)
    expect(await lab.balance()).toBeGreaterThanOrEqual(JETTON_CHANNEL_FLOOR)
  })

  it('in whatever order two messages run, nothing is paid twice or lost', async () => {
    const wallet = await s.walletOf(s.payer.address)
    const voucher = s.voucher(30n * DOLLAR)
    const last = { voucher, signature: s.sign(voucher) }
    const transfer = { amount: 5n * DOLLAR, to: s.address, excesses: s.payer.address }
    const more = jettonTransferBody({ ...transfer, forward: TON / 20n })
    for (const order of [0, 1, 2, 3, 4, 5]) {
      await s.blockchain.loadFrom(opened)
      const value = JETTON_CHANNEL_VALUE
      const messages = [
        internalMessage(s.payer.address, wallet, TON / 5n, more),
        internalMessage(
          s.payee.address,
          s.address,
          value.claim,
          jettonClaimBody(voucher, last.signature),
        ),
        internalMessage(s.payee.address, s.address, TON, jettonCooperativeCloseBody(last)),
      ]
      let step = order
      await interleave(s.blockchain, messages, (alive) => step++ % alive)
      const { deposited, claimed, status } = await s.view()
      expect({ deposited, claimed, status }).toEqual({
        ...{ deposited: 30n * DOLLAR, claimed: 30n * DOLLAR, status: 'closed' },
      })
      expect(await s.held(s.payee.address)).toBe(30n * DOLLAR)
      expect(await s.held()).toBe(0n)
      expect(await s.held(s.payer.address)).toBe(970n * DOLLAR)
    }
  })
})

it('excess of a stranger’s finish goes back to the stranger', async () => {
  await s.startClose()
  s.elapse(DAY_S)
  const before = await s.balance(s.stranger.address)
  const outcome = await s.finishClose(s.stranger.address, TON)
  expect(sentTo(outcome, s.stranger.address)).toBeGreaterThan(TON / 2n)
  expect((await s.balance(s.stranger.address)) - before).toBeGreaterThan(TON - TON / 30n)
})
