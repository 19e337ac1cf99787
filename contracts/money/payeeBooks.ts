/**
 * The payee's books of a channel: what they hold, and the sums over them. `payee.ts` changes them.
 * @module
 */
import type { Bytes } from '../base/bytes.ts'
import type { NanoTon } from '../base/units.ts'
import {
  type ChannelStatus,
  creditOf,
  NO_RECEIPTS,
  type Opening,
  type UnsettledJob,
} from './account.ts'

/** A job that the payee works on. `cost` is what its work has cost so far. */
export interface PayeeJob {
  readonly granted: NanoTon
  readonly cost: NanoTon
}

/** The best voucher held: the cell as received, and the payer's signature. */
export interface HeldBytes {
  readonly record: Bytes
  readonly signature: Bytes
}

export interface PayeeState {
  readonly network: number
  /** Raw address. */
  readonly channel: string
  readonly status: ChannelStatus
  readonly deposit: NanoTon
  /** Claimed on chain. */
  readonly claimed: NanoTon
  readonly cumulative: NanoTon
  /** Absent before the first one. */
  readonly voucher?: HeldBytes
  /** The running hash that this side computes. */
  readonly receiptsHash: Bytes
  /** False where the best voucher carries another running hash. */
  readonly anchored: boolean
  /** Number of the last message taken. */
  readonly sequence: number
  readonly spent: NanoTon
  readonly jobs: ReadonlyMap<string, PayeeJob>
  /** Finished jobs that the payer has not settled. */
  readonly unsettled: ReadonlyMap<string, UnsettledJob>
}

/** The payee's books of a channel that it has checked and that has paid nothing yet. */
export function startPayee(channel: {
  readonly network: number
  readonly channel: string
  readonly deposit: NanoTon
  readonly claimed?: NanoTon
}): PayeeState {
  return {
    claimed: 0n,
    ...channel,
    status: 'open',
    cumulative: 0n,
    receiptsHash: NO_RECEIPTS,
    anchored: true,
    sequence: 0,
    spent: 0n,
    jobs: new Map(),
    unsettled: new Map(),
  }
}

/** What is promised and allotted to no job. */
export function credit(state: PayeeState): NanoTon {
  return creditOf(state, state.jobs)
}

/** What the best voucher would move now. */
export function claimable(state: PayeeState): NanoTon {
  let most = state.cumulative
  if (most > state.deposit) most = state.deposit
  return most > state.claimed ? most - state.claimed : 0n
}

/** What a job may cost before it must wait; 0 where it is not known. */
export function grantedTo(state: PayeeState, jobId: string): NanoTon {
  return state.jobs.get(jobId)?.granted ?? 0n
}

/** What is shown to the payer when the account stream opens; the voucher is sent beside it. */
export function openingOf(state: PayeeState): Opening {
  const { sequence, cumulative, spent } = state
  const active = [...state.jobs].map(([jobId, { granted }]) => ({ jobId, granted }))
  return { sequence, cumulative, spent, unsettled: [...state.unsettled.values()], active }
}
