/**
 * What mutants of the channel showed to be unwatched: amounts to the nanoTON, the flags of what it
 * sends, and the edges of its sums (`npm run mutate:tolk -- --contract channel`).
 * @module
 */
import { Address, beginCell } from '@ton/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import { CHANNEL_EXIT, CHANNEL_FLOOR } from '../../../contracts/wrappers/Channel.ts'
import {
  CHANNEL_OUT,
  CHANNEL_VALUE,
  claimBody,
} from '../../../contracts/wrappers/channelMessages.ts'
import { CONTRACT_GAS, forwardFee, gasFee } from '../../../node/chain/simulatedFees.ts'
import { type ChannelSandbox, channelSandbox } from '../../support/channelSandbox.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  outcomeAmong,
  outcomeOf,
  sentTo,
} from '../../support/sandboxChain.ts'

const PRICES = CHAIN_PRICES['sandbox-0.41']
const FORWARD = PRICES.forward.lump
const FEE = gasFee(PRICES, CONTRACT_GAS.claim) + forwardFee(PRICES, 1023n, 1n)
/** Pays for the gas of any message, and for the forwarding of none. */
const BARELY = 1_750_000n

let s: ChannelSandbox
beforeEach(async () => {
  s = await channelSandbox()
  await s.topUp(10n * TON)
})

const gasOf = ({ gas }: Outcome): bigint => gasFee(PRICES, gas)

async function setBalance(of: ChannelSandbox, balance: bigint): Promise<void> {
  const account = await of.blockchain.getContract(of.address)
  account.balance = balance
}

/** Whether each message of the channel's transaction would bounce, in order. */
function bounces({ tx }: Outcome): boolean[] {
  const all = [...(tx?.outMessages.values() ?? [])]
  return all.map(({ info }) => info.type === 'internal' && info.bounce)
}

/** The op of each message of the channel's transaction, in order. */
function ops({ tx }: Outcome): number[] {
  return [...(tx?.outMessages.values() ?? [])].map(({ body }) => body.beginParse().loadUint(32))
}

it('says by an op what each of its messages is', async () => {
  const { payout, refund, excess } = CHANNEL_OUT
  expect(ops(await s.claim(s.voucher(4n * TON)))).toEqual([payout])
  expect(ops(await s.startClose())).toEqual([excess])
  expect(ops(await s.cooperativeClose())).toEqual([payout, refund])
  expect(ops(await s.sweep())).toEqual([refund])
})

describe('a claim from outside', () => {
  it('is taken with exactly deposit, floor and fee on the balance, and not with less', async () => {
    const voucher = s.voucher(4n * TON)
    const bits = BigInt(claimBody(voucher, s.sign(voucher)).bits.length)
    const least = 10n * TON + CHANNEL_FLOOR + FEE + forwardFee(PRICES, bits, 1n)
    await setBalance(s, least - 1n)
    expect((await s.claim(voucher)).exit).toBe(CHANNEL_EXIT.reserve)
    await setBalance(s, least)
    const outcome = await s.claim(voucher)
    expect(outcome.exit).toBe(0)
    expect(bounces(outcome)).toEqual([true])
  })
})

describe('a claim by the payee', () => {
  it('keeps the hash of its voucher', async () => {
    await s.claimFrom(s.payee.address, s.voucher(4n * TON))
    expect((await s.view()).receiptsHash).toEqual(s.voucher(4n * TON).receiptsHash)
  })

  it('of two nanoTON, where one is left, pays one', async () => {
    await s.claimFrom(s.payee.address, s.voucher(10n * TON - 1n))
    expect((await s.claimFrom(s.payee.address, s.voucher(11n * TON))).exit).toBe(0)
    expect((await s.view()).claimed).toBe(10n * TON)
  })
})

describe('a payout that came back', () => {
  it('is owed again to the nanoTON: what arrived, less the gas of noting it', async () => {
    const payee = Address.parseRaw(`0:${'5a'.repeat(32)}`)
    const b = await channelSandbox({ config: { payee } })
    await b.topUp(10n * TON)
    const { transactions } = await b.claim(b.voucher(4n * TON))
    const back = outcomeAmong(transactions.slice(1), b.address).tx?.inMessage?.info
    const arrived = back?.type === 'internal' ? back.value.coins : 0n
    const noted = gasFee(PRICES, CONTRACT_GAS.bounce)
    expect((await b.view()).claimed).toBe(4n * TON - (arrived - noted))
  })

  it('restores nothing where what arrived is no more than that gas', async () => {
    await s.claim(s.voucher(4n * TON))
    const body = beginCell().storeUint(0xffffffff, 32).storeUint(CHANNEL_OUT.payout, 32)
    const value = gasFee(PRICES, CONTRACT_GAS.bounce) - 2_000n
    const message = internalMessage(
      s.payee.address,
      s.address,
      value,
      body.storeCoins(TON).endCell(),
      { bounce: false, bounced: true },
    )
    expect((await outcomeOf(s.blockchain, s.address, message)).exit).toBe(0)
    expect(await s.view()).toMatchObject({ claimed: 4n * TON, bounced: true })
  })
})

describe('starting to close', () => {
  it('gives back to the nanoTON what fees left, in a message that does not bounce', async () => {
    const outcome = await s.startClose()
    const expected = CHANNEL_VALUE.startClose - gasOf(outcome) - FORWARD
    expect(sentTo(outcome, s.payer.address)).toBe(expected)
    expect(bounces(outcome)).toEqual([false])
  })

  it('is done even where nothing is left to give back', async () => {
    const outcome = await s.startClose(s.payer.address, BARELY)
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.payer.address)).toBe(0n)
    expect((await s.view()).status).toBe('closing')
  })
})

describe('finishing to close', () => {
  beforeEach(async () => {
    await s.claim(s.voucher(4n * TON))
    await s.startClose()
    s.elapse(DAY_S)
  })

  it('gives the payer all above the floor, to the nanoTON, and does not bounce', async () => {
    await setBalance(s, 6n * TON + CHANNEL_FLOOR + 5n)
    const outcome = await s.finishClose(s.stranger.address)
    const rent = outcome.tx?.description
    const value = CHANNEL_VALUE.finishClose
    const collected =
      rent?.type === 'generic' ? (rent.storagePhase?.storageFeesCollected ?? 0n) : 0n
    expect(sentTo(outcome, s.payer.address)).toBe(
      6n * TON + 5n - collected + value - gasOf(outcome) - FORWARD,
    )
    expect(bounces(outcome)).toEqual([false])
    expect(await s.balance()).toBe(CHANNEL_FLOOR)
  })

  it('gives the value of the message alone where rent has reached the floor', async () => {
    await setBalance(s, CHANNEL_FLOOR / 2n)
    const outcome = await s.finishClose(s.stranger.address)
    const expected = CHANNEL_VALUE.finishClose - gasOf(outcome) - FORWARD
    expect(sentTo(outcome, s.payer.address)).toBe(expected)
    expect((await s.view()).status).toBe('closed')
  })

  it('is done even where nothing is left to send', async () => {
    await setBalance(s, CHANNEL_FLOOR / 2n)
    const outcome = await s.finishClose(s.stranger.address, BARELY)
    expect(outcome.exit).toBe(0)
    expect((await s.view()).status).toBe('closed')
  })
})

describe('cooperative close', () => {
  it('without a voucher pays nobody more than is theirs, to the nanoTON', async () => {
    const held = (await s.balance()) - CHANNEL_FLOOR
    const outcome = await s.cooperativeClose()
    const left = CHANNEL_VALUE.cooperativeClose - gasOf(outcome) - FORWARD
    expect(sentTo(outcome, s.payee.address)).toBe(left)
    expect(sentTo(outcome, s.payer.address)).toBe(held - FORWARD)
    expect(bounces(outcome)).toEqual([true, false])
    expect((await s.view()).claimed).toBe(0n)
  })

  it('keeps the hash of the last voucher, and that of before where there is none', async () => {
    await s.claim(s.voucher(4n * TON))
    const before = s.blockchain.snapshot()
    await s.cooperativeClose()
    expect((await s.view()).receiptsHash).toEqual(s.voucher(4n * TON).receiptsHash)
    await s.blockchain.loadFrom(before)
    await s.cooperativeClose(s.voucher(5n * TON))
    expect((await s.view()).receiptsHash).toEqual(s.voucher(5n * TON).receiptsHash)
  })

  it('with a voucher of before pays the payee what it attached, and no more', async () => {
    await s.claim(s.voucher(4n * TON))
    const outcome = await s.cooperativeClose(s.voucher(3n * TON))
    const left = CHANNEL_VALUE.cooperativeClose - gasOf(outcome) - FORWARD
    expect(sentTo(outcome, s.payee.address)).toBe(left)
  })

  it('where rent has eaten into the deposit pays the payee what there is', async () => {
    await setBalance(s, 3n * TON + CHANNEL_FLOOR)
    const outcome = await s.cooperativeClose(s.voucher(4n * TON))
    expect((await s.view()).claimed).toBe(3n * TON)
    const left = CHANNEL_VALUE.cooperativeClose - gasOf(outcome) - FORWARD
    expect(sentTo(outcome, s.payee.address)).toBe(3n * TON + left)
    expect(sentTo(outcome, s.payer.address)).toBe(0n)
  })
})

describe('sweeping', () => {
  it('gives the payer all above the floor and what is owed, to the nanoTON', async () => {
    await s.cooperativeClose(s.voucher(4n * TON))
    await setBalance(s, 2n * TON + CHANNEL_FLOOR)
    const outcome = await s.sweep()
    const left = CHANNEL_VALUE.sweep - gasOf(outcome) - FORWARD
    expect(sentTo(outcome, s.payer.address)).toBe(2n * TON + left)
    expect(bounces(outcome)).toEqual([false])
  })
})
