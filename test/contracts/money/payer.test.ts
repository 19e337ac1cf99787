/**
 * The payer machine: when it signs, what it refuses, and what it believes on reconnecting.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { NO_RECEIPTS, nextReceiptsHash, type Opening } from '../../../contracts/money/account.ts'
import { decodePayer, encodePayer } from '../../../contracts/money/accountCodec.ts'
import {
  exposureLimit,
  exposureOf,
  freeBalance,
  type PayerEvent,
  type PayerState,
  type PayerStep,
  payerCredit,
  startPayer,
  stepPayer,
} from '../../../contracts/money/payer.ts'
import { fill } from '../wire/recordSamples.ts'

const [A, B] = ['aa'.repeat(16), 'bb'.repeat(16)] as const
const CHANNEL = { network: -3, channel: `0:${'ab'.repeat(32)}`, deposit: 100_000n }
const NOTHING: Opening = { sequence: 0, cumulative: 0n, spent: 0n, unsettled: [], active: [] }
const refused = (code: string) => expect.objectContaining({ code })

function opened(opening: Partial<Opening> = {}, rest: object = {}): PayerEvent {
  return { type: 'opened', ...NOTHING, ownVoucherValid: false, ...opening, ...rest }
}

function play(events: readonly PayerEvent[], from: PayerState = startPayer(CHANNEL)): PayerStep {
  return events.reduce<PayerStep>((step, event) => stepPayer(step.state, event), {
    state: from,
    effects: [],
  })
}

const grant = (jobId: string, amount: bigint, consent?: bigint): PayerEvent => ({
  type: 'grant',
  jobId,
  amount,
  consent,
})
const ready = play([opened()]).state

describe('a grant', () => {
  it('signs a voucher for what credit does not cover, and only that', () => {
    const first = play([grant(A, 400n)], ready)
    expect(first.effects).toEqual([
      {
        type: 'send',
        message: {
          kind: 'pay',
          sequence: 1,
          jobId: A,
          amount: 400n,
          voucher: { cumulative: 400n, receiptsHash: NO_RECEIPTS },
        },
      },
    ])
    const settled = play([{ type: 'settle', jobId: A, charge: 100n }], first.state).state
    expect([payerCredit(settled), freeBalance(settled)]).toEqual([300n, 99_900n])
    const fromCredit = play([grant(B, 200n)], settled)
    expect(fromCredit.effects[0]).not.toHaveProperty('message.voucher')
    expect(fromCredit.state.cumulative).toBe(400n)
    const rest = play([grant(B, 150n)], fromCredit.state)
    expect(rest.effects[0]).toHaveProperty('message.voucher.cumulative', 450n)
  })

  it('is refused beyond the exposure limit, unless consented to; delivery makes room', () => {
    expect(exposureLimit(ready)).toBe(1_000n)
    expect(() => play([grant(A, 1_001n)], ready)).toThrow(refused('exposure'))
    expect(() => play([grant(A, 1_001n, 1_000n)], ready)).toThrow(refused('exposure'))
    expect(play([grant(A, 1_001n, 1_001n)], ready).state.cumulative).toBe(1_001n)
    const full = play([grant(A, 1_000n)], ready).state
    expect(() => play([grant(A, 1n)], full)).toThrow(refused('exposure'))
    const delivered = play([{ type: 'delivered', jobId: A, cost: 600n }], full).state
    expect(exposureOf(delivered)).toBe(400n)
    expect(play([grant(A, 600n)], delivered).state.cumulative).toBe(1_600n)
    const own = play([opened()], startPayer({ ...CHANNEL, maxExposure: 10n })).state
    expect(() => play([grant(A, 11n)], own)).toThrow(refused('exposure'))
  })

  it('counts delivery up only, and never beyond the grant', () => {
    const state = play([grant(A, 500n), { type: 'delivered', jobId: A, cost: 900n }], ready).state
    expect(exposureOf(state)).toBe(0n)
    const back = play([{ type: 'delivered', jobId: A, cost: 1n }], state).state
    expect(exposureOf(back)).toBe(0n)
  })

  it('is refused beyond the deposit', () => {
    expect(() => play([grant(A, 100_001n, 200_000n)], ready)).toThrow(refused('no-funds'))
    expect(play([grant(A, 100_000n, 100_000n)], ready).state.cumulative).toBe(100_000n)
  })

  it('is refused while the channel closes, before the books are shown, and of nothing', () => {
    const chain = { type: 'chain', deposit: 100_000n, claimed: 0n, status: 'closing' } as const
    expect(() => play([chain, grant(A, 1n)], ready)).toThrow(refused('channel-closing'))
    expect(() => play([grant(A, 1n)])).toThrow(refused('unreachable'))
    const restarted = decodePayer(encodePayer(ready))
    expect(() => play([grant(A, 1n)], restarted)).toThrow(refused('unreachable'))
    expect(() => play([grant(A, 0n)], ready)).toThrow(refused('bad-input'))
    expect(() => play([grant('job', 1n)], ready)).toThrow(refused('bad-input'))
  })

  it('is bounded in unacknowledged messages and in jobs', () => {
    const many = Array.from({ length: LIMITS.unackedPayments }, () => grant(A, 1n))
    const full = play(many, ready).state
    expect(() => play([grant(A, 1n)], full)).toThrow(refused('limit-exceeded'))
    const acked = play(
      [{ type: 'acked', sequence: 1, cumulative: 1n, credit: 0n }, grant(A, 1n)],
      full,
    )
    expect(acked.state.unacked).toHaveLength(LIMITS.unackedPayments)
    const jobs = Array.from(
      { length: LIMITS.accountJobs },
      (_, i) => [i.toString(16).padStart(32, '0'), { granted: 0n, delivered: 0n }] as const,
    )
    const crowded = { ...ready, jobs: new Map(jobs) }
    expect(() => play([grant(A, 1n)], crowded)).toThrow(refused('limit-exceeded'))
  })
})

describe('a settlement', () => {
  const paid = play([grant(A, 400n)], ready).state
  const receipt = { jobId: A, charge: 100n, receiptHash: fill(5) }

  it('moves the running hash only where countersigned and not disputed', () => {
    const event = { type: 'settle', ...receipt } as const
    const signed = { ...event, clientSignature: fill(6, 64) }
    expect(play([event], paid).state.receiptsHash).toEqual(NO_RECEIPTS)
    expect(play([{ ...signed, disputed: true }], paid).state.receiptsHash).toEqual(NO_RECEIPTS)
    const countersigned = play([signed], paid).state
    expect(countersigned.receiptsHash).toEqual(nextReceiptsHash(NO_RECEIPTS, fill(5)))
    const next = play([grant(B, 1_000n)], countersigned)
    expect(next.effects[0]).toHaveProperty(
      'message.voucher.receiptsHash',
      countersigned.receiptsHash,
    )
  })

  it('is refused above the grant, and nothing the second time', () => {
    const over = { type: 'settle', jobId: A, charge: 401n } as const
    expect(() => play([over], paid)).toThrow(refused('bad-receipt'))
    const twice = play(
      [
        { type: 'settle', ...receipt },
        { type: 'settle', ...receipt },
      ],
      paid,
    )
    expect([twice.state.spent, twice.effects]).toEqual([100n, []])
    expect(() => play([{ type: 'settle', ...receipt }], decodePayer(encodePayer(paid)))).toThrow(
      refused('unreachable'),
    )
  })
})

describe('an acknowledgement', () => {
  const paid = play([grant(A, 400n), grant(A, 100n)], ready).state

  it('drops what it confirms; an old one says nothing new', () => {
    const { state } = play([{ type: 'acked', sequence: 2, cumulative: 500n, credit: 0n }], paid)
    expect([state.acked.sequence, state.unacked]).toEqual([2, []])
    const old = play([{ type: 'acked', sequence: 1, cumulative: 400n, credit: 0n }], state)
    expect(old).toEqual({ state, effects: [] })
  })

  it.each([
    ['a number that was never sent', { sequence: 3, cumulative: 500n, credit: 0n }],
    ['less than was promised', { sequence: 2, cumulative: 400n, credit: 0n }],
    ['more than was promised', { sequence: 2, cumulative: 600n, credit: 0n }],
    ['less credit than there is', { sequence: 2, cumulative: 500n, credit: -1n }],
  ])('with %s is a conflict, and nothing more is signed', (_, statement) => {
    const { state, effects } = play([{ type: 'acked', ...statement }], paid)
    expect(effects).toMatchObject([{ type: 'conflict', code: 'account-conflict' }])
    expect(() => play([grant(A, 1n)], state)).toThrow(refused('account-conflict'))
    expect(play([opened()], state).effects).toEqual([])
  })
})

describe('reconnecting', () => {
  const paid = play([grant(A, 400n), grant(B, 100n)], ready).state
  const active = [{ jobId: A, granted: 400n }]

  it('sends again what the payee has not seen', () => {
    const shown = { sequence: 1, cumulative: 400n, active }
    const { state, effects } = play([opened(shown)], paid)
    expect(effects).toMatchObject([{ type: 'send', message: { sequence: 2, jobId: B } }])
    expect([...state.jobs.keys()]).toEqual([A, B])
  })

  it('closes at 0 what the payee has forgotten, at the charge what it has finished', () => {
    const finished = { jobId: B, charge: 70n, receiptHash: fill(5) }
    const shown = { sequence: 2, cumulative: 500n, spent: 70n, unsettled: [finished] }
    const { state, effects } = play([opened(shown)], paid)
    expect(effects).toMatchObject([
      { message: { kind: 'settle', jobId: A, charge: 0n } },
      { message: { kind: 'settle', jobId: B, charge: 70n, receiptHash: fill(5) } },
    ])
    expect([state.spent, payerCredit(state), state.jobs.size]).toEqual([70n, 430n, 0])
  })

  it('does not settle twice a job granted anew while its settlement was on the way', () => {
    const again = play([{ type: 'settle', jobId: A, charge: 10n }, grant(A, 50n)], paid).state
    const shown = {
      sequence: 2,
      cumulative: 500n,
      spent: 10n,
      unsettled: [{ jobId: A, charge: 10n }],
      active: [{ jobId: B, granted: 100n }],
    }
    const { state, effects } = play([opened(shown)], again)
    expect(effects.map((effect) => effect.type === 'send' && effect.message.sequence)).toEqual([
      3, 4,
    ])
    expect([state.spent, state.jobs.get(A)?.granted]).toEqual([10n, 50n])
    const other = { ...shown, unsettled: [{ jobId: A, charge: 11n }], spent: 11n }
    expect(play([opened(other)], again).effects.at(-1)).toMatchObject({ type: 'conflict' })
  })

  const ahead = {
    sequence: 5,
    cumulative: 900n,
    spent: 300n,
    unsettled: [{ jobId: B, charge: 100n }],
    active: [{ jobId: A, granted: 450n }],
  }
  const voucher = { cumulative: 900n, receiptsHash: fill(9) }

  it('after a start from an old copy adopts what its own voucher proves', () => {
    const restarted = decodePayer(encodePayer(paid))
    const proof = { ownVoucherValid: true, voucher }
    const { state, effects } = play([opened(ahead, proof)], restarted)
    expect(effects[0]).toEqual({ type: 'adopted', sequence: 5, cumulative: 900n })
    expect(effects[1]).toMatchObject({ message: { sequence: 6, jobId: B, charge: 100n } })
    expect(state.receiptsHash).toEqual(fill(9))
    expect([state.cumulative, state.spent, payerCredit(state)]).toEqual([900n, 300n, 150n])
  })

  it.each<[string, object, object]>([
    ['a higher figure without its voucher', ahead, { ownVoucherValid: false }],
    ['a voucher for another figure', { ...ahead, cumulative: 901n }, {}],
    ['less than was promised', { ...ahead, cumulative: 450n }, {}],
    ['more spent than promised', { ...ahead, spent: 800n }, {}],
    ['charges that were not spent', { ...ahead, spent: 99n }, {}],
    ['a negative grant', { ...ahead, active: [{ jobId: A, granted: -1n }] }, {}],
    ['a negative charge', { ...ahead, unsettled: [{ jobId: B, charge: -1n }] }, {}],
  ])('refuses books that are ahead with %s', (_, shown, proof) => {
    const restarted = decodePayer(encodePayer(paid))
    const event = opened(shown, { ownVoucherValid: true, voucher, ...proof })
    expect(play([event], restarted).effects).toMatchObject([{ type: 'conflict' }])
  })

  it.each<[string, object, string]>([
    ['books ahead of a running payer', ahead, 'account-in-use'],
    ['less than it acknowledged', { sequence: 0 }, 'account-conflict'],
    ['a lower figure', { sequence: 2, cumulative: 400n }, 'account-conflict'],
    [
      'a charge above the grant',
      { sequence: 2, cumulative: 500n, unsettled: [{ jobId: B, charge: 101n }], active },
      'account-conflict',
    ],
    [
      'a receipt for a job never granted',
      { sequence: 2, cumulative: 500n, unsettled: [{ jobId: 'cc', charge: 0n }], active },
      'account-conflict',
    ],
  ])('refuses %s', (_, shown, code) => {
    const acked = { type: 'acked', sequence: 1, cumulative: 400n, credit: 0n } as const
    const event = opened(shown, { ownVoucherValid: true, voucher })
    const { state, effects } = play([acked, event], paid)
    expect(effects.at(-1)).toMatchObject({ type: 'conflict', code })
    expect(state.conflicted).toBe(true)
  })

  it('takes what the chain has paid as promised after a start; later it is theft', () => {
    const chain = { type: 'chain', deposit: 100_000n, claimed: 700n, status: 'open' } as const
    expect(play([chain], decodePayer(encodePayer(paid))).state.cumulative).toBe(700n)
    expect(play([chain], paid).effects).toMatchObject([{ code: 'account-in-use' }])
    expect(play([{ ...chain, claimed: 500n }], paid).effects).toEqual([])
  })
})

describe('what is charged on the payee’s word alone', () => {
  /** One cut of a payee that delivers nothing and shows the whole grant as its charge. */
  const robbed = (state: PayerState, jobId: string, amount: bigint): PayerState => {
    const granted = play([grant(jobId, amount)], state).state
    const restarted = decodePayer(encodePayer(granted))
    const { sequence, cumulative, spent } = granted
    const shown = {
      sequence,
      cumulative,
      spent: spent + amount,
      unsettled: [{ jobId, charge: amount }],
    }
    return play([opened(shown)], restarted).state
  }

  it('takes one exposure limit in all, however often the payee cuts and comes back', () => {
    const once = robbed(ready, A, 600n)
    expect([once.unproven, exposureOf(once)]).toEqual([600n, 0n])
    expect(() => play([grant(B, 401n)], once)).toThrow(refused('exposure'))
    const twice = robbed(once, B, 400n)
    expect(twice.unproven).toBe(1_000n)
    expect(() => play([grant(A, 1n)], twice)).toThrow(refused('exposure'))
    expect(decodePayer(encodePayer(twice)).unproven).toBe(1_000n)
  })

  it('is nothing where the charge is what was received', () => {
    const events = [grant(A, 600n), { type: 'delivered', jobId: A, cost: 600n } as const]
    const { state } = play(events, ready)
    const { sequence, cumulative } = state
    const shown = { sequence, cumulative, spent: 600n, unsettled: [{ jobId: A, charge: 600n }] }
    const back = play([opened(shown)], decodePayer(encodePayer(state))).state
    expect(back.unproven).toBe(0n)
  })
})
