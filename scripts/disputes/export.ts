/**
 * The contradictions that a role caught and kept in its store, as files. The store is the role's
 * alone while it runs.
 * @module
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import { verifyContradiction } from '../../contracts/money/contradiction.ts'
import {
  type ContradictionFile,
  contradictionText,
} from '../../contracts/money/contradictionFile.ts'
import { contradictionsBetween } from '../../contracts/money/contradictionSources.ts'
import { parseReceiptFile, type ReceiptFile } from '../../contracts/money/receiptFile.ts'
import { keptContradictions } from '../../node/settlement/contradictions.ts'
import { openSqliteStore } from '../../node/store/sqliteStore.ts'
import { roleFolder } from '../../node/system/home.ts'

export interface Exported {
  readonly file: string
  readonly kind: string
  readonly signer: string
}

/**
 * Writes each to `contradiction-<first digits of its hash>.json`. Throws `store-locked`,
 * `bad-input` where there is no store.
 */
export async function exportContradictions(
  role: { readonly home: string; readonly network: NetworkConfig; readonly role: string },
  folder: string,
): Promise<readonly Exported[]> {
  const { home, network } = role
  const path = join(roleFolder(home, network.name, role.role), 'store.db')
  // Opening it would make one: a mistyped role must not look like one that caught nothing.
  if (!existsSync(path)) throw new MarketError('bad-input', { role: role.role, missing: path })
  const store = openSqliteStore(path)
  try {
    const files = keptContradictions(store).map(({ file }) => file)
    return await writeAll(files, network.id, folder)
  } finally {
    await store.close()
  }
}

/** What two receipt files prove. Throws `bad-receipt` where one is none. */
export async function compareReceipts(
  one: string,
  other: string,
  networkId: number,
  folder: string,
): Promise<readonly Exported[]> {
  const files = contradictionsBetween(await receiptAt(one), await receiptAt(other), networkId)
  return writeAll(files, networkId, folder)
}

async function writeAll(
  files: readonly ContradictionFile[],
  networkId: number,
  folder: string,
): Promise<readonly Exported[]> {
  if (files.length > 0) await mkdir(folder, { recursive: true })
  const written: Exported[] = []
  for (const file of files) {
    const { kind, signer, hash } = verifyContradiction(file, networkId)
    const path = join(folder, `contradiction-${toHex(hash).slice(0, 12)}.json`)
    await writeFile(path, contradictionText(file), { mode: 0o600 })
    written.push({ file: path, kind, signer })
  }
  return written
}

async function receiptAt(path: string): Promise<ReceiptFile> {
  try {
    return parseReceiptFile(JSON.parse(await readFile(path, 'utf8')))
  } catch (cause) {
    if (cause instanceof MarketError) throw cause
    throw new MarketError('bad-receipt', { file: path }, { cause })
  }
}
