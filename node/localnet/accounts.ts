/**
 * The accounts of a localnet as they are now, and as the snapshots still need them.
 *
 * Each block stores a new version of every account it changed; the version before goes, unless it
 * stands in an ended range of the lineage, where a snapshot ends. Recently used ones are kept in
 * memory.
 * @module
 */
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { type Account, balanceIn, openAccount } from './account.ts'
import { isReachable, toBuffer } from './blocks.ts'
import type { Database } from './database.ts'

export interface Accounts {
  /** By raw address. */
  get(address: string): Account | undefined
  /** Stores what a block made of an account, in the running transaction of the database. */
  put(address: string, account: Account, block: number): void
  /** Sum of all balances, read from the accounts themselves. */
  balances(): NanoTon
  count(): number
  /** Forgets what is in memory: the database was rolled back, restored or reset. */
  reload(): void
}

export function openAccounts({ sql }: Database): Accounts {
  const newest = sql.prepare(
    `SELECT boc FROM accounts WHERE address = ? AND ${isReachable('block')}
     ORDER BY block DESC LIMIT 1`,
  )
  const insert = sql.prepare('INSERT INTO accounts VALUES (?, ?, ?, ?)')
  const drop = sql.prepare(
    `DELETE FROM accounts WHERE address = ? AND block < ?
     AND block >= (SELECT max(first) FROM lineage)`,
  )
  const each = sql.prepare(
    `SELECT max(block), balance FROM accounts WHERE ${isReachable('block')} GROUP BY address`,
  )
  const count = sql.prepare(
    `SELECT count(DISTINCT address) AS count FROM accounts WHERE ${isReachable('block')}`,
  )
  /** Least recently used first. */
  const cache = new Map<string, Account>()
  const keep = (address: string, account: Account) => {
    cache.delete(address)
    cache.set(address, account)
    if (cache.size > LIMITS.localnetCachedAccounts) cache.delete(cache.keys().next().value!)
    return account
  }
  return {
    get(address) {
      const known = cache.get(address)
      if (known) return keep(address, known)
      const row = newest.get(address)
      return row && keep(address, openAccount(toBuffer(row.boc).toString('base64')))
    },
    put(address, account, block) {
      const boc = Buffer.from(account.boc, 'base64')
      drop.run(address, block)
      insert.run(address, block, balanceIn(boc).toString(), boc)
      keep(address, account)
    },
    balances() {
      let sum = 0n
      for (const { balance } of each.iterate()) sum += BigInt(String(balance))
      return sum
    },
    count: () => Number(count.get()?.count ?? 0),
    reload: () => cache.clear(),
  }
}
