/**
 * The auditor of a simulated world: it reads every row of accounts as it becomes durable, and notes
 * what must never happen.
 *
 * It looks on from outside, through all parties' stores, and shares no state with the machines
 * it judges. Rules: money at stake grows by a promise only within the exposure limit, what is spent
 * is never more than what is signed, nothing signed exceeds the deposit, statements never conflict,
 * and a job is charged at most once on a channel.
 * @module
 */
import type { Bytes } from '../../../contracts/base/bytes.ts'
import type { Store } from '../../../contracts/base/ports.ts'
import { decodePayee, decodePayer } from '../../../contracts/money/accountCodec.ts'
import type { PayeeState } from '../../../contracts/money/payee.ts'
import { exposureLimit, exposureOf, type PayerState } from '../../../contracts/money/payer.ts'

/** Tables of books, as the settlement room names them. */
export const PAYER_TABLE = 'payer'
export const PAYEE_TABLE = 'payee'

/** One charge that became durable in a payee's books. */
export interface Charge {
  readonly machine: string
  readonly channel: string
  readonly jobId: string
  readonly amount: bigint
}

export interface Auditor {
  /** The same store, looked on. */
  watch(machine: string, store: Store): Store
  /** Notes a broken rule that somebody else saw. */
  note(rule: string): void
  /** Rules that were broken; empty in a sound world. */
  readonly broken: readonly string[]
  /** Every charge above zero, in the order in which it became durable. */
  readonly charges: readonly Charge[]
  /** Highest share of its exposure limit that any payer reached, parts per 10,000. */
  highestExposurePer10k(): number
}

/** What an auditor has seen so far. */
interface Seen {
  readonly broken: string[]
  readonly charges: Charge[]
  /** Channel and job of every charge. */
  readonly charged: Set<string>
  readonly payers: Map<string, PayerState>
  readonly payees: Map<string, PayeeState>
  highestPer10k: bigint
}

/** One row: whose, which table, which channel. */
interface Row {
  readonly machine: string
  readonly table: string
  readonly channel: string
}

/** Broken rules that are kept: the first ones tell, the rest follow from them. */
const KEPT = 100

/** An auditor that has seen nothing. */
export function createAuditor(): Auditor {
  const seen: Seen = {
    broken: [],
    charges: [],
    charged: new Set(),
    payers: new Map(),
    payees: new Map(),
    highestPer10k: 0n,
  }
  return {
    broken: seen.broken,
    charges: seen.charges,
    note: (rule) => note(seen, rule),
    highestExposurePer10k: () => Number(seen.highestPer10k),
    watch(machine, store) {
      begin(seen, machine, store)
      return {
        get: (table, key) => store.get(table, key),
        list: (table, options) => store.list(table, options),
        close: () => store.close(),
        async write(changes) {
          await store.write(changes)
          for (const { table, key, value } of changes) {
            if (value) see(seen, { machine, table, channel: key }, value)
          }
        },
      }
    },
  }
}

/** What is on disk at a start counts: a group on its way may or may not have survived. */
function begin({ payers, payees }: Seen, machine: string, store: Store): void {
  for (const [channel, value] of store.list(PAYER_TABLE)) {
    payers.set(nameOf({ machine, table: PAYER_TABLE, channel }), decodePayer(value))
  }
  for (const [channel, value] of store.list(PAYEE_TABLE)) {
    payees.set(nameOf({ machine, table: PAYEE_TABLE, channel }), decodePayee(value))
  }
}

function see(seen: Seen, row: Row, value: Bytes): void {
  if (row.table === PAYER_TABLE) seePayer(seen, row, decodePayer(value))
  if (row.table === PAYEE_TABLE) seePayee(seen, row, decodePayee(value))
}

function seePayer(seen: Seen, row: Row, state: PayerState): void {
  const name = nameOf(row)
  const before = seen.payers.get(name)
  seen.payers.set(name, state)
  const { cumulative, spent, deposit } = state
  if (spent > cumulative) note(seen, `${name}: spent ${spent} above signed ${cumulative}`)
  if (cumulative > deposit) note(seen, `${name}: signed ${cumulative} above the deposit ${deposit}`)
  if (state.conflicted && !before?.conflicted) note(seen, `${name}: two statements conflicted`)
  if (cumulative <= (before?.cumulative ?? 0n)) return
  const [exposure, limit] = [exposureOf(state), exposureLimit(state)]
  const share = (exposure * 10_000n) / limit
  if (share > seen.highestPer10k) seen.highestPer10k = share
  if (exposure > limit) note(seen, `${name}: at stake ${exposure}, at most ${limit}`)
}

function seePayee(seen: Seen, row: Row, state: PayeeState): void {
  const name = nameOf(row)
  const before = seen.payees.get(name)
  seen.payees.set(name, state)
  if (state.spent > state.cumulative) note(seen, `${name}: spent more than it was promised`)
  if (state.claimed > state.cumulative) note(seen, `${name}: claimed more than was signed`)
  const amount = state.spent - (before?.spent ?? 0n)
  if (amount < 0n) note(seen, `${name}: spent went back by ${-amount}`)
  if (!before || amount <= 0n) return
  const { machine, channel } = row
  const gone = [...before.jobs.keys()].filter((jobId) => !state.jobs.has(jobId))
  if (gone.length !== 1) note(seen, `${name}: a charge of ${amount} belongs to ${gone.length} jobs`)
  for (const jobId of gone) {
    const charge = `${channel} ${jobId}`
    if (seen.charged.has(charge)) note(seen, `${name}: job ${jobId} is charged twice`)
    seen.charged.add(charge)
    seen.charges.push({ machine, channel, jobId, amount })
  }
}

function nameOf({ machine, table, channel }: Row): string {
  return `${machine} ${table} ${channel}`
}

function note({ broken }: Seen, rule: string): void {
  if (broken.length < KEPT) broken.push(rule)
}
