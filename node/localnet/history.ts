/**
 * What happened on a localnet: blocks and the transactions in them, in the database.
 *
 * Only blocks that hold something are stored, and those at which the pace changed. Where the
 * network has a pace, empty blocks follow each of them at regular steps: they are not made, they
 * are computed when somebody asks, so that a night of them costs nothing. Masterchain and basechain
 * have one block each of the same number; only the workchain of its accounts tells where a
 * transaction is listed. The oldest are forgotten beyond a bound.
 * @module
 */
import { createHash } from 'node:crypto'
import { MarketError } from '../../contracts/base/errors.ts'
import {
  type Anchor,
  type Blocks,
  emptiesBy,
  emptyBlock,
  lesserLt,
  storedBlocks,
} from './blocks.ts'
import type { Database } from './database.ts'
import { type StoredTransaction, storedTransactions } from './transactions.ts'

export type { StoredTransaction } from './transactions.ts'

export interface Block {
  readonly seqno: number
  readonly utime: number
  readonly startLt: bigint
  readonly endLt: bigint
  readonly hash: Buffer
  readonly transactions: readonly StoredTransaction[]
}

/** What the rest of the room reads. */
export interface History {
  readonly last: Block
  /** Undefined where there is no such block yet, or none any more. */
  block(seqno: number): Block | undefined
  /** The newest block that had begun by this logical time, and by this Unix time. */
  blockAt(by: { lt?: bigint; utime?: bigint }): Block | undefined
  /** Transactions of an account, newest first, from `fromLt` (inclusive) downwards. */
  page(account: string, limit: number, fromLt?: bigint): readonly StoredTransaction[]
  /** The first transaction of an account that is not forgotten. */
  oldest(account: string): StoredTransaction | undefined
  /** The transaction of an account that an internal message caused (`inKey`). */
  causedBy(account: string, inKey: string): StoredTransaction | undefined
}

/** What the ledger writes; always inside a transaction of the database. */
export interface HistoryWriter extends History {
  /** The newest block that is stored. */
  readonly anchor: Anchor
  /** Id of the next block to be stored. */
  readonly nextId: number
  /** Number of the last block by a moment: the anchor's and the empty ones since. */
  seqnoAt(ms: number): number
  append(block: NewBlock): Anchor
  /** Stores the empty block `seqno` as it is, and lets none follow it. */
  freeze(seqno: number): void
  /** Reads everything again: the database was rolled back, restored or reset. */
  reload(): void
}

export interface NewBlock {
  readonly seqno: number
  readonly ms: number
  readonly stepMs: number
  /** Logical time before the block's own transactions. */
  readonly lt: bigint
  readonly transactions: readonly StoredTransaction[]
}

/** The last number and the salt of the hashes come from the ledger. */
export interface HistoryOptions {
  readonly database: Database
  /** Network id and seed, as text. */
  readonly salt: string
  /** The last block that has been told to anybody, or may be now. */
  readonly lastSeqno: () => number
}

/** Opens the history of a database that may be new: then `anchor` is not there before `append`. */
export function openHistory({ database, salt, lastSeqno }: HistoryOptions): HistoryWriter {
  const blocks = storedBlocks(database)
  const transactions = storedTransactions(database)
  let anchor = blocks.newest()
  let nextId = 1
  /** The last block that was told: it is asked for with every answer. */
  let told: { seqno: number; at: Anchor; block: Block } | undefined
  const newest = () => {
    if (!anchor) throw new MarketError('internal', { detail: 'a history without a first block' })
    return anchor
  }
  const store = (block: Omit<Anchor, 'id'>) => {
    anchor = { ...block, id: nextId }
    nextId += 1
    blocks.insert(anchor)
    return anchor
  }
  const blockOf = (at: Anchor, seqno: number): Block =>
    at.seqno === seqno
      ? toBlock(at, () => transactions.of(at.id))
      : toBlock(emptyBlock(at, seqno), () => [])
  const history: HistoryWriter = {
    get last() {
      const seqno = lastSeqno()
      const at = newest()
      if (told?.seqno !== seqno || told.at !== at) told = { seqno, at, block: blockOf(at, seqno) }
      return told.block
    },
    get anchor() {
      return newest()
    },
    get nextId() {
      return nextId
    },
    block(seqno) {
      if (seqno > lastSeqno()) return undefined
      const at = newest().seqno <= seqno ? newest() : blocks.bySeqno(seqno)
      return at && blockOf(at, seqno)
    },
    blockAt({ lt, utime }) {
      const last = lastSeqno()
      const byLt = lt === undefined ? last : lastByLt(blocks, lt, last)
      const byTime = utime === undefined ? last : lastByTime(blocks, utime, last)
      return this.block(Math.min(byLt, byTime))
    },
    ...{ page: transactions.page, oldest: transactions.oldest, causedBy: transactions.causedBy },
    seqnoAt: (ms) => newest().seqno + emptiesBy(newest(), ms),
    append(block) {
      const stored = store(chained(block, anchor, salt))
      for (const transaction of block.transactions) transactions.insert(stored.id, transaction)
      return stored
    },
    freeze(seqno) {
      const at = newest()
      if (at.seqno === seqno) {
        blocks.setStep(at.id, 0)
        anchor = { ...at, stepMs: 0 }
      } else {
        store({ ...emptyBlock(at, seqno), stepMs: 0 })
      }
    },
    reload() {
      anchor = blocks.newest()
      nextId = Math.max(blocks.newestId() + 1, openFrom(database))
    },
  }
  history.reload()
  return history
}

/** A new block with its hash: over what it says, the block before it, its transactions. */
function chained(
  { seqno, ms, stepMs, lt, transactions }: NewBlock,
  before: Anchor | undefined,
  salt: string,
): Omit<Anchor, 'id'> {
  const hash = createHash('sha256').update(`block ${salt} ${seqno} ${ms} ${lt}`)
  if (before) hash.update(before.hash)
  for (const transaction of transactions) hash.update(transaction.hash)
  const empty = (before?.endLt ?? -1n) + 1n
  const startLt = transactions[0]?.lt ?? empty
  const endLt = transactions.at(-1)?.lt ?? empty
  return { seqno, ms, stepMs, startLt, endLt, hash: hash.digest() }
}

/** Number of the newest block that had begun by a logical time; 0 where none had. */
function lastByLt(blocks: Blocks, lt: bigint, last: number): number {
  const at = blocks.byLt(lt)
  if (!at) return 0
  return lt > at.endLt ? endOf(blocks, at, last) : at.seqno
}

/** The same by a Unix time. */
function lastByTime(blocks: Blocks, utime: bigint, last: number): number {
  const endMs = Number(lesserLt(utime)) * 1_000 + 999
  const at = blocks.byMs(endMs)
  return at ? Math.min(at.seqno + emptiesBy(at, endMs), endOf(blocks, at, last)) : 0
}

/** The last block from `at` on that is before the next stored one. */
function endOf(blocks: Blocks, at: Anchor, last: number): number {
  return at.stepMs === 0 ? at.seqno : (blocks.seqnoAfter(at.seqno) ?? last + 1) - 1
}

/** Where the open range of the running history begins. */
function openFrom({ sql }: Database): number {
  return Number(sql.prepare('SELECT max(first) AS first FROM lineage').get()?.first ?? 1)
}

function toBlock(
  { seqno, ms, startLt, endLt, hash }: Omit<Anchor, 'id'>,
  load: () => readonly StoredTransaction[],
): Block {
  let loaded: readonly StoredTransaction[] | undefined
  return {
    ...{ seqno, utime: Math.floor(ms / 1_000), startLt, endLt, hash },
    get transactions() {
      loaded ??= load()
      return loaded
    },
  }
}
