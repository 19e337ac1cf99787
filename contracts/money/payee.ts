/**
 * The payee's end of a channel's account: which promises it holds, and what work they cover.
 *
 * A pure machine: `stepPayee(state, event)` gives the next state and effects. The driver persists
 * the state, then runs the effects: an acknowledgement or a grant that is not on disk is never
 * spoken of. A refused event throws a `MarketError` and changes nothing, the sequence included. The
 * driver has checked voucher signature, network and channel before, and says so in the event.
 *
 * A voucher is never refused for its receipts hash: where that is not the hash computed here, the
 * account is marked unanchored (README.md here). Vouchers are taken while the channel closes:
 * they can be claimed until it has closed.
 * @module
 */
import { type Bytes, equal } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { NanoTon } from '../base/units.ts'
import {
  type ChannelStatus,
  hashAfter,
  type PayMessage,
  type SettleMessage,
  type Statement,
  type UnsettledJob,
  withEntry,
} from './account.ts'
import { credit, grantedTo, type HeldBytes, type PayeeState } from './payeeBooks.ts'

export type { HeldBytes, PayeeJob, PayeeState } from './payeeBooks.ts'
export { claimable, credit, grantedTo, openingOf, startPayee } from './payeeBooks.ts'

export type PayeeEvent =
  | (Omit<PayMessage, 'kind' | 'voucher'> & {
      readonly type: 'pay'
      readonly voucher?: HeldBytes & {
        readonly cumulative: NanoTon
        readonly receiptsHash: Bytes
        /** Payer's key, this network, this channel. */
        readonly signatureValid: boolean
      }
    })
  | (Omit<SettleMessage, 'kind'> & {
      readonly type: 'settle'
      /** The client signature is the job key's over the receipt; ignored where there is none. */
      readonly signatureValid: boolean
    })
  | { readonly type: 'work'; readonly jobId: string; readonly cost: NanoTon }
  | ({ readonly type: 'finish' } & UnsettledJob)
  | {
      readonly type: 'chain'
      readonly deposit: NanoTon
      readonly claimed: NanoTon
      readonly status: ChannelStatus
    }

type PayEvent = Extract<PayeeEvent, { type: 'pay' }>
type SettleEvent = Extract<PayeeEvent, { type: 'settle' }>

export type PayeeEffect =
  /** To be signed and sent. */
  | ({ readonly type: 'ack' } & Statement)
  /** A job may now work up to `total`. */
  | { readonly type: 'granted'; readonly jobId: string; readonly total: NanoTon }
  /** A message was missed: the payer must open the account again. `expected` is the next number. */
  | { readonly type: 'resync'; readonly expected: number }

export interface PayeeStep {
  readonly state: PayeeState
  readonly effects: readonly PayeeEffect[]
}

/**
 * One step. Throws, with the state unchanged: `bad-voucher` (forged, not higher, above the deposit,
 * or an amount that nothing covers), `channel-closing` (it has closed), `limit-exceeded`, `unpaid`
 * (work or a charge above the grant), `bad-signature`, `account-conflict` (a settlement that is not
 * what the job cost).
 */
export function stepPayee(state: PayeeState, event: PayeeEvent): PayeeStep {
  switch (event.type) {
    case 'pay':
      return inOrder(state, event.sequence) ?? pay(state, event)
    case 'settle':
      return inOrder(state, event.sequence) ?? settled(state, event)
    case 'work':
      return { state: work(state, event.jobId, event.cost), effects: [] }
    case 'finish':
      return { state: finish(state, event), effects: [] }
    case 'chain': {
      const { deposit, claimed, status } = event
      return { state: { ...state, deposit, claimed, status }, effects: [] }
    }
  }
}

/** A message that is not the next one: repeated ones are acknowledged again, gaps asked for. */
function inOrder(state: PayeeState, sequence: number): PayeeStep | undefined {
  if (sequence === state.sequence + 1) return undefined
  if (sequence <= state.sequence) return { state, effects: [acknowledgement(state)] }
  return { state, effects: [{ type: 'resync', expected: state.sequence + 1 }] }
}

function pay(state: PayeeState, event: PayEvent): PayeeStep {
  const { jobId, amount, voucher } = event
  if (state.status === 'closed') throw new MarketError('channel-closing', { status: 'closed' })
  const held = voucher ? take(state, voucher) : state
  const free = credit(held)
  if (amount <= 0n || amount > free) throw new MarketError('bad-voucher', { amount, free })
  const paid = { ...held, sequence: event.sequence }
  // The job ended while this was on its way: the amount is credit, and the payer settles next.
  if (state.unsettled.has(jobId)) return { state: paid, effects: [acknowledgement(paid)] }
  const job = state.jobs.get(jobId)
  const open = state.jobs.size + state.unsettled.size
  if (!job && open >= LIMITS.accountJobs) throw new MarketError('limit-exceeded', { jobs: open })
  const total = (job?.granted ?? 0n) + amount
  const jobs = withEntry(state.jobs, jobId, { granted: total, cost: job?.cost ?? 0n })
  const granted = { ...paid, jobs }
  return { state: granted, effects: [acknowledgement(granted), { type: 'granted', jobId, total }] }
}

function take(state: PayeeState, voucher: NonNullable<PayEvent['voucher']>): PayeeState {
  const { cumulative, receiptsHash, record, signature, signatureValid } = voucher
  if (!signatureValid) throw new MarketError('bad-voucher', { reason: 'signature' })
  if (cumulative <= state.cumulative) {
    throw new MarketError('bad-voucher', { cumulative, held: state.cumulative })
  }
  if (cumulative > state.deposit) {
    throw new MarketError('bad-voucher', { cumulative, deposit: state.deposit })
  }
  const anchored = equal(receiptsHash, state.receiptsHash)
  return { ...state, cumulative, voucher: { record, signature }, anchored }
}

function settled(state: PayeeState, event: SettleEvent): PayeeStep {
  const { sequence, jobId } = event
  if (event.clientSignature && !event.signatureValid)
    throw new MarketError('bad-signature', { jobId })
  const next = {
    ...close(state, event),
    sequence,
    receiptsHash: hashAfter(state.receiptsHash, event),
    unsettled: withEntry(state.unsettled, jobId, undefined),
  }
  return { state: next, effects: [acknowledgement(next)] }
}

/** The books once the job is closed at the payer's charge, where that charge is right. */
function close(state: PayeeState, { jobId, charge, receiptHash }: SettleEvent): PayeeState {
  const done = state.unsettled.get(jobId)
  if (done) {
    const other = receiptHash && done.receiptHash && !equal(receiptHash, done.receiptHash)
    if (charge !== done.charge || other) {
      throw new MarketError('account-conflict', { jobId, charge, receipt: done.charge })
    }
    return state
  }
  // Without a receipt here: work done is the least, and what was allotted or is free the most.
  const job = state.jobs.get(jobId)
  const most = job ? job.granted : credit(state)
  if (charge < (job?.cost ?? 0n) || charge > most) {
    throw new MarketError('account-conflict', { jobId, charge, cost: job?.cost, most })
  }
  const jobs = withEntry(state.jobs, jobId, undefined)
  return { ...state, spent: state.spent + charge, jobs }
}

function work(state: PayeeState, jobId: string, cost: NanoTon): PayeeState {
  const job = state.jobs.get(jobId)
  const granted = job?.granted ?? 0n
  if (cost > granted) throw new MarketError('unpaid', { jobId, cost, granted })
  if (!job || cost <= job.cost) return state
  return { ...state, jobs: withEntry(state.jobs, jobId, { ...job, cost }) }
}

/** Ends a job at its charge. One never granted, or closed already, can charge nothing. */
function finish(state: PayeeState, finished: UnsettledJob): PayeeState {
  const { jobId, charge, receiptHash } = finished
  const granted = grantedTo(state, jobId)
  if (charge < 0n || charge > granted) throw new MarketError('unpaid', { jobId, charge, granted })
  if (!state.jobs.has(jobId)) return state
  const owed = charge > 0n || receiptHash !== undefined
  return {
    ...state,
    spent: state.spent + charge,
    jobs: withEntry(state.jobs, jobId, undefined),
    unsettled: owed
      ? withEntry(state.unsettled, jobId, { jobId, charge, receiptHash })
      : state.unsettled,
  }
}

function acknowledgement(state: PayeeState): PayeeEffect {
  const { sequence, cumulative } = state
  return { type: 'ack', sequence, cumulative, credit: credit(state) }
}
