/**
 * The blocks that are stored, and the empty ones that follow each of them unstored.
 *
 * Under `history.ts`, which adds the transactions.
 * @module
 */
import { createHash } from 'node:crypto'
import type { SQLOutputValue } from 'node:sqlite'
import type { Database } from './database.ts'

/** A block that is stored. Empty ones follow it every `stepMs`; none where that is 0. */
export interface Anchor {
  readonly id: number
  readonly seqno: number
  readonly ms: number
  readonly stepMs: number
  readonly startLt: bigint
  readonly endLt: bigint
  readonly hash: Buffer
}

export interface Blocks {
  insert(block: Anchor): void
  setStep(id: number, stepMs: number): void
  /** The newest block of all histories and of the running one. */
  newestId(): number
  newest(): Anchor | undefined
  /** The newest stored block of the running history that is not after the given one. */
  bySeqno(seqno: number): Anchor | undefined
  byLt(lt: bigint): Anchor | undefined
  byMs(ms: number): Anchor | undefined
  /** Number of the stored block after this one. */
  seqnoAfter(seqno: number): number | undefined
}

/** Above every logical time: a million for each transaction. */
export const HIGHEST_LT = BigInt(Number.MAX_SAFE_INTEGER)

/** A logical time that a caller names, as the database can compare it. */
export const lesserLt = (lt: bigint) => (lt < HIGHEST_LT ? lt : HIGHEST_LT)

/** True of the rows of the running history; `block` is the column with the block's id. */
export const isReachable = (block: string) =>
  `EXISTS (SELECT 1 FROM lineage WHERE lineage.first <= ${block} AND lineage.last >= ${block})`

export function storedBlocks({ sql }: Database): Blocks {
  const newestBy = (column: string, isAtMost = true) =>
    sql.prepare(
      `SELECT * FROM blocks WHERE ${isAtMost ? `${column} <= ?` : '1'} AND ${isReachable('id')}
       ORDER BY ${column} DESC, id DESC LIMIT 1`,
    )
  const insert = sql.prepare('INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)')
  const setStep = sql.prepare('UPDATE blocks SET step = ? WHERE id = ?')
  const newestId = sql.prepare('SELECT max(id) AS id FROM blocks')
  const newest = newestBy('id', false)
  const bySeqno = newestBy('seqno')
  const byLt = newestBy('startLt')
  const byMs = newestBy('ms')
  const after = sql.prepare(
    `SELECT seqno FROM blocks WHERE seqno > ? AND ${isReachable('id')} ORDER BY seqno LIMIT 1`,
  )
  return {
    insert: ({ id, seqno, ms, stepMs, startLt, endLt, hash }) => {
      insert.run(id, seqno, ms, stepMs, startLt, endLt, hash)
    },
    setStep: (id, stepMs) => {
      setStep.run(stepMs, id)
    },
    newestId: () => Number(newestId.get()?.id ?? 0),
    newest: () => toAnchor(newest.get()),
    bySeqno: (seqno) => toAnchor(bySeqno.get(seqno)),
    byLt: (lt) => toAnchor(byLt.get(lesserLt(lt))),
    byMs: (ms) => toAnchor(byMs.get(ms)),
    seqnoAfter: (seqno) => {
      const row = after.get(seqno)
      return row ? Number(row.seqno) : undefined
    },
  }
}

function toAnchor(row: Record<string, SQLOutputValue> | undefined): Anchor | undefined {
  if (!row) return undefined
  return {
    id: Number(row.id),
    seqno: Number(row.seqno),
    ms: Number(row.ms),
    stepMs: Number(row.step),
    startLt: BigInt(Number(row.startLt)),
    endLt: BigInt(Number(row.endLt)),
    hash: toBuffer(row.hash),
  }
}

/** A BLOB as it comes from the database. */
export function toBuffer(blob: SQLOutputValue | undefined): Buffer {
  if (!(blob instanceof Uint8Array)) return Buffer.alloc(0)
  return Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength)
}

/** Empty blocks that have followed an anchor by a moment. */
export function emptiesBy({ ms, stepMs }: Pick<Anchor, 'ms' | 'stepMs'>, nowMs: number): number {
  return stepMs === 0 ? 0 : Math.max(0, Math.floor((nowMs - ms) / stepMs))
}

/** The empty block number `seqno` after an anchor, as it would be stored. */
export function emptyBlock(anchor: Anchor, seqno: number): Omit<Anchor, 'id'> {
  const hash = createHash('sha256').update(`empty ${seqno}`).update(anchor.hash).digest()
  const lt = anchor.endLt + 1n
  const { stepMs } = anchor
  const ms = anchor.ms + (seqno - anchor.seqno) * stepMs
  return { seqno, ms, stepMs, startLt: lt, endLt: lt, hash }
}
