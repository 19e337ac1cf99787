/**
 * The payer's books of a channel: what they hold, the sums over them, and when two books agree.
 *
 * Shared by the two parts of the payer machine, `payer.ts` and `payerReopen.ts`.
 * @module
 */
import { type Bytes, equal } from '../base/bytes.ts'
import { LIMITS } from '../base/limits.ts'
import type { NanoTon } from '../base/units.ts'
import {
  type ChannelStatus,
  type ConflictEffect,
  creditOf,
  type PayerMessage,
  type Statement,
} from './account.ts'

/** A job that the payer pays for. `delivered` is its cost as far as the payer has received it. */
export interface PayerJob {
  readonly granted: NanoTon
  readonly delivered: NanoTon
}

/** A message that the payee has not acknowledged, with the payer's books after it. */
export interface Unacked {
  readonly message: PayerMessage
  readonly cumulative: NanoTon
  readonly credit: NanoTon
}

export interface PayerState {
  readonly network: number
  /** Raw address. */
  readonly channel: string
  readonly status: ChannelStatus
  readonly deposit: NanoTon
  /** Claimed on chain. */
  readonly claimed: NanoTon
  /** Absent: `LIMITS.exposurePer10k` of the deposit. */
  readonly maxExposure?: NanoTon
  readonly cumulative: NanoTon
  readonly receiptsHash: Bytes
  /** Number of the last message made. */
  readonly sequence: number
  readonly spent: NanoTon
  readonly jobs: ReadonlyMap<string, PayerJob>
  /** The last of the payer's own books that the payee has confirmed. */
  readonly acked: Statement
  readonly unacked: readonly Unacked[]
  /** True once the payee has opened the account in this process; never restored from disk. */
  readonly synced: boolean
  /**
   * Charged on the payee's word alone when an account was opened again: beyond what was received
   * here, and without a checked receipt. It counts as money at stake for ever, so that a payee
   * that cuts and comes back takes one exposure limit in all, not one each time.
   */
  readonly unproven: NanoTon
  /** True after two statements conflicted: nothing more is signed. */
  readonly conflicted: boolean
}

export type PayerEffect =
  /** Sign the voucher that the message names, if any, and send it. */
  | { readonly type: 'send'; readonly message: PayerMessage }
  /** The payee's books were ahead and are now the payer's: its own were an old copy. */
  | { readonly type: 'adopted'; readonly sequence: number; readonly cumulative: NanoTon }
  | ConflictEffect

export interface PayerStep {
  readonly state: PayerState
  readonly effects: readonly PayerEffect[]
}

/** What is promised and allotted to no job. */
export function payerCredit(state: PayerState): NanoTon {
  return creditOf(state, state.jobs)
}

/** What is promised and not delivered: what the payee could keep at worst. */
export function exposureOf(state: PayerState): NanoTon {
  let exposure = state.cumulative - state.spent
  for (const { delivered } of state.jobs.values()) exposure -= delivered
  return exposure
}

/** The most that may be at stake without consent. */
export function exposureLimit(state: PayerState): NanoTon {
  return state.maxExposure ?? (state.deposit * BigInt(LIMITS.exposurePer10k)) / 10_000n
}

/** What new jobs could still be granted: credit, and the deposit that is not promised. */
export function freeBalance(state: PayerState): NanoTon {
  return payerCredit(state) + state.deposit - state.cumulative
}

/** The payer's own books after message `sequence`, where they are still kept. */
export function booksAt(
  state: PayerState,
  sequence: number,
): Pick<Statement, 'cumulative' | 'credit'> | undefined {
  if (sequence === state.acked.sequence) {
    return { cumulative: state.acked.cumulative, credit: state.acked.credit }
  }
  const entry = state.unacked.find(({ message }) => message.sequence === sequence)
  return entry && { cumulative: entry.cumulative, credit: entry.credit }
}

/**
 * True where the payee's books fit the payer's own at the same message. The payee's credit may be
 * higher: it knows of jobs that ended and that the payer had not heard of; it is never lower.
 */
export function agrees(
  own: Pick<Statement, 'cumulative' | 'credit'>,
  shown: Pick<Statement, 'cumulative' | 'credit'>,
): boolean {
  return shown.cumulative === own.cumulative && shown.credit >= own.credit
}

/** Ends the use of an account, with what was shown and what was expected. */
export function conflict(
  state: PayerState,
  code: 'account-conflict' | 'account-in-use',
  shown: Statement,
  own?: { readonly cumulative: NanoTon },
): PayerStep {
  const { sequence, cumulative, credit } = shown
  const facts = { channel: state.channel, sequence, cumulative, credit, ours: own?.cumulative }
  const conflicted = { ...state, conflicted: true }
  return { state: conflicted, effects: [{ type: 'conflict', code, facts }] }
}

/** True where two settlements of one job say the same. */
export function sameReceipt(a: Bytes | undefined, b: Bytes | undefined): boolean {
  return a === undefined || b === undefined || equal(a, b)
}
