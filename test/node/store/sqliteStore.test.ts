/**
 * The store on disk: the compliance suite, then files, damage, and killed processes.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { openSqliteStore } from '../../../node/store/sqliteStore.ts'
import { createSeededRandom } from '../../../node/system/seededRandom.ts'
import { storeCompliance } from '../../support/storeCompliance.ts'

const CHILD = join(import.meta.dirname, '../../support/storeChild.ts')
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chrysalis-store-'))
  path = join(folder, 'home', 'node', 'store.db')
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

const mode = (name: string) => statSync(name).mode & 0o777
const value = (text: string) => [{ table: 't', key: 'k', value: utf8(text) }]

describe('sqlite store', () => {
  storeCompliance(() => ({
    open: () => openSqliteStore(path),
    breakDisk() {
      const exec = DatabaseSync.prototype.exec
      const broken = vi.spyOn(DatabaseSync.prototype, 'exec')
      broken.mockImplementation(function (this: DatabaseSync, sql: string) {
        if (sql !== 'COMMIT') return exec.call(this, sql)
        broken.mockRestore()
        throw new Error('disk I/O error')
      })
    },
    dispose: () => undefined,
  }))

  it('keeps its files to their owner', async () => {
    const store = openSqliteStore(path)
    await store.write(value('1'))
    expect(mode(dirname(path))).toBe(0o700)
    const files = readdirSync(dirname(path)).map((name) => [name, mode(join(dirname(path), name))])
    expect(files).toEqual([
      ['store.db', 0o600],
      ['store.db-wal', 0o600],
    ])
    await store.close()
    chmodSync(path, 0o644)
    await openSqliteStore(path).close()
    expect(mode(path)).toBe(0o600)
  })

  it('syncs on every commit, and commits once for all writes of a turn', async () => {
    const exec = vi.spyOn(DatabaseSync.prototype, 'exec')
    const store = openSqliteStore(path)
    expect(exec.mock.calls.flat()).toContain('PRAGMA synchronous = FULL')
    expect(exec.mock.calls.flat()).toContain('PRAGMA journal_mode = WAL')
    exec.mockClear()
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.write(value(`${i}`))))
    expect(exec.mock.calls.flat()).toEqual(['BEGIN IMMEDIATE', 'COMMIT'])
    await store.close()
  })

  it('tells its owner of a fault once', async () => {
    const seen: string[] = []
    const store = openSqliteStore(path, { onFailed: (error) => seen.push(error.code) })
    vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(() => {
      throw new Error('database or disk is full')
    })
    await expect(store.write(value('1'))).rejects.toMatchObject({ code: 'store-failed' })
    await expect(store.write(value('1'))).rejects.toMatchObject({ code: 'store-failed' })
    expect(seen).toEqual(['store-failed'])
  })

  it('refuses a file of another kind or format', () => {
    openSqliteStore(path).close()
    const foreign = join(folder, 'foreign.db')
    const other = new DatabaseSync(foreign)
    other.exec('CREATE TABLE mine (x)')
    other.close()
    expect(() => openSqliteStore(foreign)).toThrow(/not a store of format/)
    const text = join(folder, 'text.db')
    writeFileSync(text, 'this is no database at all, only some text'.repeat(100))
    expect(() => openSqliteStore(text)).toThrow(MarketError)
  })

  it('finds a flipped bit or is not harmed by it', { timeout: 60_000 }, async () => {
    const store = openSqliteStore(path)
    const entries = Array.from({ length: 40 }, (_, i) => `value ${i} `.repeat(20))
    await store.write(entries.map((text, i) => ({ table: 't', key: `k${i}`, value: utf8(text) })))
    await store.close()
    const sound = readFileSync(path)
    const random = createSeededRandom('bit rot')
    let found = 0
    for (let round = 0; round < 200; round++) {
      const copy = Buffer.from(sound)
      const at = random.int(copy.length)
      copy[at] = copy[at]! ^ (1 << random.int(8))
      writeFileSync(path, copy)
      try {
        const damaged = openSqliteStore(path)
        for (const [i, text] of entries.entries()) {
          expect(damaged.get('t', `k${i}`)).toEqual(utf8(text))
        }
        await damaged.close()
      } catch (error) {
        expect(error).toMatchObject({ code: 'store-failed' })
        found += 1
      }
    }
    expect(found).toBeGreaterThan(20)
  })
})

describe('sqlite store under another process', () => {
  const children: ChildProcess[] = []
  const start = (): ChildProcess => {
    const child = fork(CHILD, [path], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    children.push(child)
    return child
  }
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  it('has every acknowledged write after SIGKILL, and whole groups only', async () => {
    for (let round = 0; round < 5; round++) {
      const child = start()
      let acknowledged = -1
      child.on('message', (message: { acknowledged: number }) => {
        acknowledged = message.acknowledged
        if (acknowledged >= 40 + 13 * round) child.kill('SIGKILL')
      })
      await once(child, 'exit')
      expect(acknowledged).toBeGreaterThanOrEqual(40)
      const store = openSqliteStore(path)
      const count = (key: string) => Number(new TextDecoder().decode(store.get('count', key)))
      expect(count('left')).toBeGreaterThanOrEqual(acknowledged)
      expect(count('right')).toBe(count('left'))
      for (let i = 0; i <= acknowledged; i++) expect(store.get('log', `${i}`)).toBeDefined()
      await store.close()
      rmSync(dirname(path), { recursive: true })
    }
  })

  it('is locked while the other lives, and free when it is killed', async () => {
    const child = start()
    await once(child, 'message')
    const before = performance.now()
    expect(() => openSqliteStore(path)).toThrow(
      expect.objectContaining({ code: 'store-locked' }) as Error,
    )
    expect(performance.now() - before).toBeLessThan(1_000)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await openSqliteStore(path).close()
  })
})
