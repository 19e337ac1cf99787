/**
 * The payer's end of a channel's account: what to promise, when, and how much is at stake.
 *
 * A pure machine: `stepPayer(state, event)` gives the next state and effects. The driver persists
 * the state, then runs the effects in order: durable before sent. A refused event throws a
 * `MarketError` and changes nothing. After a start from disk the machine signs nothing until the
 * payee has shown its books (`opened`): the disk may be older than what was sent, and a number used
 * twice for different messages could not be told apart later.
 *
 * Money at stake is what is promised and not delivered: `cumulative - spent - delivered`. It grows
 * only by a voucher, and a voucher is signed only within `exposureLimit`, or by consent.
 * @module
 */
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { NanoTon } from '../base/units.ts'
import {
  type ChannelStatus,
  hashAfter,
  NO_RECEIPTS,
  type PayerMessage,
  type SettleMessage,
  type Statement,
  withEntry,
} from './account.ts'
import {
  agrees,
  booksAt,
  conflict,
  exposureLimit,
  exposureOf,
  freeBalance,
  type PayerState,
  type PayerStep,
  payerCredit,
} from './payerBooks.ts'
import { type OpenedEvent, reopen } from './payerReopen.ts'

export type { PayerEffect, PayerJob, PayerState, PayerStep, Unacked } from './payerBooks.ts'
export { exposureLimit, exposureOf, freeBalance, payerCredit } from './payerBooks.ts'
export type { OpenedEvent, UnsettledShown } from './payerReopen.ts'

export type PayerEvent =
  | {
      readonly type: 'grant'
      readonly jobId: string
      readonly amount: NanoTon
      /** The caller's explicit consent to this much at stake on the channel. */
      readonly consent?: NanoTon
    }
  | { readonly type: 'delivered'; readonly jobId: string; readonly cost: NanoTon }
  | (Omit<SettleMessage, 'kind' | 'sequence' | 'disputed'> & {
      readonly type: 'settle'
      readonly disputed?: boolean
    })
  | ({ readonly type: 'acked' } & Statement)
  | OpenedEvent
  | {
      readonly type: 'chain'
      readonly deposit: NanoTon
      readonly claimed: NanoTon
      readonly status: ChannelStatus
    }

/** The payer's books of a channel that has paid nothing yet. */
export function startPayer(channel: {
  readonly network: number
  readonly channel: string
  readonly deposit: NanoTon
  readonly claimed?: NanoTon
  readonly maxExposure?: NanoTon
}): PayerState {
  return {
    claimed: 0n,
    ...channel,
    status: 'open',
    cumulative: 0n,
    receiptsHash: NO_RECEIPTS,
    sequence: 0,
    spent: 0n,
    jobs: new Map(),
    acked: { sequence: 0, cumulative: 0n, credit: 0n },
    unacked: [],
    synced: false,
    unproven: 0n,
    conflicted: false,
  }
}

/**
 * One step. Throws, with the state unchanged: `bad-input`; `unreachable` before the account is
 * open; `channel-closing`; `limit-exceeded`; `no-funds` beyond the deposit; `exposure`;
 * `bad-receipt` where a charge exceeds its grant; `account-conflict` after a conflict.
 *
 * @example
 * const { state, effects } = stepPayer(before, { type: 'grant', jobId, amount: 5_000n })
 * await store.write(save(state))
 * for (const effect of effects) if (effect.type === 'send') await send(effect.message)
 */
export function stepPayer(state: PayerState, event: PayerEvent): PayerStep {
  switch (event.type) {
    case 'grant':
      return grant(state, event.jobId, event.amount, event.consent)
    case 'delivered':
      return deliver(state, event.jobId, event.cost)
    case 'settle': {
      const { type: _, disputed = false, ...settlement } = event
      return settle(state, { ...settlement, disputed })
    }
    case 'acked':
      return acknowledge(state, event)
    case 'opened':
      return reopen(state, event, settle)
    case 'chain':
      return observe(state, event)
  }
}

function grant(state: PayerState, jobId: string, amount: NanoTon, consent?: NanoTon): PayerStep {
  const { jobs, unacked, cumulative } = state
  if (amount <= 0n || !/^[0-9a-f]{32}$/.test(jobId)) {
    throw new MarketError('bad-input', { field: amount <= 0n ? 'amount' : 'jobId' })
  }
  if (state.conflicted) throw new MarketError('account-conflict', { channel: state.channel })
  if (!state.synced) throw new MarketError('unreachable', { channel: state.channel })
  if (state.status !== 'open') throw new MarketError('channel-closing', { channel: state.channel })
  const job = jobs.get(jobId) ?? { granted: 0n, delivered: 0n }
  if (unacked.length >= LIMITS.unackedPayments) {
    throw new MarketError('limit-exceeded', { unacked: unacked.length })
  }
  if (jobs.size >= LIMITS.accountJobs && !jobs.has(jobId)) {
    throw new MarketError('limit-exceeded', { jobs: jobs.size })
  }
  const credit = payerCredit(state)
  const missing = amount > credit ? amount - credit : 0n
  if (cumulative + missing > state.deposit) {
    throw new MarketError('no-funds', { needed: amount, free: freeBalance(state) })
  }
  checkExposure(state, missing, consent)
  const granted = {
    ...state,
    cumulative: cumulative + missing,
    jobs: withEntry(jobs, jobId, { ...job, granted: job.granted + amount }),
  }
  const promise = { cumulative: granted.cumulative, receiptsHash: state.receiptsHash }
  const pay = { kind: 'pay', sequence: state.sequence + 1, jobId, amount } as const
  return emit(granted, missing > 0n ? { ...pay, voucher: promise } : pay)
}

function checkExposure(state: PayerState, missing: NanoTon, consent: NanoTon = 0n): void {
  const own = exposureLimit(state)
  const most = consent > own ? consent : own
  const exposure = exposureOf(state) + state.unproven + missing
  // Allotting credit puts nothing more at stake, so it is never refused here.
  if (missing > 0n && exposure > most) throw new MarketError('exposure', { exposure, most })
}

function deliver(state: PayerState, jobId: string, cost: NanoTon): PayerStep {
  const job = state.jobs.get(jobId)
  // Never beyond the grant: a gift on one job must not make room for risk on another.
  const delivered = job && cost > job.granted ? job.granted : cost
  if (!job || delivered <= job.delivered) return { state, effects: [] }
  const jobs = withEntry(state.jobs, jobId, { ...job, delivered })
  return { state: { ...state, jobs }, effects: [] }
}

/** Ends a job. One that is not known has been settled before: nothing happens. */
function settle(
  state: PayerState,
  settlement: Omit<SettleMessage, 'kind' | 'sequence'>,
): PayerStep {
  const { jobId, charge } = settlement
  const job = state.jobs.get(jobId)
  if (!job || state.conflicted) return { state, effects: [] }
  if (!state.synced) throw new MarketError('unreachable', { channel: state.channel })
  if (charge < 0n || charge > job.granted) {
    throw new MarketError('bad-receipt', { charge, granted: job.granted })
  }
  const settled = {
    ...state,
    spent: state.spent + charge,
    receiptsHash: hashAfter(state.receiptsHash, settlement),
    jobs: withEntry(state.jobs, jobId, undefined),
  }
  return emit(settled, { kind: 'settle', sequence: state.sequence + 1, ...settlement })
}

function emit(state: PayerState, message: PayerMessage): PayerStep {
  const books = { cumulative: state.cumulative, credit: payerCredit(state) }
  const unacked = [...state.unacked, { message, ...books }]
  const { sequence } = message
  return { state: { ...state, sequence, unacked }, effects: [{ type: 'send', message }] }
}

function acknowledge(state: PayerState, statement: Statement): PayerStep {
  const { sequence } = statement
  // An acknowledgement of books that were confirmed already says nothing new.
  if (state.conflicted || sequence < state.acked.sequence) return { state, effects: [] }
  const own = booksAt(state, sequence)
  if (!own || !agrees(own, statement)) return conflict(state, 'account-conflict', statement, own)
  const unacked = state.unacked.filter(({ message }) => message.sequence > sequence)
  return { state: { ...state, acked: { sequence, ...own }, unacked }, effects: [] }
}

function observe(
  state: PayerState,
  chain: { deposit: NanoTon; claimed: NanoTon; status: ChannelStatus },
): PayerStep {
  const { deposit, claimed, status } = chain
  const seen = { ...state, deposit, claimed, status }
  if (claimed <= state.cumulative || state.conflicted) return { state: seen, effects: [] }
  // The contract has checked a voucher that these books do not hold. Right after a start the copy
  // is an old one; in a running process someone else signs with the key.
  if (!state.synced) return { state: { ...seen, cumulative: claimed }, effects: [] }
  return conflict(seen, 'account-in-use', { ...state.acked, cumulative: claimed }, state)
}
