/**
 * The payee machine: which vouchers it takes, what work they cover, what it refuses.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { NO_RECEIPTS, nextReceiptsHash } from '../../../contracts/money/account.ts'
import {
  claimable,
  credit,
  grantedTo,
  openingOf,
  type PayeeEvent,
  type PayeeState,
  type PayeeStep,
  startPayee,
  stepPayee,
} from '../../../contracts/money/payee.ts'
import { fill } from '../wire/recordSamples.ts'

const [A, B] = ['aa'.repeat(16), 'bb'.repeat(16)] as const
const start = startPayee({ network: -3, channel: `0:${'ab'.repeat(32)}`, deposit: 1_000n })
const refused = (code: string) => expect.objectContaining({ code })

function play(events: readonly PayeeEvent[], from: PayeeState = start): PayeeStep {
  return events.reduce<PayeeStep>((step, event) => stepPayee(step.state, event), {
    state: from,
    effects: [],
  })
}

function pay(sequence: number, jobId: string, amount: bigint, to?: bigint, rest = {}): PayeeEvent {
  const held = { record: fill(1, 4), signature: fill(2, 64), signatureValid: true }
  const voucher = { cumulative: to ?? 0n, receiptsHash: NO_RECEIPTS, ...held, ...rest }
  return { type: 'pay', sequence, jobId, amount, voucher: to === undefined ? undefined : voucher }
}

function settle(sequence: number, jobId: string, charge: bigint, rest = {}): PayeeEvent {
  const plain = { type: 'settle', disputed: false, signatureValid: true } as const
  return { ...plain, sequence, jobId, charge, ...rest }
}

const paid = play([pay(1, A, 400n, 400n)]).state

describe('a payment', () => {
  it('grants, acknowledges, and keeps the voucher', () => {
    const { state, effects } = play([pay(1, A, 400n, 500n)])
    expect(effects).toEqual([
      { type: 'ack', sequence: 1, cumulative: 500n, credit: 100n },
      { type: 'granted', jobId: A, total: 400n },
    ])
    expect(state.voucher).toEqual({ record: fill(1, 4), signature: fill(2, 64) })
    expect([credit(state), grantedTo(state, A), grantedTo(state, B)]).toEqual([100n, 400n, 0n])
    const more = play([pay(2, A, 100n)], state)
    expect(more.effects[1]).toEqual({ type: 'granted', jobId: A, total: 500n })
  })

  it('is acknowledged again without effect where it is repeated', () => {
    const again = play([pay(1, A, 400n, 400n)], paid)
    expect(again.state).toBe(paid)
    expect(again.effects).toEqual([{ type: 'ack', sequence: 1, cumulative: 400n, credit: 0n }])
  })

  it('asks for what is missing where there is a gap', () => {
    expect(play([pay(3, A, 1n, 401n)], paid)).toEqual({
      state: paid,
      effects: [{ type: 'resync', expected: 2 }],
    })
  })

  it.each([
    ['forged', pay(2, A, 1n, 401n, { signatureValid: false })],
    ['not higher', pay(2, A, 1n, 400n)],
    ['lower', pay(2, A, 1n, 399n)],
    ['above the deposit', pay(2, A, 1n, 1_001n)],
    ['less than the amount', pay(2, A, 2n, 401n)],
    ['absent, without credit', pay(2, A, 1n)],
    ['for nothing', pay(2, A, 0n, 401n)],
  ])('with a voucher that is %s is refused', (_, event) => {
    expect(() => play([event], paid)).toThrow(refused('bad-voucher'))
  })

  it('is never refused for its running hash: the account is unanchored then', () => {
    expect(paid.anchored).toBe(true)
    const other = play([pay(2, A, 1n, 401n, { receiptsHash: fill(9) })], paid).state
    expect([other.cumulative, other.anchored]).toEqual([401n, false])
  })

  it('is taken while the channel closes, not after', () => {
    const chain = { type: 'chain', deposit: 1_000n, claimed: 0n } as const
    const closing = play([{ ...chain, status: 'closing' }, pay(2, A, 1n, 401n)], paid)
    expect(closing.state.cumulative).toBe(401n)
    const closed = play([{ ...chain, status: 'closed' }], paid).state
    expect(() => play([pay(2, A, 1n, 401n)], closed)).toThrow(refused('channel-closing'))
  })

  it('is bounded in jobs', () => {
    const jobs = Array.from(
      { length: LIMITS.accountJobs },
      (_, i) => [i.toString(16).padStart(32, '0'), { granted: 0n, cost: 0n }] as const,
    )
    const crowded = { ...paid, jobs: new Map(jobs) }
    expect(() => play([pay(2, B, 1n, 401n)], crowded)).toThrow(refused('limit-exceeded'))
  })

  it('for a job that has just finished becomes credit', () => {
    const finished = play([{ type: 'finish', jobId: A, charge: 100n, receiptHash: fill(5) }], paid)
    const { state, effects } = play([pay(2, A, 50n, 450n)], finished.state)
    expect(effects).toEqual([{ type: 'ack', sequence: 2, cumulative: 450n, credit: 350n }])
    expect(grantedTo(state, A)).toBe(0n)
  })
})

describe('work', () => {
  it('is allowed up to the grant, counts up only, and is refused beyond', () => {
    const worked = play([{ type: 'work', jobId: A, cost: 400n }], paid).state
    expect(worked.jobs.get(A)?.cost).toBe(400n)
    expect(play([{ type: 'work', jobId: A, cost: 1n }], worked).state).toBe(worked)
    expect(() => play([{ type: 'work', jobId: A, cost: 401n }], paid)).toThrow(refused('unpaid'))
    expect(() => play([{ type: 'work', jobId: B, cost: 1n }], paid)).toThrow(refused('unpaid'))
  })

  it('ends at a charge within the grant; the rest is credit', () => {
    const finish = { type: 'finish', jobId: A, charge: 150n, receiptHash: fill(5) } as const
    const { state } = play([finish], paid)
    expect([state.spent, credit(state)]).toEqual([150n, 250n])
    expect(openingOf(state)).toEqual({
      sequence: 1,
      cumulative: 400n,
      spent: 150n,
      unsettled: [{ jobId: A, charge: 150n, receiptHash: fill(5) }],
      active: [],
    })
    expect(() => play([{ ...finish, charge: 401n }], paid)).toThrow(refused('unpaid'))
    expect(() => play([{ ...finish, charge: -1n }], paid)).toThrow(refused('unpaid'))
    expect(play([{ type: 'finish', jobId: B, charge: 0n }], paid).state).toBe(paid)
    expect(openingOf(play([{ type: 'finish', jobId: A, charge: 0n }], paid).state).active).toEqual(
      [],
    )
  })
})

describe('a settlement', () => {
  const done = play([{ type: 'finish', jobId: A, charge: 150n, receiptHash: fill(5) }], paid).state
  const signed = { receiptHash: fill(5), clientSignature: fill(6, 64) }

  it('moves the running hash where countersigned, and the next voucher is anchored by it', () => {
    const { state, effects } = play([settle(2, A, 150n, signed)], done)
    expect(state.receiptsHash).toEqual(nextReceiptsHash(NO_RECEIPTS, fill(5)))
    expect([state.unsettled.size, effects]).toEqual([
      0,
      [{ type: 'ack', sequence: 2, cumulative: 400n, credit: 250n }],
    ])
    const anchored = pay(3, B, 300n, 500n, { receiptsHash: state.receiptsHash })
    expect(play([anchored], state).state.anchored).toBe(true)
    expect(play([pay(3, B, 300n, 500n)], state).state.anchored).toBe(false)
    const disputed = settle(2, A, 150n, { ...signed, disputed: true })
    expect(play([disputed], done).state.receiptsHash).toEqual(NO_RECEIPTS)
  })

  it.each([
    ['another charge', settle(2, A, 149n), 'account-conflict'],
    ['another receipt', settle(2, A, 150n, { receiptHash: fill(9) }), 'account-conflict'],
    [
      'a forged countersignature',
      settle(2, A, 150n, { ...signed, signatureValid: false }),
      'bad-signature',
    ],
  ])('with %s is refused', (_, event, code) => {
    expect(() => play([event], done)).toThrow(refused(code))
  })

  it('of a job that still runs stands from its cost up to its grant', () => {
    const worked = play([{ type: 'work', jobId: A, cost: 100n }], paid).state
    expect(() => play([settle(2, A, 99n)], worked)).toThrow(refused('account-conflict'))
    expect(() => play([settle(2, A, 401n)], worked)).toThrow(refused('account-conflict'))
    const { state } = play([settle(2, A, 100n)], worked)
    expect([state.spent, credit(state), state.jobs.size]).toEqual([100n, 300n, 0])
  })

  it('of a job that is not known costs at most the credit', () => {
    const { state } = play([{ type: 'finish', jobId: A, charge: 0n }], paid)
    expect(play([settle(2, A, 0n)], state).state.sequence).toBe(2)
    expect(() => play([settle(2, A, 401n)], state)).toThrow(refused('account-conflict'))
  })

  it('is acknowledged again where repeated', () => {
    const once = play([settle(2, A, 150n)], done).state
    expect(play([settle(2, A, 150n)], once).state).toBe(once)
  })
})

it('claims no more than there is', () => {
  const chain = { type: 'chain', deposit: 1_000n, status: 'open' } as const
  expect(claimable(paid)).toBe(400n)
  expect(claimable(play([{ ...chain, claimed: 300n }], paid).state)).toBe(100n)
  expect(claimable(play([{ ...chain, claimed: 400n }], paid).state)).toBe(0n)
  expect(claimable(play([{ ...chain, deposit: 350n, claimed: 0n }], paid).state)).toBe(350n)
})
