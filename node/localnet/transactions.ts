/**
 * The transactions that are stored, by block, by account and by the message that caused them.
 *
 * Under `history.ts`.
 * @module
 */
import type { SQLOutputValue } from 'node:sqlite'
import { HIGHEST_LT, isReachable, lesserLt, toBuffer } from './blocks.ts'
import type { Database } from './database.ts'

/** One transaction, kept as bytes: a parsed one would take ten times the memory. */
export interface StoredTransaction {
  /** Raw address of the account. */
  readonly account: string
  readonly lt: bigint
  readonly hash: Buffer
  /** Bag of cells, base64. */
  readonly boc: string
  readonly utime: number
  /** `sourceRaw:createdLt` of the inbound internal message. */
  readonly inKey: string | undefined
}

export interface Transactions {
  insert(block: number, transaction: StoredTransaction): void
  /** Those of one block, in order. */
  of(block: number): readonly StoredTransaction[]
  page(account: string, limit: number, fromLt?: bigint): readonly StoredTransaction[]
  /** The first of an account that is not forgotten. */
  oldest(account: string): StoredTransaction | undefined
  causedBy(account: string, inKey: string): StoredTransaction | undefined
}

export function storedTransactions({ sql }: Database): Transactions {
  const insert = sql.prepare('INSERT INTO transactions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)')
  const ofBlock = sql.prepare('SELECT * FROM transactions WHERE block = ? ORDER BY id')
  const page = sql.prepare(
    `SELECT * FROM transactions WHERE account = ? AND lt <= ? AND ${isReachable('block')}
     ORDER BY lt DESC LIMIT ?`,
  )
  const oldest = sql.prepare(
    `SELECT * FROM transactions WHERE account = ? AND ${isReachable('block')}
     ORDER BY lt LIMIT 1`,
  )
  const causedBy = sql.prepare(
    `SELECT * FROM transactions
     WHERE created = ? AND source = ? AND account = ? AND ${isReachable('block')}`,
  )
  return {
    insert: (block, { account, lt, hash, utime, inKey, boc }) => {
      const { source, created } = splitKey(inKey)
      const bytes = Buffer.from(boc, 'base64')
      insert.run(block, account, lt, hash, utime, source, created, bytes)
    },
    of: (block) => ofBlock.all(block).map(toTransaction),
    page: (account, limit, fromLt = HIGHEST_LT) =>
      page.all(account, lesserLt(fromLt), limit).map(toTransaction),
    oldest: (account) => {
      const row = oldest.get(account)
      return row && toTransaction(row)
    },
    causedBy: (account, inKey) => {
      const { source, created } = splitKey(inKey)
      if (created !== null && created > HIGHEST_LT) return undefined
      const row = causedBy.get(created, source, account)
      return row && toTransaction(row)
    },
  }
}

function splitKey(inKey: string | undefined) {
  if (inKey === undefined) return { source: null, created: null }
  const at = inKey.lastIndexOf(':')
  return { source: inKey.slice(0, at), created: BigInt(inKey.slice(at + 1)) }
}

function toTransaction(row: Record<string, SQLOutputValue>): StoredTransaction {
  const { source, created } = row
  return {
    account: String(row.account),
    lt: BigInt(Number(row.lt)),
    hash: toBuffer(row.hash),
    boc: toBuffer(row.boc).toString('base64'),
    utime: Number(row.utime),
    inKey: source === null ? undefined : `${source}:${created}`,
  }
}
