/**
 * Payer and payee books as bytes for a store, and back.
 *
 * JSON with amounts as decimal strings and bytes as hex, behind a version. Reading is strict: a row
 * that does not parse stops the process with `store-failed`, because going on from guessed books
 * would cost money. A payer that comes from disk is not `synced`: it waits for the payee's books.
 *
 * @example
 * await store.write([{ table: 'payer', key: channel, value: encodePayer(state) }])
 * const state = decodePayer(store.get('payer', channel)!)
 * @module
 */
import { type Bytes, fromHex, toHex, utf8 } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { NanoTon } from '../base/units.ts'
import { parseNano } from '../base/units.ts'
import type { ChannelStatus, PayerMessage, Statement, UnsettledJob } from './account.ts'
import type { PayeeState } from './payee.ts'
import type { PayerState, Unacked } from './payer.ts'

const VERSION = 1
const STATUSES: readonly ChannelStatus[] = ['open', 'closing', 'closed']

/** A payer's books as bytes. `synced` is left out. */
export function encodePayer(state: PayerState): Bytes {
  const { synced: _, ...books } = state
  return toBytes('payer', { ...books, jobs: [...state.jobs] })
}

/** Bytes as a payer's books, not synced. Throws `store-failed`. */
export function decodePayer(bytes: Bytes): PayerState {
  return fromBytes('payer', bytes, (row) => ({
    ...channelFields(row),
    maxExposure: row.has('maxExposure') ? row.amount('maxExposure') : undefined,
    cumulative: row.amount('cumulative'),
    receiptsHash: row.hex('receiptsHash', 32),
    sequence: row.count('sequence'),
    spent: row.amount('spent'),
    jobs: jobs(row, (job) => ({
      granted: job.amount('granted'),
      delivered: job.amount('delivered'),
    })),
    acked: statement(row.row('acked')),
    unacked: row.list('unacked').map(unacked),
    synced: false,
    unproven: row.has('unproven') ? row.amount('unproven') : 0n,
    conflicted: row.flag('conflicted'),
  }))
}

/** A payee's books as bytes. */
export function encodePayee(state: PayeeState): Bytes {
  const unsettled = [...state.unsettled.values()]
  return toBytes('payee', { ...state, jobs: [...state.jobs], unsettled })
}

/** Bytes as a payee's books. Throws `store-failed`. */
export function decodePayee(bytes: Bytes): PayeeState {
  return fromBytes('payee', bytes, (row) => ({
    ...channelFields(row),
    cumulative: row.amount('cumulative'),
    voucher: row.has('voucher') ? held(row.row('voucher')) : undefined,
    receiptsHash: row.hex('receiptsHash', 32),
    anchored: row.flag('anchored'),
    sequence: row.count('sequence'),
    spent: row.amount('spent'),
    jobs: jobs(row, (job) => ({ granted: job.amount('granted'), cost: job.amount('cost') })),
    unsettled: new Map(row.list('unsettled').map((job) => [job.text('jobId'), unsettledJob(job)])),
  }))
}

function channelFields(row: Row) {
  return {
    network: row.integer('network'),
    channel: row.text('channel'),
    status: row.word('status', STATUSES),
    deposit: row.amount('deposit'),
    claimed: row.amount('claimed'),
  }
}

function jobs<J>(row: Row, read: (job: Row) => J): ReadonlyMap<string, J> {
  const entries = row.list('jobs').map((entry) => [entry.text('0'), read(entry.row('1'))] as const)
  return new Map(entries)
}

function statement(row: Row): Statement {
  const sequence = row.count('sequence')
  return { sequence, cumulative: row.amount('cumulative'), credit: row.amount('credit') }
}

function unacked(row: Row): Unacked {
  const books = { cumulative: row.amount('cumulative'), credit: row.amount('credit') }
  return { message: message(row.row('message')), ...books }
}

function message(row: Row): PayerMessage {
  const [sequence, jobId] = [row.count('sequence'), row.text('jobId')]
  if (row.word('kind', ['pay', 'settle']) === 'pay') {
    const pay = { kind: 'pay' as const, sequence, jobId, amount: row.amount('amount') }
    if (!row.has('voucher')) return pay
    const voucher = row.row('voucher')
    const promise = {
      cumulative: voucher.amount('cumulative'),
      receiptsHash: voucher.hex('receiptsHash', 32),
    }
    return { ...pay, voucher: promise }
  }
  return {
    kind: 'settle',
    sequence,
    jobId,
    charge: row.amount('charge'),
    receiptHash: row.has('receiptHash') ? row.hex('receiptHash', 32) : undefined,
    clientSignature: row.has('clientSignature') ? row.hex('clientSignature', 64) : undefined,
    disputed: row.flag('disputed'),
  }
}

function held(row: Row) {
  return { record: row.hex('record'), signature: row.hex('signature', 64) }
}

function unsettledJob(row: Row): UnsettledJob {
  return {
    jobId: row.text('jobId'),
    charge: row.amount('charge'),
    receiptHash: row.has('receiptHash') ? row.hex('receiptHash', 32) : undefined,
  }
}

/** One JSON object, read field by field. Each reader throws `bad-input` naming its field. */
interface Row {
  has(field: string): boolean
  text(field: string): string
  word<W extends string>(field: string, words: readonly W[]): W
  integer(field: string): number
  count(field: string): number
  amount(field: string): NanoTon
  flag(field: string): boolean
  hex(field: string, length?: number): Bytes
  row(field: string): Row
  list(field: string): readonly Row[]
}

function rowOf(value: unknown): Row {
  if (typeof value !== 'object' || value === null) throw wrong('row')
  const fields = new Map(Object.entries(value))
  const text = (field: string): string => {
    const found: unknown = fields.get(field)
    if (typeof found !== 'string') throw wrong(field)
    return found
  }
  const integer = (field: string): number => {
    const found: unknown = fields.get(field)
    if (typeof found !== 'number' || !Number.isSafeInteger(found)) throw wrong(field)
    return found
  }
  return {
    has: (field) => fields.has(field),
    text,
    word(field, words) {
      const word = words.find((candidate) => candidate === text(field))
      if (word === undefined) throw wrong(field)
      return word
    },
    integer,
    count(field) {
      if (integer(field) < 0) throw wrong(field)
      return integer(field)
    },
    amount: (field) => parseNano(text(field)),
    flag(field) {
      const found: unknown = fields.get(field)
      if (typeof found !== 'boolean') throw wrong(field)
      return found
    },
    hex: (field, length) => fromHex(text(field), length),
    row: (field) => rowOf(fields.get(field)),
    list(field) {
      const found: unknown = fields.get(field)
      if (!Array.isArray(found)) throw wrong(field)
      return found.map(rowOf)
    },
  }
}

function toBytes(kind: string, books: object): Bytes {
  return utf8(JSON.stringify({ version: VERSION, kind, ...books }, plain))
}

function fromBytes<T>(kind: string, bytes: Bytes, read: (row: Row) => T): T {
  try {
    const row = rowOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    if (row.integer('version') !== VERSION || row.text('kind') !== kind) throw wrong('version')
    return read(row)
  } catch (cause) {
    throw new MarketError('store-failed', { books: kind }, { cause })
  }
}

function plain(this: Record<string, unknown>, key: string, value: unknown): unknown {
  // A Buffer turns itself into an object before a replacer sees it: look at the field itself.
  const raw = this[key]
  if (raw instanceof Uint8Array) return toHex(raw)
  return typeof raw === 'bigint' ? raw.toString() : value
}

function wrong(field: string): MarketError {
  return new MarketError('bad-input', { field })
}
