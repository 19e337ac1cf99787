/**
 * The file a localnet lives in: SQLite in WAL mode, or the same tables in memory.
 *
 * One transaction of the database is one block, with every account it changed and the figures of
 * the ledger: after `kill -9` a block is there whole or not at all. `synchronous` is NORMAL: a
 * power failure may cost the last blocks of a network whose coins are worth nothing, never its
 * order. One process at a time; a second one gets `store-locked`.
 * @module
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { MarketError } from '../../contracts/base/errors.ts'

/** "CHRL": marks the file as a localnet of ours. */
const APPLICATION_ID = 0x4348524c
const FORMAT = 1
/** Pages of the database that are kept in memory, KiB. */
const CACHE_KIB = 16_384

/**
 * `blocks` are those that hold something and those at which the pace changed: `step` is the time in
 * ms from it to the next and between the empty ones that follow, 0 where none follow by themselves.
 * `accounts` has every version that the running history or a snapshot may need. `lineage` are the
 * ranges of blocks that belong to the running history.
 */
const SCHEMA = `
  CREATE TABLE blocks (
    id INTEGER PRIMARY KEY, seqno INTEGER NOT NULL, ms INTEGER NOT NULL, step INTEGER NOT NULL,
    startLt INTEGER NOT NULL, endLt INTEGER NOT NULL, hash BLOB NOT NULL
  ) STRICT;
  CREATE INDEX blocksBySeqno ON blocks (seqno);
  CREATE INDEX blocksByLt ON blocks (startLt);
  CREATE INDEX blocksByTime ON blocks (ms);
  CREATE TABLE transactions (
    id INTEGER PRIMARY KEY, block INTEGER NOT NULL, account TEXT NOT NULL, lt INTEGER NOT NULL,
    hash BLOB NOT NULL, utime INTEGER NOT NULL, source TEXT, created INTEGER, boc BLOB NOT NULL
  ) STRICT;
  CREATE INDEX transactionsByBlock ON transactions (block);
  CREATE INDEX transactionsByAccount ON transactions (account, lt);
  CREATE INDEX transactionsByMessage ON transactions (created) WHERE created IS NOT NULL;
  CREATE TABLE accounts (
    address TEXT NOT NULL, block INTEGER NOT NULL, balance TEXT NOT NULL, boc BLOB NOT NULL,
    PRIMARY KEY (address, block)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE lineage (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
  CREATE TABLE ledger (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL) STRICT;
  CREATE TABLE snapshots (name TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
  CREATE TABLE identity (id INTEGER PRIMARY KEY CHECK (id = 1), facts TEXT NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`

export interface Database {
  readonly sql: DatabaseSync
  /** Bytes the file and its log take; 0 in memory. */
  readonly isFile: boolean
  /** Runs `work` as one transaction: all of it or, where it throws, nothing. `store-failed`. */
  atomically<T>(work: () => T): T
  close(): void
}

/** Opens or makes the database; without a file, in memory. `store-locked`, `store-failed`. */
export function openDatabase(file: string | undefined): Database {
  const sql = opened(file)
  const begin = sql.prepare('BEGIN IMMEDIATE')
  const commit = sql.prepare('COMMIT')
  return {
    sql,
    isFile: file !== undefined,
    atomically(work) {
      begin.run()
      try {
        const result = work()
        commit.run()
        return result
      } catch (cause) {
        if (sql.isTransaction) sql.exec('ROLLBACK')
        if (cause instanceof MarketError) throw cause
        throw failed(file, cause)
      }
    },
    close: () => sql.close(),
  }
}

/** Drops everything: the network begins anew, whatever it was. */
export function eraseDatabase({ sql, atomically }: Database): void {
  atomically(() => {
    const tables = 'lineage ledger snapshots identity blocks transactions accounts'
    for (const table of tables.split(' ')) sql.exec(`DELETE FROM ${table}`)
  })
}

function opened(file: string | undefined): DatabaseSync {
  let sql: DatabaseSync | undefined
  try {
    if (file !== undefined) makeFile(file)
    sql = new (sqlite().DatabaseSync)(file ?? ':memory:', { timeout: 0 })
    // The lock is taken by the first write and held until the process ends, however it ends.
    sql.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL')
    sql.exec(`PRAGMA synchronous = NORMAL; PRAGMA cache_size = -${CACHE_KIB}`)
    sql.exec('PRAGMA trusted_schema = 0; BEGIN IMMEDIATE')
    if (isFresh(sql)) sql.exec(SCHEMA)
    sql.exec('COMMIT')
    return sql
  } catch (cause) {
    sql?.close()
    if (isBusy(cause)) throw new MarketError('store-locked', { path: file }, { cause })
    throw failed(file, cause)
  }
}

/** node:sqlite announces itself as experimental when it is loaded: load it where it is used. */
function sqlite(): typeof import('node:sqlite') {
  return createRequire(import.meta.url)('node:sqlite')
}

function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
}

/** True for an empty file; throws where it holds anything but a localnet of this format. */
function isFresh(sql: DatabaseSync): boolean {
  const pragma = (name: string) => sql.prepare(`PRAGMA ${name}`).get()?.[name]
  const id = pragma('application_id')
  const version = pragma('user_version')
  if (id === APPLICATION_ID && version === FORMAT) return false
  const tables = sql.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables
  if (id === 0 && version === 0 && tables === 0) return true
  throw new Error(`not a localnet of format ${FORMAT} (application ${id}, format ${version})`)
}

function failed(path: string | undefined, cause: unknown): MarketError {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new MarketError('store-failed', { path: path ?? 'memory', detail }, { cause })
}

/** SQLITE_BUSY (5) or one of its extended codes. */
function isBusy(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' && (code & 0xff) === 5
}
