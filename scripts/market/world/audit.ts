/**
 * The auditor of a simulated world: it reads every row of accounts as it becomes durable, and notes
 * what must never happen.
 *
 * It looks on from outside, through the stores of all parties, and shares no state with the machines
 * that it judges. Rules: money at stake grows by a promise only within the exposure limit, what is
 * spent is never more than what is signed, nothing signed exceeds the deposit, and a job is charged
 * at most once on a channel.
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

/** An auditor that has seen nothing. */
export function createAuditor(): Auditor {
  const broken: string[] = []
  const charges: Charge[] = []
  const charged = new Set<string>()
  const payers = new Map<string, PayerState>()
  const payees = new Map<string, PayeeState>()
  let highest = 0n

  const note = (rule: string) => {
    if (broken.length < 100) broken.push(rule)
  }

  const seePayer = (key: string, state: PayerState) => {
    const before = payers.get(key)
    payers.set(key, state)
    const { cumulative, spent, deposit } = state
    if (spent > cumulative) note(`${key}: spent ${spent} above signed ${cumulative}`)
    if (cumulative > deposit) note(`${key}: signed ${cumulative} above the deposit ${deposit}`)
    if (state.conflicted && !before?.conflicted) note(`${key}: two statements conflicted`)
    if (cumulative <= (before?.cumulative ?? 0n)) return
    const [exposure, limit] = [exposureOf(state), exposureLimit(state)]
    const share = (exposure * 10_000n) / limit
    if (share > highest) highest = share
    if (exposure > limit) note(`${key}: at stake ${exposure}, at most ${limit}`)
  }

  const seePayee = (machine: string, key: string, state: PayeeState) => {
    const before = payees.get(key)
    payees.set(key, state)
    if (state.spent > state.cumulative) note(`${key}: spent more than it was promised`)
    if (state.claimed > state.cumulative) note(`${key}: claimed more than was signed`)
    const amount = state.spent - (before?.spent ?? 0n)
    if (amount < 0n) note(`${key}: spent went back by ${-amount}`)
    if (!before || amount <= 0n) return
    const gone = [...before.jobs.keys()].filter((jobId) => !state.jobs.has(jobId))
    const { channel } = state
    if (gone.length !== 1) note(`${key}: a charge of ${amount} belongs to ${gone.length} jobs`)
    for (const jobId of gone) {
      if (charged.has(`${channel} ${jobId}`)) note(`${key}: job ${jobId} is charged twice`)
      charged.add(`${channel} ${jobId}`)
      charges.push({ machine, channel, jobId, amount })
    }
  }

  const see = (machine: string, table: string, channel: string, value: Bytes | undefined) => {
    const key = `${machine} ${table} ${channel}`
    if (!value) return
    if (table === PAYER_TABLE) seePayer(key, decodePayer(value))
    if (table === PAYEE_TABLE) seePayee(machine, key, decodePayee(value))
  }

  /** What is on disk at a start counts: a group on its way may or may not have survived. */
  const begin = (machine: string, store: Store) => {
    for (const [channel, value] of store.list(PAYER_TABLE)) {
      payers.set(`${machine} ${PAYER_TABLE} ${channel}`, decodePayer(value))
    }
    for (const [channel, value] of store.list(PAYEE_TABLE)) {
      payees.set(`${machine} ${PAYEE_TABLE} ${channel}`, decodePayee(value))
    }
  }

  return {
    broken,
    charges,
    note,
    highestExposurePer10k: () => Number(highest),
    watch(machine, store) {
      begin(machine, store)
      return {
        get: (table, key) => store.get(table, key),
        list: (table, options) => store.list(table, options),
        close: () => store.close(),
        async write(changes) {
          await store.write(changes)
          for (const { table, key, value } of changes) see(machine, table, key, value)
        },
      }
    },
  }
}
