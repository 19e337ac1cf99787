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
import { type Anchor, emptiesBy, emptyBlock, lesserLt, storedBlocks } from './blocks.ts'
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
  /** The last block from `at` on that is before the next stored one. */
  const endOf = (at: Anchor) =>
    at.stepMs === 0 ? at.seqno : (blocks.seqnoAfter(at.seqno) ?? lastSeqno() + 1) - 1

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
      const byLt = lt === undefined ? newest() : blocks.byLt(lt)
      const endMs = utime === undefined ? undefined : Number(lesserLt(utime)) * 1_000 + 999
      const byTime = endMs === undefined ? newest() : blocks.byMs(endMs)
      if (!byLt || !byTime) return undefined
      const isAfter = lt === undefined || lt > byLt.endLt
      const seqnos = [
        isAfter ? endOf(byLt) : byLt.seqno,
        endMs === undefined ? lastSeqno() : byTime.seqno + emptiesBy(byTime, endMs),
        endOf(byTime),
      ]
      return this.block(Math.min(...seqnos))
    },
    page: transactions.page,
    causedBy: transactions.causedBy,
    seqnoAt: (ms) => newest().seqno + emptiesBy(newest(), ms),
    append({ seqno, ms, stepMs, lt, transactions: added }) {
      const head = `block ${salt} ${seqno} ${ms} ${lt}`
      const hash = createHash('sha256').update(head)
      if (anchor) hash.update(anchor.hash)
      for (const transaction of added) hash.update(transaction.hash)
      const empty = (anchor?.endLt ?? -1n) + 1n
      const startLt = added[0]?.lt ?? empty
      const endLt = added.at(-1)?.lt ?? empty
      const stored = store({ seqno, ms, stepMs, startLt, endLt, hash: hash.digest() })
      for (const transaction of added) transactions.insert(stored.id, transaction)
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
