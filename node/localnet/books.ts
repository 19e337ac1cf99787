/**
 * The books of a localnet: database, history, accounts and figures as one, with the time.
 *
 * `commit` writes a block with all that it changed, whole or not at all, and only then does memory
 * follow. Used by `ledger.ts` alone.
 * @module
 */
import { type ChainPricesName, DEFAULT_CHAIN_PRICES } from '../../contracts/base/chainPrices.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import type { Account } from './account.ts'
import { type Accounts, openAccounts } from './accounts.ts'
import type { Database } from './database.ts'
import { type Figures, figuresRow, NO_FIGURES } from './figures.ts'
import { type HistoryOptions, type HistoryWriter, type NewBlock, openHistory } from './history.ts'
import { openSnapshots } from './snapshots.ts'

/** The network id of a localnet unless told otherwise: neither mainnet (-239) nor testnet (-3). */
export const LOCALNET_ID = -18081

/** What a network is and stays: prices and seed of its first start. */
export interface Identity {
  readonly networkId: number
  readonly prices: ChainPricesName
  readonly seed: number
}

export interface BooksOptions {
  readonly database: Database
  readonly identity: Identity
  readonly clock: Clock
  /** Pace of a network that begins. */
  readonly blockMs: number
  /** The last block number that may be told; the books themselves do not know what is due. */
  readonly lastSeqno: () => number
}

/** A block and what it changed. */
export interface Entry {
  readonly figures: Partial<Figures>
  readonly block?: NewBlock
  readonly accounts?: ReadonlyMap<string, Account>
}

export interface Books {
  readonly history: HistoryWriter
  readonly accounts: Accounts
  readonly figures: Figures
  /**
   * The network's time, Unix milliseconds: the clock's and what was added. It never goes back by
   * itself: where the clock is set back, it goes on from the time it had told.
   */
  nowMs(): number
  commit(entry: Entry): void
  /** Stores the empty block `seqno`, which has been told, and lets none follow. */
  freeze(seqno: number): void
  takeSnapshot(name: string): void
  restore(name: string): void
  reset(): void
}

/** Blocks between two looks at what is beyond the bounds of history. */
const PRUNE_EVERY = 64

/** A clock that went back less than this is only waited for. */
const SLACK_MS = 1_000

export function openBooks(options: BooksOptions): Books {
  const { database, identity, clock, blockMs, lastSeqno } = options
  const salt = `${identity.networkId} ${identity.seed}`
  const { history, accounts, record } = openTables({ database, salt, lastSeqno })
  const snapshots = openSnapshots(database)
  const row = figuresRow(database.sql)
  let figures = row.load() ?? NO_FIGURES

  const reload = () => {
    figures = row.load() ?? NO_FIGURES
    history.reload()
    accounts.reload()
  }
  /** Runs `work` on disk, whole or not at all; it gives the figures from then on. */
  const write = (work: () => Figures) => {
    try {
      figures = database.atomically(() => {
        const next = work()
        row.save(next)
        return next
      })
    } catch (fault) {
      reload()
      throw fault
    }
  }
  const keep = (work: () => void) =>
    write(() => {
      work()
      return figures
    })
  const begin = () => beginHistory(history, clock.nowMs(), blockMs)
  if (!row.load()) write(begin)
  let toldMs = history.anchor.ms
  /** Goes to other blocks, as far as memory knows. */
  const goTo = (work: () => Figures) => {
    write(work)
    reload()
    toldMs = history.anchor.ms
  }

  return {
    ...{ history, accounts },
    get figures() {
      return figures
    },
    nowMs() {
      const wallMs = clock.nowMs() + figures.offsetMs
      const lostMs = toldMs - wallMs
      if (lostMs > SLACK_MS) figures = { ...figures, offsetMs: figures.offsetMs + lostMs }
      toldMs = Math.max(toldMs, wallMs)
      return toldMs
    },
    commit: (entry) =>
      write(() => {
        if (entry.block) record(entry.block, entry.accounts)
        return { ...figures, ...entry.figures }
      }),
    freeze: (seqno) => keep(() => history.freeze(seqno)),
    takeSnapshot: (name) =>
      keep(() => snapshots.take(name, figures, history.anchor, history.nextId)),
    restore: (name) =>
      goTo(() => ({ ...snapshots.restore(name, history.nextId), isPaused: figures.isPaused })),
    reset: () =>
      goTo(() => {
        snapshots.reset()
        return begin()
      }),
  }
}

/** The tables that grow, and how a block goes into them. */
function openTables(options: HistoryOptions) {
  const history = openHistory(options)
  const accounts = openAccounts(options.database)
  const prune = pruner(options.database)
  const record = (block: NewBlock, changed: Entry['accounts'] = new Map()) => {
    const { id } = history.append(block)
    for (const [address, account] of changed) accounts.put(address, account, id)
    if (id % PRUNE_EVERY === 0) prune()
  }
  return { history, accounts, record }
}

/** Stores block 1; gives the figures of a network that begins. */
function beginHistory(history: HistoryWriter, ms: number, stepMs: number): Figures {
  history.reload()
  history.append({ seqno: 1, ms, stepMs, lt: 0n, transactions: [] })
  return NO_FIGURES
}

/** True where a database holds no network yet. */
export function isBlank({ sql }: Database): boolean {
  return sql.prepare('SELECT 1 FROM identity').get() === undefined
}

/**
 * What network a database holds; a new one becomes what is asked for. Throws `bad-config` where it
 * is another than the one that is asked for.
 */
export function identify(database: Database, asked: Partial<Identity>): Identity {
  const row = database.sql.prepare('SELECT facts FROM identity').get()
  if (!row) return begin(database, asked)
  const stored: Identity = JSON.parse(String(row.facts))
  for (const field of ['networkId', 'prices', 'seed'] as const) {
    const wanted = asked[field]
    if (wanted !== undefined && wanted !== stored[field]) {
      const facts = { field, stored: stored[field], asked: wanted }
      throw new MarketError('bad-config', { ...facts, detail: 'a network keeps it until --reset' })
    }
  }
  return stored
}

function begin(database: Database, asked: Partial<Identity>): Identity {
  const { networkId = LOCALNET_ID, prices = DEFAULT_CHAIN_PRICES, seed = 0 } = asked
  const identity = { networkId, prices, seed }
  database.atomically(() => {
    database.sql.prepare('INSERT INTO identity VALUES (1, ?)').run(JSON.stringify(identity))
    openSnapshots(database).reset()
  })
  return identity
}

/** Deletes the oldest blocks beyond the bounds, with their transactions. */
function pruner({ sql, isFile }: Database): () => void {
  const most = isFile ? LIMITS.localnetStoredTransactions : LIMITS.localnetTransactions
  const newest = sql.prepare(
    'SELECT (SELECT max(id) FROM transactions) AS id, (SELECT max(id) FROM blocks) AS block',
  )
  const blockOf = sql.prepare(
    'SELECT block FROM transactions WHERE id <= ? ORDER BY id DESC LIMIT 1',
  )
  const oldest = sql.prepare('SELECT min(id) AS block FROM blocks')
  const dropTransactions = sql.prepare('DELETE FROM transactions WHERE block < ?')
  const dropBlocks = sql.prepare('DELETE FROM blocks WHERE id < ?')
  return () => {
    const { id, block } = newest.get() ?? {}
    const ofTransactions = Number(blockOf.get(Number(id ?? 0) - most)?.block ?? 0)
    const from = Math.max(ofTransactions, Number(block) - most)
    if (from <= Number(oldest.get()?.block ?? 0)) return
    dropTransactions.run(from)
    dropBlocks.run(from)
  }
}
