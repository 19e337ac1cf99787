/**
 * The TypeScript model of the channel against the compiled contract in the TVM: the same random
 * operations, compared to the nanoTON after each one.
 * @module
 */
import { Address, beginCell, contractAddress } from '@ton/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { toHex } from '../../../contracts/base/bytes.ts'
import { CHAIN_PRICES, type ChainPrices } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import { channelAddress, channelStateInit } from '../../../contracts/wrappers/Channel.ts'
import {
  CHANNEL_VALUE,
  claimBody,
  cooperativeCloseBody,
  finishCloseBody,
  startCloseBody,
  sweepBody,
  topUpBody,
} from '../../../contracts/wrappers/channelMessages.ts'
import { createLedger, type Ledger } from '../../../node/chain/simulatedLedger.ts'
import { priceParameters } from '../../../node/localnet/prices.ts'
import { type ChannelSandbox, channelSandbox } from '../../support/channelSandbox.ts'
import { modelRun } from '../../support/contractLab.ts'
import { DAY_S, type Outcome, START_S, TEST_NETWORK, YEAR_S } from '../../support/sandboxChain.ts'

type Who = 'payer' | 'payee' | 'stranger'
type Op =
  | { op: 'topUp'; amount: bigint; extra: bigint; who: Who }
  | { op: 'claim'; cumulative: bigint; flaw: Flaw }
  | { op: 'claimFrom'; cumulative: bigint; who: Who; value: bigint; flaw: Flaw }
  | { op: 'startClose' | 'finishClose' | 'sweep' | 'donate'; who: Who; value: bigint }
  | { op: 'cooperativeClose'; cumulative: bigint | undefined; who: Who; value: bigint; flaw: Flaw }
  | { op: 'elapse'; seconds: number }
type Flaw = 'none' | 'network' | 'channel' | 'signature'

const SEED = Number(process.env.SEED ?? 20261122)
const RUNS = Number(process.env.RUNS ?? 10)
const LENGTH = 25
/** Below this a message may run out of gas in the TVM before the check that the model names. */
const COMFORTABLE = 8_000_000n

/** Exit that the harness gives a message whose code did not run for want of gas. */
const SKIPPED = -2

const elsewhere = Address.parseRaw(`0:${'ab'.repeat(32)}`)

const TABLES = Object.entries(CHAIN_PRICES)

it.each(TABLES)(
  `behaves like the contract, to the nanoTON, at %s (seed ${SEED})`,
  async (_, prices) => {
    let accepted = 0
    let refused = 0
    const act = anyOp().map((op) => ({
      text: describe(op),
      play: async (world: Twins) => {
        if ((await step(world, op)) === 0) accepted += 1
        else refused += 1
      },
    }))
    for (const bounces of [false, true]) {
      const world = () => twins(prices, bounces)
      await modelRun({
        ...{ world, acts: [act], equal: expectEqual, seed: SEED, runs: RUNS / 2, length: LENGTH },
      })
    }
    // Both kinds must occur, or the comparison would show nothing.
    expect(accepted).toBeGreaterThan(RUNS * 4)
    expect(refused).toBeGreaterThan(RUNS * 2)
  },
  120_000,
)

interface Twins {
  readonly real: ChannelSandbox
  readonly model: Ledger
}

/** The same channel twice, opened. Where payouts bounce, the payee is an account without code. */
async function twins(prices: ChainPrices, payoutsBounce: boolean): Promise<Twins> {
  const payee = contractAddress(0, { code: beginCell().endCell(), data: beginCell().endCell() })
  const config = payoutsBounce ? { payee } : {}
  const real = await channelSandbox({ config, params: priceParameters(prices) })
  const model = createLedger(TEST_NETWORK, prices)
  for (const one of [real.payer, real.payee, real.stranger]) {
    const { address: to, init } = one
    const wallet = { to, init: init!, from: to, value: 0n, bounce: false, bounced: false }
    model.deliver({ ...wallet, body: beginCell().endCell() }, START_S)
  }
  const amount = 10n * TON
  await step({ real, model }, { op: 'topUp', amount, extra: CHANNEL_VALUE.open, who: 'payer' })
  return { real, model }
}

/** An operation in a report of a failure. */
function describe(op: Op): string {
  return JSON.stringify(op, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
}

async function step({ real, model }: Twins, op: Op): Promise<number> {
  const init = channelStateInit(real.config)
  const common = { to: real.address, bounced: false }
  const nowS = real.blockchain.now ?? START_S
  const before = model.account(real.address)?.transactions.length ?? 0
  if (op.op === 'elapse') {
    // Beyond this an emptied account would be frozen, which the model leaves out.
    if (nowS + op.seconds < START_S + 8 * YEAR_S) real.elapse(op.seconds)
    return 0
  }
  if (op.op === 'claim') {
    const body = claimOf(real, op.cumulative, op.flaw)
    const outcome = await real.external(body)
    const exit = model.deliver({ ...common, body, value: 0n, bounce: false }, nowS)
    expect({ op, exit }).toEqual({ op, exit: outcome.exit })
    if (exit === 0) expect(sentBy(model, real.address, before)).toEqual(sent(outcome))
    return exit
  }
  const from = op.who === 'payee' ? real.config.payee : real[op.who].address
  const value = op.op === 'topUp' ? op.amount + op.extra : op.value
  const bounce = op.op !== 'donate'
  const body = bodyOf(real, op)
  const outcome: Outcome =
    op.op === 'topUp'
      ? await real.topUp(op.amount, value, from)
      : await real.internal(from, value, body, bounce)
  const topUp = op.op === 'topUp' ? { init } : {}
  const exit = model.deliver({ ...common, ...topUp, from, body, value, bounce }, nowS)
  if (value >= COMFORTABLE && outcome.exit !== SKIPPED)
    expect({ op, exit }).toEqual({ op, exit: outcome.exit })
  else expect({ op, taken: exit === 0 }).toEqual({ op, taken: outcome.exit === 0 })
  if (exit === 0) expect(sentBy(model, real.address, before)).toEqual(sent(outcome))
  return exit
}

/** Values and destinations of what the contract sent. */
function sent({ tx }: Outcome): string[] {
  return [...(tx?.outMessages.values() ?? [])].map(({ info }) =>
    info.type === 'internal' ? `${info.value.coins} to ${info.dest.toRawString()}` : info.type,
  )
}

/** The same of the model's transaction number `index`. */
function sentBy(model: Ledger, channel: Address, index: number): string[] {
  const tx = model.account(channel)?.transactions[index]
  return (tx?.out ?? []).map(({ value, destination }) => `${value} to ${destination}`)
}

async function expectEqual({ real, model }: Twins): Promise<void> {
  const account = model.account(real.address)
  if (account?.code?.kind !== 'channel') throw new Error('the model has no channel')
  const { state } = account.code
  const view = await real.view()
  const status = state.closeAt === 0 ? 'open' : state.closeAt === 0xffffffff ? 'closed' : 'closing'
  const { deposited, claimed, bounced } = state
  const receiptsHash = toHex(state.receiptsHash)
  expect({ status, deposited, claimed, bounced, receiptsHash }).toEqual({
    ...{ status: view.status, deposited: view.deposited, claimed: view.claimed },
    bounced: view.bounced,
    receiptsHash: toHex(view.receiptsHash),
  })
  expect(channelAddress(state.config).equals(channelAddress(view.config))).toBe(true)
  if (view.closeAtS) expect(state.closeAt).toBe(view.closeAtS)
  expect(account.balance).toBe(await real.balance())
}

function claimOf(real: ChannelSandbox, cumulative: bigint, flaw: Flaw) {
  const { voucher, signature } = signed(real, cumulative, flaw)
  return claimBody(voucher, signature)
}

function signed(real: ChannelSandbox, cumulative: bigint, flaw: Flaw) {
  const change =
    flaw === 'network' ? { network: -3 } : flaw === 'channel' ? { channel: elsewhere } : {}
  const voucher = real.voucher(cumulative, change)
  const signature = real.sign(voucher)
  if (flaw === 'signature') signature[5]! ^= 1
  return { voucher, signature }
}

function bodyOf(real: ChannelSandbox, op: Exclude<Op, { op: 'elapse' | 'claim' }>) {
  switch (op.op) {
    case 'topUp':
      return topUpBody(op.amount)
    case 'claimFrom':
      return claimOf(real, op.cumulative, op.flaw)
    case 'startClose':
      return startCloseBody()
    case 'finishClose':
      return finishCloseBody()
    case 'sweep':
      return sweepBody()
    case 'donate':
      return beginCell().endCell()
    case 'cooperativeClose':
      return cooperativeCloseBody(
        op.cumulative === undefined ? undefined : signed(real, op.cumulative, op.flaw),
      )
  }
}

function anyOp(): fc.Arbitrary<Op> {
  const who = fc.constantFrom<Who>('payer', 'payee', 'stranger')
  const payee = fc.constantFrom<Who>('payee', 'payee', 'payee', 'stranger')
  const value = fc.constantFrom(10_000_000n, 10_000_000n, 50_000_000n, TON, 2_500_000n)
  const cumulative = fc.bigInt({ min: 0n, max: 40n * TON })
  const flaw = fc.constantFrom<Flaw>(
    'none',
    'none',
    'none',
    'none',
    'network',
    'channel',
    'signature',
  )
  const seconds = fc.constantFrom(1, 60, DAY_S, YEAR_S, 6 * YEAR_S)
  return fc.oneof(
    { weight: 4, arbitrary: topUps(who) },
    { weight: 5, arbitrary: fc.record({ op: fc.constant('claim' as const), cumulative, flaw }) },
    {
      weight: 4,
      arbitrary: fc.record({
        ...{ op: fc.constant('claimFrom' as const), cumulative, who: payee, value, flaw },
      }),
    },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('elapse' as const), seconds }) },
    {
      weight: 4,
      arbitrary: fc.record({
        op: fc.constantFrom('startClose' as const, 'finishClose', 'sweep', 'donate'),
        ...{ who, value },
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        op: fc.constant('cooperativeClose' as const),
        cumulative: fc.option(cumulative, { nil: undefined }),
        ...{ who: payee, value, flaw },
      }),
    },
  )
}

function topUps(who: fc.Arbitrary<Who>): fc.Arbitrary<Op> {
  return fc.record({
    op: fc.constant('topUp' as const),
    amount: fc.constantFrom(0n, 1n, TON, 5n * TON, 12_345_678_901n),
    extra: fc.constantFrom(CHANNEL_VALUE.topUp, CHANNEL_VALUE.open, CHANNEL_VALUE.open, 2_000_000n),
    who,
  })
}
