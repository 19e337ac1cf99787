/**
 * Opening the database file: its permissions, its lock, its durability settings, its check-up.
 *
 * Called by `openSqliteStore` only. Settings follow the SQLite manual: "PRAGMA synchronous",
 * "PRAGMA locking_mode", "Write-Ahead Logging".
 * @module
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { MarketError } from '../../contracts/base/errors.ts'

/** "CHRY": marks the file as ours, so that no other database is mistaken for it. */
const APPLICATION_ID = 0x43485259
const FORMAT = 1

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entries (
    tbl TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (tbl, key)
  ) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`

/** The open, locked and checked database. Throws `store-locked`, `store-failed`. */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    createFile(path)
    database = new (sqlite().DatabaseSync)(path, { timeout: 0 })
    lock(database)
    checkFormat(database)
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`)
    checkHealth(database)
    return database
  } catch (cause) {
    database?.close()
    if (cause instanceof MarketError) throw cause
    if (isBusy(cause)) throw new MarketError('store-locked', { path }, { cause })
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new MarketError('store-failed', { path, detail }, { cause })
  }
}

/** node:sqlite announces itself as experimental when it is loaded: load it where it is used. */
function sqlite(): typeof import('node:sqlite') {
  return createRequire(import.meta.url)('node:sqlite')
}

/** The WAL and its index take over the mode of the database file. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
}

/** Takes the lock and keeps it: in this mode SQLite gives it back at closing only. */
function lock(database: DatabaseSync): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec('PRAGMA fullfsync = 1') // elsewhere than on macOS this changes nothing
  database.exec('PRAGMA checkpoint_fullfsync = 1')
  database.exec('PRAGMA trusted_schema = 0')
  database.exec('BEGIN IMMEDIATE; COMMIT')
}

function checkFormat(database: DatabaseSync): void {
  const id = pragma(database, 'application_id')
  const version = pragma(database, 'user_version')
  const fresh = id === 0 && version === 0 && countTables(database) === 0
  if (fresh || (id === APPLICATION_ID && version === FORMAT)) return
  throw new Error(`not a store of format ${FORMAT} (application ${id}, format ${version})`)
}

function checkHealth(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA quick_check(1)').get()
  if (found?.quick_check !== 'ok') throw new Error(`damaged: ${String(found?.quick_check)}`)
}

function pragma(database: DatabaseSync, name: string): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name]
}

function countTables(database: DatabaseSync): unknown {
  return database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables
}

/** SQLITE_BUSY (5) or one of its extended codes. */
function isBusy(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' && (code & 0xff) === 5
}
