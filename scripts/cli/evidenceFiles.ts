/**
 * Files of the evidence verbs: evidence and collateral with bounds, and the evidence that stands in
 * the receipts this client keeps.
 * @module
 */
import { existsSync } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournal } from '../../client/journal.ts'
import { addToPool, emptyPool, type Pool } from '../../contracts/attest/pool.ts'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { verifyReceipt } from '../../contracts/money/receipt.ts'
import { openSqliteStore } from '../../node/store/sqliteStore.ts'
import { homeFolder, readNetwork, roleFolder } from '../../node/system/home.ts'
import type { CommonOptions } from './output.ts'

/** A file within the bound of what anybody hands over. Throws `bad-input`, `too-large`. */
export async function readBounded(path: string): Promise<Bytes> {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      if (size > LIMITS.receiptFileBytes) throw new MarketError('too-large', { file: path })
      return new Uint8Array(await file.readFile())
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof MarketError) throw cause
    throw new MarketError('bad-input', { file: path, reason: 'not readable' }, { cause })
  }
}

/**
 * Collateral from files and folders. What a named file holds must be known, or it is `bad-input`;
 * in a folder, other things may lie about.
 */
export async function poolOf(paths: readonly string[]): Promise<Pool> {
  const pool = emptyPool()
  for (const path of paths) {
    const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false
    const files = isFolder ? await filesIn(path) : [path]
    for (const file of files) {
      if (addToPool(pool, await readBounded(file)) || isFolder) continue
      const expected = 'collateral: see `chrysalis evidence verify --help`'
      throw new MarketError('bad-input', { file, expected })
    }
  }
  return pool
}

/** The newest kept receipt of a provider (identity in hex, or its beginning). */
export async function evidenceOfProvider(provider: string, options: CommonOptions) {
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  const kept = await receiptsIn(join(roleFolder(home, network.name, 'client'), 'store.db'))
  const found = kept.flatMap(({ hash, file }) => {
    const { fields, ok } = verifyReceipt(file, { network: network.id })
    const isTheirs = ok && fields.provider?.startsWith(provider)
    const { evidence } = file
    return isTheirs
      ? [{ provider: fields.provider!, receipt: hash, endS: Number(fields.endS), evidence }]
      : []
  })
  const newest = found.toSorted((a, b) => b.endS - a.endS)[0]
  const providers = new Set(found.map((each) => each.provider)).size
  if (!newest || providers > 1) {
    throw new MarketError('not-found', { provider: provider.slice(0, 64), matches: providers })
  }
  return newest
}

async function receiptsIn(path: string) {
  if (!existsSync(path)) return []
  const store = openSqliteStore(path)
  try {
    const journal = openJournal(store)
    const kept = [...journal.receipts()]
    for (let page = kept; page.length > 0; ) {
      page = [...journal.receipts({ after: kept.at(-1)!.hash })]
      kept.push(...page)
    }
    return kept
  } finally {
    await store.close()
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(folder, entry.name))
  if (files.length > LIMITS.listItems) {
    throw new MarketError('too-large', { folder, most: LIMITS.listItems })
  }
  return files.sort()
}
