/**
 * Attacks on the channel, each beside the honest act that it imitates.
 * @module
 */
import { Address, beginCell, Cell, contractAddress, external, type StateInit } from '@ton/core'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { CHAIN_PRICES, type ChainPrices } from '../../../contracts/base/chainPrices.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import { signVoucher } from '../../../contracts/money/voucher.ts'
import {
  CHANNEL_CODE,
  CHANNEL_EXIT,
  CHANNEL_FLOOR,
  CHANNEL_RENT_RESERVE,
  channelStateInit,
  checkChannel,
} from '../../../contracts/wrappers/Channel.ts'
import { CHANNEL_VALUE, claimBody } from '../../../contracts/wrappers/channelMessages.ts'
import { storageFee } from '../../../node/chain/simulatedFees.ts'
import {
  type ChannelSandbox,
  channelSandbox,
  DAY_S,
  outcomeOf,
  refuseEverything,
  START_S,
  sentTo,
  TEST_NETWORK,
  takeEverything,
  YEAR_S,
} from '../../support/channelSandbox.ts'

/** What the chain of these tests charges: the emulator's own table, dearer than mainnet's. */
const PRICES = CHAIN_PRICES['sandbox-0.41']

let s: ChannelSandbox
beforeEach(async () => {
  s = await channelSandbox()
  await s.topUp(10n * TON)
})

describe('a voucher counts only where it was signed for', () => {
  it('is refused with any signed field changed', async () => {
    const honest = s.voucher(3n * TON)
    const changed = [
      { network: -239 },
      { network: -3 },
      { channel: s.payer.address },
      { channel: new Address(-1, s.address.hash) },
      { cumulative: 4n * TON },
      { receiptsHash: sha256(utf8('another')) },
    ]
    for (const change of changed) {
      // What the channel sees differs from what was signed in exactly this field.
      const signature = s.sign({ ...honest, ...change })
      const { exit } = await s.external(claimBody(honest, signature))
      expect({ change, exit }).toEqual({ change, exit: CHANNEL_EXIT.badSignature })
    }
    expect((await s.claim(honest)).exit).toBe(0)
  })

  it('is refused with any bit of the signature changed', async () => {
    const honest = s.voucher(3n * TON)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 511 }), async (bit) => {
        const signature = s.sign(honest)
        signature[bit >> 3]! ^= 1 << (bit & 7)
        expect((await s.claim(honest, signature)).exit).toBe(CHANNEL_EXIT.badSignature)
      }),
      { seed: 7, numRuns: 40 },
    )
  })

  it('is refused under another key, and under another kind of record', async () => {
    const honest = s.voucher(3n * TON)
    const stranger = signingKey(sha256(utf8('stranger')))
    const forged = await s.claim(honest, signVoucher(honest, stranger))
    expect(forged.exit).toBe(CHANNEL_EXIT.badSignature)
    // The same fields behind another tag: a lease or a receipt can never be a voucher.
    const lease = beginCell().storeUint(0xca9629cb, 32).storeInt(TEST_NETWORK, 32)
    lease.storeAddress(s.address).storeCoins(honest.cumulative)
    lease.storeBuffer(Buffer.from(honest.receiptsHash))
    const signature = s.voucherKey.sign(new Uint8Array(lease.endCell().hash()))
    expect((await s.claim(honest, signature)).exit).toBe(CHANNEL_EXIT.badSignature)
    // The channel's own other messages are not signed at all.
    const close = await s.external(beginCell().storeUint(0x2c5a1b04, 32).endCell())
    expect(close.exit).toBe(63)
  })

  it('is refused on a chain whose id is not the one in the channel', async () => {
    const foreign = await channelSandbox({ networkId: -3 })
    await foreign.topUp(10n * TON)
    const voucher = foreign.voucher(3n * TON)
    expect((await foreign.claim(voucher)).exit).toBe(CHANNEL_EXIT.wrongNetwork)
    expect((await foreign.claimFrom(foreign.payee.address, voucher)).exit).toBe(
      CHANNEL_EXIT.wrongNetwork,
    )
    // The deposit is not lost there: the payer closes.
    await foreign.startClose()
    foreign.elapse(DAY_S)
    expect((await foreign.finishClose()).exit).toBe(0)
  })
})

describe('gas and reserve', () => {
  it('a hundred bad external messages cost nothing', async () => {
    const before = await s.balance()
    const bad = s.voucher(3n * TON)
    for (let i = 0; i < 100; i++) {
      const signature = s.sign(bad)
      signature[i % 64]! ^= 0x80
      expect((await s.claim(bad, signature)).tx).toBeUndefined()
    }
    expect(await s.balance()).toBe(before)
  })

  it('fifty dust claims relayed by the payer cost nothing', async () => {
    const before = await s.balance()
    for (let i = 1n; i <= 50n; i++) {
      expect((await s.claim(s.voucher(i * 1_000_000n))).exit).toBe(CHANNEL_EXIT.tooSmall)
    }
    expect(await s.balance()).toBe(before)
    expect((await s.view()).claimed).toBe(0n)
  })

  it('the smallest claims a relay can force cost the payee one part in a hundred', async () => {
    let paid = 0n
    let cumulative = 0n
    for (let step = 340_000_000n; cumulative + step <= 10n * TON; ) {
      cumulative += step
      const outcome = await s.claim(s.voucher(cumulative))
      expect(outcome.exit).toBe(0)
      paid += sentTo(outcome, s.payee.address)
    }
    expect(paid * 100n).toBeGreaterThanOrEqual(cumulative * 99n)
  })

  it('the least claim follows the price table of the chain', async () => {
    const cheap = await channelSandbox({ params: { 21: gasPrices(4_369_067n) } })
    await cheap.topUp(4n * TON)
    // A sixth of the default gas price: 100 times gas, import and forwarding is 0.16 TON.
    expect((await cheap.claim(cheap.voucher(150_000_000n))).exit).toBe(CHANNEL_EXIT.tooSmall)
    expect((await cheap.claim(cheap.voucher(160_000_000n))).exit).toBe(0)
    expect((await s.claim(s.voucher(160_000_000n))).exit).toBe(CHANNEL_EXIT.tooSmall)
  })

  it('a claim blown up by a StateInit is refused: importing it is not paid', async () => {
    const voucher = s.voucher(3n * TON)
    const body = claimBody(voucher, s.sign(voucher))
    const before = await s.balance()
    expect((await s.external(body, true)).exit).toBe(CHANNEL_EXIT.stateInit)
    const ballast: StateInit = { code: chainOfCells(200), data: new Cell() }
    const message = external({ to: s.address, body, init: ballast })
    const outcome = await outcomeOf(s.blockchain, s.address, message)
    expect(outcome.tx).toBeUndefined()
    expect(await s.balance()).toBe(before)
    expect((await s.external(body)).exit).toBe(0)
  })

  it('a claim is refused where rent has eaten the reserve; the payee can still claim', async () => {
    s.elapse(9 * YEAR_S)
    const voucher = s.voucher(9n * TON)
    for (let i = 0; i < 5; i++) {
      expect((await s.claim(voucher)).exit).toBe(CHANNEL_EXIT.reserve)
    }
    expect((await s.view()).claimed).toBe(0n)
    const outcome = await s.claimFrom(s.payee.address, voucher)
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.payee.address)).toBeGreaterThan(9n * TON)
  })

  it('where rent has eaten into the deposit, the payee is paid what there is', async () => {
    s.elapse(9 * YEAR_S)
    const outcome = await s.claimFrom(s.payee.address, s.voucher(10n * TON))
    expect(outcome.exit).toBe(0)
    expect((await s.view()).claimed).toBeLessThan(10n * TON)
    expect(await s.balance()).toBe(CHANNEL_FLOOR)
  })

  it('no accepted claim fails in the action phase, at the edge of the reserve', async () => {
    // Rent brings the balance down to the check's edge; every second of it is tried there.
    const { cells, bits } = (await s.blockchain.getContract(s.address)).account.account!
      .storageStats.used
    const size = { cells, bits }
    const spare = (await s.balance()) - 10n * TON - CHANNEL_FLOOR
    const perYear = storageFee(PRICES, size, START_S, START_S + YEAR_S)
    const secondsToEdge = Number(((spare - 4_500_000n) * BigInt(YEAR_S)) / perYear)
    s.elapse(secondsToEdge)
    const exits = new Set<number>()
    const snapshot = s.blockchain.snapshot()
    for (let i = 0; i < 40; i++) {
      await s.blockchain.loadFrom(snapshot)
      s.elapse(i * 400_000)
      const { exit, tx } = await s.claim(s.voucher(10n * TON))
      exits.add(exit)
      if (tx) expect(exit).toBe(0)
    }
    expect([...exits].sort()).toEqual([0, CHANNEL_EXIT.reserve])
  })

  it('a payee that throws loses nothing, and no replay burns what it is owed', async () => {
    await refuseEverything(s.blockchain, s.payee.address)
    const voucher = s.voucher(3n * TON)
    expect((await s.claim(voucher)).exit).toBe(0)
    const { deposited, claimed, bounced } = await s.view()
    expect(bounced).toBe(true)
    expect(claimed).toBeLessThan(TON / 100n)
    const balance = await s.balance()
    expect(balance).toBeGreaterThanOrEqual(deposited - claimed + CHANNEL_FLOOR)
    for (let i = 0; i < 10; i++) {
      expect((await s.claim(voucher)).exit).toBe(CHANNEL_EXIT.bounced)
      expect((await s.claim(s.voucher(9n * TON))).exit).toBe(CHANNEL_EXIT.bounced)
    }
    expect(await s.balance()).toBe(balance)

    await takeEverything(s.blockchain, s.payee.address)
    expect((await s.claimFrom(s.payee.address, voucher)).exit).toBe(0)
    expect(await s.view()).toMatchObject({ claimed: 3n * TON, bounced: false })
    expect((await s.claim(s.voucher(9n * TON))).exit).toBe(0)
  })
})

describe('rent', () => {
  it('of five years is within the reserve, at the dearer table', async () => {
    const { used } = (await s.blockchain.getContract(s.address)).account.account!.storageStats
    const rent = (prices: ChainPrices, years: number) =>
      storageFee(prices, used, START_S, START_S + years * YEAR_S)
    expect(rent(PRICES, 5)).toBeLessThan(CHANNEL_RENT_RESERVE)
    expect(rent(PRICES, 6)).toBeGreaterThan(CHANNEL_RENT_RESERVE)
    // At mainnet's own prices of August 2026 the same reserve lasts for decades.
    expect(rent(CHAIN_PRICES['mainnet-2026-08'], 40)).toBeLessThan(CHANNEL_RENT_RESERVE)
  })

  it.each([1, 5, 10])('%d years of silence, then a claim and a close', async (years) => {
    s.elapse(years * YEAR_S)
    const claim =
      years <= 5
        ? await s.claim(s.voucher(4n * TON))
        : await s.claimFrom(s.payee.address, s.voucher(4n * TON))
    expect(claim.exit).toBe(0)
    expect((await s.startClose()).exit).toBe(0)
    s.elapse(DAY_S)
    const outcome = await s.finishClose()
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.payer.address)).toBeGreaterThan(6n * TON - TON / 10n)
    expect(await s.balance()).toBe(CHANNEL_FLOOR)
  })
})

describe('a forged StateInit', () => {
  const { code, data } = (() => {
    const root =
      (claimed: bigint, hash: bigint, deposited: bigint, closeAt: number, bounced = false) =>
      (config: Cell): Cell =>
        beginCell()
          .storeCoins(claimed)
          .storeUint(hash, 256)
          .storeBit(bounced)
          .storeCoins(deposited)
          .storeUint(closeAt, 32)
          .storeRef(config)
          .endCell()
    const empty = beginCell().endCell()
    return {
      code: { honest: CHANNEL_CODE, forged: empty },
      data: {
        honest: root(0n, 0n, 0n, 0),
        claimed: root(5n, 0n, 0n, 0),
        receiptsHash: root(0n, 1n, 0n, 0),
        deposited: root(0n, 0n, 1_000n * TON, 0),
        closing: root(0n, 0n, 0n, 1),
        closed: root(0n, 0n, 0n, 0xffffffff),
        bounced: root(0n, 0n, 0n, 0, true),
      },
    }
  })()
  const expected = () => ({ payee: s.payee.address, network: TEST_NETWORK, minCloseDelayS: DAY_S })
  const configCell = (): Cell => channelStateInit(s.config).data!.refs[0]!

  it('is not at the address that the payee computes, whichever field was preset', () => {
    const trusted = checkChannel(s.config, expected())
    const at = (init: StateInit): boolean => contractAddress(0, init).equals(trusted)
    expect(at({ code: code.honest, data: data.honest(configCell()) })).toBe(true)
    expect(at({ code: code.forged, data: data.honest(configCell()) })).toBe(false)
    for (const preset of [
      'claimed',
      'receiptsHash',
      'deposited',
      'closing',
      'closed',
      'bounced',
    ] as const) {
      expect(at({ code: code.honest, data: data[preset](configCell()) })).toBe(false)
    }
  })

  it('is refused where it names another payee or network, or too short a delay', () => {
    const wrong = [
      { payee: s.stranger.address },
      { network: -3 },
      { closeDelayS: DAY_S - 1 },
      { payer: s.payee.address },
    ]
    for (const change of wrong) {
      expect(() => checkChannel({ ...s.config, ...change }, expected())).toThrowError(
        expect.objectContaining({ code: 'bad-channel', facts: { field: Object.keys(change)[0] } }),
      )
    }
  })
})

it('a deposit of the greatest size leaves no sum to overflow', async () => {
  expect((await s.claim(s.voucher((1n << 120n) - 1n))).exit).toBe(0)
  expect((await s.view()).claimed).toBe(10n * TON)
  expect(CHANNEL_VALUE.open).toBeGreaterThan(CHANNEL_FLOOR + CHANNEL_RENT_RESERVE)
})

/** Configuration parameter 21 with another gas price (times 2^16), the rest as in the sandbox. */
function gasPrices(price: bigint): Cell {
  const rest = [1_000_000n, 1_000_000n, 10_000n, 10_000_000n, 100_000_000n, 1_000_000_000n]
  const cell = beginCell().storeUint(0xd1, 8).storeUint(100, 64).storeUint(6_667, 64)
  cell.storeUint(0xde, 8).storeUint(price, 64)
  for (const value of rest) cell.storeUint(value, 64)
  return cell.endCell()
}

function chainOfCells(length: number): Cell {
  let cell = beginCell().endCell()
  for (let i = 0; i < length; i++) cell = beginCell().storeUint(i, 512).storeRef(cell).endCell()
  return cell
}
