/**
 * The store on disk: SQLite in WAL mode, every commit synced, one process at a time.
 *
 * Every `write` of one turn of the event loop joins one transaction, which is committed (and
 * synced) at the end of the turn; only then do the writes resolve. A voucher is acknowledged after
 * that. Any fault of the disk ends the store for good: after a failed sync nobody knows what is on
 * disk, so the only honest answer is to stop and to read again from what survived (fail stop).
 * @module
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Change, Store } from '../../contracts/base/ports.ts'
import { checkChange, pageSize } from './entry.ts'
import { openDatabase } from './sqliteFile.ts'

export interface SqliteStoreOptions {
  /** Called once, when the store has failed: a node stops its process here. */
  readonly onFailed?: (error: MarketError) => void
}

interface Waiter {
  resolve(): void
  reject(error: MarketError): void
}

interface Row {
  readonly key: string
  readonly value: Uint8Array
  readonly sum: number
}

/**
 * Opens (or creates, mode 0600) the store at `path`, and holds its lock until `close`.
 * Throws `store-locked` where another process or store has it open, `store-failed` where the file
 * cannot be used or is damaged.
 *
 * @example
 * const store = openSqliteStore('/var/lib/chrysalis/provider/store.db') await store.write([{ table:
 * 'vouchers', key: channel, value: voucher }]) // durable when it resolves
 */
export function openSqliteStore(path: string, options: SqliteStoreOptions = {}): Store {
  const database = openDatabase(path)
  return new SqliteStore(database, options)
}

class SqliteStore implements Store {
  readonly #database: DatabaseSync
  readonly #onFailed: SqliteStoreOptions['onFailed']
  readonly #select: StatementSync
  readonly #page: StatementSync
  readonly #put: StatementSync
  readonly #remove: StatementSync
  /** Writes of the open transaction; empty where none is open. */
  #waiting: Waiter[] = []
  #turn: NodeJS.Immediate | undefined
  #ended: MarketError | undefined

  constructor(database: DatabaseSync, options: SqliteStoreOptions) {
    this.#database = database
    this.#onFailed = options.onFailed
    this.#select = database.prepare('SELECT key, value, sum FROM entries WHERE tbl = ? AND key = ?')
    this.#page = database.prepare(
      'SELECT key, value, sum FROM entries WHERE tbl = ? AND key > ? ORDER BY key LIMIT ?',
    )
    this.#put = database.prepare(
      'INSERT INTO entries (tbl, key, value, sum) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT (tbl, key) DO UPDATE SET value = excluded.value, sum = excluded.sum',
    )
    this.#remove = database.prepare('DELETE FROM entries WHERE tbl = ? AND key = ?')
    this.#guarded(() => verifyAll(database))
  }

  get(table: string, key: string): Bytes | undefined {
    return this.#guarded(() => {
      const row = this.#select.get(table, key) as Row | undefined
      return row && verified(table, row)
    })
  }

  list(table: string, options: { after?: string; limit?: number } = {}): [string, Bytes][] {
    return this.#guarded(() => {
      // No key is empty, so the empty string stands before all of them.
      const rows = this.#page.all(table, options.after ?? '', pageSize(options.limit))
      return (rows as unknown as Row[]).map((row) => [row.key, verified(table, row)])
    })
  }

  async write(changes: readonly Change[]): Promise<void> {
    if (this.#ended) throw this.#ended
    changes.forEach(checkChange) // before the first is applied: all of them or none
    if (changes.length === 0) return
    this.#guarded(() => this.#apply(changes))
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async close(): Promise<void> {
    if (this.#ended) return
    this.#commit()
    if (this.#ended) throw this.#ended
    this.#ended = new MarketError('store-failed', { detail: 'closed' })
    this.#database.close()
  }

  #apply(changes: readonly Change[]): void {
    if (this.#turn === undefined) {
      this.#database.exec('BEGIN IMMEDIATE')
      this.#turn = setImmediate(() => this.#commit())
    }
    for (const { table, key, value } of changes) {
      if (value === undefined) this.#remove.run(table, key)
      else this.#put.run(table, key, value, checksum(table, key, value))
    }
  }

  /** Ends the turn: one sync for all of its writes. */
  #commit(): void {
    if (this.#turn === undefined) return
    clearImmediate(this.#turn)
    this.#turn = undefined
    try {
      this.#guarded(() => this.#database.exec('COMMIT'))
    } catch {
      return // `#fail` has told every waiter
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) waiter.resolve()
  }

  /** Runs one step on the database; whatever it throws ends the store. */
  #guarded<T>(step: () => T): T {
    if (this.#ended) throw this.#ended
    try {
      return step()
    } catch (cause) {
      throw this.#fail(cause)
    }
  }

  #fail(cause: unknown): MarketError {
    const detail = cause instanceof Error ? cause.message : String(cause)
    const error = new MarketError('store-failed', { detail }, { cause })
    this.#ended = error
    clearImmediate(this.#turn)
    try {
      this.#database.close() // without a commit: what was not acknowledged is not kept
    } catch {
      // The first fault is the one to report.
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) waiter.reject(error)
    this.#onFailed?.(error)
    return error
  }
}

/** Finds any single flipped bit of an entry that the file system hands back as sound. */
function checksum(table: string, key: string, value: Uint8Array): number {
  return crc32(value, crc32(`${table}\0${key}\0`))
}

/** A damaged key would otherwise look like an entry that was never there. */
function verifyAll(database: DatabaseSync): void {
  const all = database.prepare('SELECT tbl, key, value, sum FROM entries').iterate()
  for (const row of all as Iterable<unknown>) verified((row as { tbl: string }).tbl, row as Row)
}

function verified(table: string, row: Row): Bytes {
  if (checksum(table, row.key, row.value) !== row.sum) {
    throw new Error(`damaged entry in table ${table}`)
  }
  return row.value
}
