/**
 * The payer on reconnecting: the payee has shown its books; resend, adopt or stop.
 *
 * Part of the payer machine (`payer.ts`). Three cases: the payee is behind (it missed messages:
 * they are sent again), even, or ahead (only where the payer's own state is an old copy: the
 * payee's books are adopted, and money only against the payer's own valid voucher). Jobs that the
 * payee has seen and knows no more are closed at 0; those with a receipt at the receipt's charge.
 * @module
 */

import type { Bytes } from '../base/bytes.ts'
import type { NanoTon } from '../base/units.ts'
import { creditOf, type Opening, type SettleMessage, type UnsettledJob } from './account.ts'
import {
  agrees,
  booksAt,
  conflict,
  type PayerEffect,
  type PayerJob,
  type PayerState,
  type PayerStep,
  sameReceipt,
} from './payerBooks.ts'

/** A finished job as the payee shows it; the driver adds a countersignature where it can check. */
export interface UnsettledShown extends UnsettledJob {
  readonly clientSignature?: Bytes
  readonly disputed?: boolean
}

/** The payee has opened the account and shown its books. */
export interface OpenedEvent extends Opening {
  readonly type: 'opened'
  readonly unsettled: readonly UnsettledShown[]
  /** The voucher that the payee shows, where it shows one. */
  readonly voucher?: { readonly cumulative: NanoTon; readonly receiptsHash: Bytes }
  /** True where that voucher is this payer's own, valid, and for the cumulative shown. */
  readonly ownVoucherValid: boolean
}

type Settle = (state: PayerState, settlement: Omit<SettleMessage, 'kind' | 'sequence'>) => PayerStep

/** The step for an `opened` event. `settle` is the machine's own way to end a job. */
export function reopen(state: PayerState, event: OpenedEvent, settle: Settle): PayerStep {
  if (state.conflicted) return { state, effects: [] }
  const shown = { ...event, credit: shownCredit(event) }
  if (event.sequence > state.sequence) {
    if (state.synced) return conflict(state, 'account-in-use', shown, state)
    if (!adoptable(state, event)) return conflict(state, 'account-conflict', shown, state)
    return settleShown(adopt(state, event), event, settle)
  }
  const own = booksAt(state, event.sequence)
  if (!own || !agrees(own, shown)) return conflict(state, 'account-conflict', shown, own)
  const unacked = state.unacked.filter(({ message }) => message.sequence > event.sequence)
  const acked = { sequence: event.sequence, ...own }
  const resent: readonly PayerEffect[] = unacked.map(({ message }) => ({ type: 'send', message }))
  const resumed = { state: { ...state, acked, unacked, synced: true }, effects: resent }
  return settleShown(closeForgotten(resumed, event, settle), event, settle)
}

function shownCredit(event: OpenedEvent): NanoTon {
  const active = event.active.map(({ jobId, granted }) => [jobId, { granted }] as const)
  return creditOf(event, new Map(active))
}

/** Books that are ahead are believed within what the payer has provably promised. */
function adoptable(state: PayerState, event: OpenedEvent): boolean {
  const settling = event.unsettled.reduce((sum, { charge }) => sum + charge, 0n)
  if (event.cumulative < state.cumulative || event.spent < settling) return false
  if (event.unsettled.some(({ charge }) => charge < 0n)) return false
  if (event.active.some(({ granted }) => granted < 0n) || shownCredit(event) < 0n) return false
  const provenByVoucher = event.ownVoucherValid && event.voucher?.cumulative === event.cumulative
  return event.cumulative === state.cumulative || provenByVoucher
}

function adopt(state: PayerState, event: OpenedEvent): PayerStep {
  const { sequence, cumulative } = event
  const jobs = new Map<string, PayerJob>()
  for (const { jobId, granted } of event.active) {
    const known = state.jobs.get(jobId)?.delivered ?? 0n
    jobs.set(jobId, { granted, delivered: known < granted ? known : granted })
  }
  // The payee counts a finished job as spent, the payer only once it has settled it.
  let { spent } = event
  for (const { jobId, charge } of event.unsettled) {
    const known = state.jobs.get(jobId)?.delivered ?? 0n
    jobs.set(jobId, { granted: charge, delivered: known < charge ? known : charge })
    spent -= charge
  }
  const ahead = event.ownVoucherValid && cumulative > state.cumulative ? event.voucher : undefined
  const gained = spent - state.spent
  const adopted: PayerState = {
    ...state,
    unproven: state.unproven + (gained > 0n ? gained : 0n),
    cumulative,
    receiptsHash: ahead?.receiptsHash ?? state.receiptsHash,
    sequence,
    spent,
    jobs,
    acked: { sequence, cumulative, credit: creditOf({ cumulative, spent }, jobs) },
    unacked: [],
    synced: true,
  }
  return { state: adopted, effects: [{ type: 'adopted', sequence, cumulative }] }
}

/** Closes at 0 what the payee has been told of and knows no more: it can charge nothing for it. */
function closeForgotten(before: PayerStep, event: OpenedEvent, settle: Settle): PayerStep {
  const known = new Set([...event.active, ...event.unsettled].map(({ jobId }) => jobId))
  // A job whose payment is only now sent again is one that the payee is about to know.
  for (const { message } of before.state.unacked) known.add(message.jobId)
  const forgotten = [...before.state.jobs.keys()].filter((jobId) => !known.has(jobId))
  return forgotten.reduce(
    (step, jobId) => then(step, settle(step.state, { jobId, charge: 0n, disputed: false })),
    before,
  )
}

function settleShown(before: PayerStep, event: OpenedEvent, settle: Settle): PayerStep {
  const { state } = before
  let step = before
  for (const shown of event.unsettled) {
    const { jobId, charge, receiptHash, clientSignature, disputed = false } = shown
    const pending = pendingSettlement(state, jobId)
    const fits = pending ? saysTheSame(pending, shown) : charge <= grantedTo(state, jobId)
    if (!fits || charge < 0n) {
      const books = { ...event, credit: shownCredit(event) }
      return then(step, conflict(step.state, 'account-conflict', books, step.state))
    }
    // Settled already, and that message is sent again. The job may have been granted anew since.
    if (pending) continue
    const settlement = { jobId, charge, receiptHash, clientSignature, disputed }
    const settled = settle(withUnproven(step.state, shown), settlement)
    step = then(step, settled)
  }
  return step
}

/** The books with what is charged beyond what was received here, where no receipt was checked. */
function withUnproven(state: PayerState, { jobId, charge, clientSignature }: UnsettledShown) {
  const beyond = charge - (state.jobs.get(jobId)?.delivered ?? 0n)
  if (clientSignature || beyond <= 0n) return state
  return { ...state, unproven: state.unproven + beyond }
}

/** The settlement of a job that is on its way to the payee. */
function pendingSettlement(state: PayerState, jobId: string): SettleMessage | undefined {
  for (const { message } of state.unacked) {
    if (message.kind === 'settle' && message.jobId === jobId) return message
  }
  return undefined
}

function saysTheSame(pending: SettleMessage, shown: UnsettledShown): boolean {
  return pending.charge === shown.charge && sameReceipt(pending.receiptHash, shown.receiptHash)
}

/** What a job was granted; below any charge where the payer does not know it. */
function grantedTo(state: PayerState, jobId: string): NanoTon {
  return state.jobs.get(jobId)?.granted ?? -1n
}

function then(before: PayerStep, after: PayerStep): PayerStep {
  return { state: after.state, effects: [...before.effects, ...after.effects] }
}
