/**
 * What mutants of the jetton-channel showed to be unwatched: values to the nanoTON, the flags of
 * what it sends, and sums of one base unit (`npm run mutate:tolk -- --contract jettonChannel`).
 * @module
 */
import { type Address, beginCell } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  JETTON_CHANNEL_EXIT,
  JETTON_CHANNEL_FLOOR,
  JETTON_CHANNEL_RENT_RESERVE,
} from '../../../contracts/wrappers/JettonChannel.ts'
import { JETTON_CHANNEL_REFUND } from '../../../contracts/wrappers/jettonChannelMessages.ts'
import { forwardFee, gasFee } from '../../../node/chain/simulatedFees.ts'
import {
  DOLLAR,
  type JettonSandbox,
  jettonSandbox,
  openJettonSandbox,
} from '../../support/jettonSandbox.ts'
import { DAY_S, internalMessage, type Outcome } from '../../support/sandboxChain.ts'

const PRICES = CHAIN_PRICES['sandbox-0.41']
const EXIT = JETTON_CHANNEL_EXIT
const RESERVE = JETTON_CHANNEL_FLOOR + JETTON_CHANNEL_RENT_RESERVE
/** What the contract's own bounds make of a message's value (`fees.tolk`). */
const OPENING = RESERVE + gasFee(PRICES, 6_000n)
const ASKING = 20_000_000n
const TRANSFER = gasFee(PRICES, 60_000n) + 4n * forwardFee(PRICES, 1_023n, 1n) + TON / 10n
const CLAIMING = gasFee(PRICES, 6_000n) + TRANSFER
const CLOSING = gasFee(PRICES, 15_000n)

let s: JettonSandbox
let opened: ReturnType<JettonSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await openJettonSandbox(100n * DOLLAR)
  opened = s.blockchain.snapshot()
})
beforeEach(() => s.blockchain.loadFrom(opened))

/** The exit codes of an act with one nanoTON less than it needs, and with what it needs. */
async function atTheEdge(
  least: bigint,
  act: (value: bigint) => Promise<Outcome>,
): Promise<[less: number, enough: number]> {
  return [(await act(least - 1n)).exit, (await act(least)).exit]
}

/** Whether each message of the channel's transaction would bounce, in order. */
function bounces({ tx }: Outcome): boolean[] {
  const all = [...(tx?.outMessages.values() ?? [])]
  return all.map(({ info }) => info.type === 'internal' && info.bounce)
}

async function setBalance(balance: bigint, of: Address = s.address): Promise<void> {
  const account = await s.blockchain.getContract(of)
  account.balance = balance
}

describe('opening', () => {
  it('needs reserve, gas and the question, to the nanoTON', async () => {
    const fresh = await jettonSandbox()
    expect(await atTheEdge(OPENING + ASKING, (value) => fresh.open(value))).toEqual([
      EXIT.reserve,
      0,
    ])
  })

  it('again needs no more than reserve and gas: nothing is asked', async () => {
    await setBalance(0n)
    expect(await atTheEdge(OPENING, (value) => s.open(value))).toEqual([EXIT.reserve, 0])
  })

  it('asks the minter by TEP-89, and has its value back where nobody answers', async () => {
    const fresh = await jettonSandbox()
    const outcome = await fresh.open()
    const question = outcome.tx?.outMessages.get(0)
    const asked = beginCell().storeUint(0x2c76b973, 32).storeUint(0, 64)
    asked.storeAddress(fresh.address).storeBit(false)
    expect(question?.body.toString()).toBe(asked.endCell().toString())
    expect(bounces(outcome)).toEqual([true, false])
  })
})

it('says with TEP-74 what it gives back, and never that a payout bounced', async () => {
  const outcome = await s.startClose()
  const excesses = beginCell().storeUint(0xd53276db, 32).storeUint(0, 64).endCell()
  expect(outcome.tx?.outMessages.get(0)?.body.toString()).toBe(excesses.toString())
  const { stack } = await s.blockchain.runGetMethod(s.address, 'get_channel')
  expect(stack[10]).toEqual({ type: 'int', value: 0n })
})

describe('a claim', () => {
  it('needs gas and a transfer, to the nanoTON', async () => {
    const claim = (value: bigint) => s.claim(s.voucher(4n * DOLLAR), { value })
    expect(await atTheEdge(CLAIMING, claim)).toEqual([EXIT.tooLittleValue, 0])
    expect(await s.held(s.payee.address)).toBe(4n * DOLLAR)
  })

  it('moves jettons by TEP-74, and tells nobody but the one who gets what is left', async () => {
    const outcome = await s.claim(s.voucher(4n * DOLLAR))
    const payout = beginCell()
      .storeUint(0x0f8a7ea5, 32)
      .storeUint(1, 64)
      .storeCoins(4n * DOLLAR)
    payout.storeAddress(s.payee.address).storeAddress(s.payee.address)
    payout.storeBit(false).storeCoins(0).storeBit(false)
    const sent = outcome.tx?.outMessages.get(0)
    expect(sent?.body.toString()).toBe(payout.endCell().toString())
    expect(bounces(outcome)).toEqual([true])
  })
})

describe('starting to close', () => {
  it('with the longest delay ends at the last second, and is not closed by it', async () => {
    const slow = await openJettonSandbox(DOLLAR, { config: { closeDelayS: 0xffffffff } })
    expect((await slow.startClose()).exit).toBe(0)
    expect(await slow.view()).toMatchObject({ status: 'closing', closeAtS: 0xfffffffe })
  })
})

/** The word by which a transfer that comes back is known: its query id. */
function kindOf({ tx }: Outcome): bigint | undefined {
  const body = [...(tx?.outMessages.values() ?? [])][0]?.body.beginParse()
  return body?.loadUint(32) === 0x0f8a7ea5 ? body.loadUintBig(64) : undefined
}

it('tells by its kind what each transfer is for: two kinds count where they fail', async () => {
  expect(kindOf(await s.claim(s.voucher(DOLLAR)))).toBe(1n)
  await s.startClose()
  expect(kindOf(await s.deposit(DOLLAR))).toBe(3n)
  s.elapse(DAY_S)
  expect(kindOf(await s.finishClose(s.stranger.address, TON))).toBe(2n)
  await s.mint(s.address, 1n)
  expect(kindOf(await s.sweep(1n))).toBe(4n)
})

/** Value that a close needs, by the number of transfers it makes. */
const closing = (transfers: bigint): bigint => CLOSING + transfers * TRANSFER

describe('finishing to close', () => {
  const finish = async (left: bigint): Promise<(value: bigint) => Promise<Outcome>> => {
    await s.claim(s.voucher(100n * DOLLAR - left))
    await s.startClose()
    s.elapse(DAY_S)
    return (value) => s.finishClose(s.stranger.address, value)
  }

  it.each([
    [0n, 0n],
    [1n, 1n],
  ])('with %s base units left pays for %s transfers', async (left, transfers) => {
    const act = await finish(left)
    expect(await atTheEdge(closing(transfers), act)).toEqual([EXIT.tooLittleValue, 0])
    expect(await s.held()).toBe(0n)
  })
})

describe('cooperative close', () => {
  it.each([
    { paid: 0n, rest: 0n, transfers: 0n },
    { paid: 1n, rest: 0n, transfers: 1n },
    { paid: 0n, rest: 1n, transfers: 1n },
    { paid: 1n, rest: 1n, transfers: 2n },
  ])('of $paid and $rest base units pays for $transfers transfers', async (end) => {
    const before = 100n * DOLLAR - end.paid - end.rest
    await s.claim(s.voucher(before))
    const act = (value: bigint) =>
      s.cooperativeClose(s.voucher(before + end.paid), s.payee.address, value)
    expect(await atTheEdge(closing(end.transfers), act)).toEqual([EXIT.tooLittleValue, 0])
    expect(await s.held()).toBe(0n)
    expect(await s.held(s.payee.address)).toBe(before + end.paid)
  })
})

it('gives TON back in messages that do not bounce, and moves jettons in ones that do', async () => {
  await s.startClose()
  s.elapse(DAY_S)
  const outcome = await s.finishClose(s.stranger.address, TON)
  expect(bounces(outcome)).toEqual([true, false, false])
  const ops = [...(outcome.tx?.outMessages.values() ?? [])].map(({ body }) =>
    body.beginParse().loadUint(32),
  )
  expect(ops).toEqual([0x0f8a7ea5, JETTON_CHANNEL_REFUND, 0xd53276db])
})

describe('sweeping', () => {
  beforeEach(() => s.cooperativeClose(s.voucher(100n * DOLLAR)))
  const sweep = (extra: bigint) => (value: bigint) => s.sweep(extra, s.stranger.address, value)

  it('of nothing needs gas alone', async () => {
    expect(await atTheEdge(closing(0n), sweep(0n))).toEqual([EXIT.tooLittleValue, 0])
  })

  it('of an uncounted base unit pays for its transfer', async () => {
    await s.mint(s.address, 1n)
    expect(await atTheEdge(closing(1n), sweep(1n))).toEqual([EXIT.tooLittleValue, 0])
    expect(await s.held()).toBe(0n)
  })

  it('of a base unit that came back pays for its transfer, and makes it once', async () => {
    await s.mint(s.address, 1n)
    await refundComesBack(1n)
    expect((await s.view()).rest).toBe(1n)
    expect(await atTheEdge(closing(1n), sweep(0n))).toEqual([EXIT.tooLittleValue, 0])
    expect([(await s.view()).rest, await s.held()]).toEqual([0n, 0n])
    expect((await sweep(0n)(closing(0n))).exit).toBe(0)
  })
})

/** The own wallet's word that a refund to the payer was not made. */
async function refundComesBack(amount: bigint): Promise<void> {
  const body = beginCell().storeUint(0xffffffff, 32).storeUint(0x0f8a7ea5, 32).storeUint(2, 64)
  const bounced = body.storeCoins(amount).endCell()
  const from = await s.walletOf(s.address)
  const flags = { bounce: false, bounced: true }
  await s.blockchain.sendMessage(internalMessage(from, s.address, TON / 10n, bounced, flags))
}
