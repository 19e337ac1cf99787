/**
 * Snapshots of a localnet, and going back to them.
 *
 * A snapshot is the lineage of blocks at its moment and the figures of the ledger: nothing is
 * copied. It keeps what it needs alive: versions of accounts that were overwritten since, and
 * blocks of a history that was left. What nothing needs any more is deleted at once.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Anchor } from './blocks.ts'
import type { Database } from './database.ts'
import { type Figures, readFigures, writeFigures } from './figures.ts'
import {
  BEGINNING,
  continuedAt,
  endedAt,
  type Lineage,
  type Range,
  simplified,
  unreachable,
} from './lineage.ts'

interface Snapshot {
  readonly lineage: Lineage
  /** Its newest block, should history forget it: `[seqno, ms, step, startLt, endLt, hash]`. */
  readonly newest: readonly [number, number, number, string, string, string]
  readonly figures: object
}

/** Everything here runs inside a transaction of the database. */
export interface Snapshots {
  /** Throws `limit-exceeded` where there are too many; the same name again replaces. */
  take(name: string, figures: Figures, newest: Anchor, nextId: number): void
  /** Goes back; gives the figures of then. Throws `not-found`. */
  restore(name: string, nextId: number): Figures
  /** Forgets every block, account and snapshot. */
  reset(): void
}

export function openSnapshots({ sql }: Database): Snapshots {
  const list = sql.prepare('SELECT name, state FROM snapshots ORDER BY name')
  const put = sql.prepare('INSERT OR REPLACE INTO snapshots VALUES (?, ?)')
  const keep = sql.prepare('INSERT OR IGNORE INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)')
  const ranges = sql.prepare('SELECT first, last FROM lineage ORDER BY first')
  const putRange = sql.prepare('INSERT INTO lineage VALUES (?, ?)')

  const running = (): Lineage =>
    ranges.all().map(({ first, last }) => ({ first: Number(first), last: Number(last) }))
  const all = () =>
    new Map(
      list
        .all()
        .map(({ name, state }): [string, Snapshot] => [String(name), JSON.parse(String(state))]),
    )

  /** Deletes what no lineage needs, and writes the lineages down in their simplest form. */
  const settle = (now: Lineage, snapshots: ReadonlyMap<string, Snapshot>, newestId: number) => {
    const before = [now, ...[...snapshots.values()].map(({ lineage }) => lineage)]
    for (const range of unreachable(before, newestId)) forget(sql, range)
    const [first, ...rest] = simplified(before) as [Lineage, ...Lineage[]]
    const known = new Set(before.flat().map(keyOf))
    const joined = new Map([first, ...rest].flat().map((range) => [keyOf(range), range]))
    for (const [key, range] of joined) if (!known.has(key)) dropSuperseded(sql, range)
    sql.exec('DELETE FROM lineage')
    for (const range of first) putRange.run(range.first, range.last)
    for (const [at, [name, snapshot]] of [...snapshots].entries()) {
      put.run(name, JSON.stringify({ ...snapshot, lineage: rest[at] }))
    }
  }
  return {
    take(name, figures, newest, nextId) {
      const snapshots = all()
      if (!snapshots.has(name) && snapshots.size >= LIMITS.localnetSnapshots) {
        throw new MarketError('limit-exceeded', { limit: 'localnetSnapshots' })
      }
      const lineage = endedAt(running(), newest.id)
      const { seqno, ms, stepMs, startLt, endLt, hash } = newest
      const lts = [startLt.toString(), endLt.toString()] as const
      const row = [seqno, ms, stepMs, ...lts, hash.toString('hex')] as const
      snapshots.set(name, { lineage, figures: writeFigures(figures), newest: row })
      settle(continuedAt(lineage, nextId), snapshots, nextId - 1)
    },
    restore(name, nextId) {
      const snapshots = all()
      const snapshot = snapshots.get(name)
      if (!snapshot) throw new MarketError('not-found', { snapshot: name })
      const [seqno, ms, step, startLt, endLt, hash] = snapshot.newest
      const id = snapshot.lineage.at(-1)!.last
      const bytes = Buffer.from(hash, 'hex')
      keep.run(id, seqno, ms, step, BigInt(startLt), BigInt(endLt), bytes)
      settle(continuedAt(snapshot.lineage, nextId), snapshots, nextId - 1)
      return readFigures(snapshot.figures)
    },
    reset() {
      sql.exec('DELETE FROM transactions; DELETE FROM blocks; DELETE FROM accounts')
      sql.exec('DELETE FROM snapshots; DELETE FROM lineage')
      for (const { first, last } of BEGINNING) putRange.run(first, last)
    },
  }
}

/** Deletes blocks that no history has any more, and what they made. */
function forget(sql: DatabaseSync, { first, last }: Range): void {
  sql.prepare('DELETE FROM transactions WHERE block BETWEEN ? AND ?').run(first, last)
  sql.prepare('DELETE FROM blocks WHERE id BETWEEN ? AND ?').run(first, last)
  sql.prepare('DELETE FROM accounts WHERE block BETWEEN ? AND ?').run(first, last)
}

/** Deletes versions of accounts that were needed while the range was two. */
function dropSuperseded(sql: DatabaseSync, { first, last }: Range): void {
  const statement = sql.prepare(
    `DELETE FROM accounts WHERE block BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM accounts AS later
       WHERE later.address = accounts.address
         AND later.block > accounts.block AND later.block <= ?)`,
  )
  statement.run(first, last, last)
}

const keyOf = ({ first, last }: Range) => `${first} ${last}`
