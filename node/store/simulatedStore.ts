/**
 * The simulated twin of the store on disk: a disk in memory that can be slow, fail and lose power.
 *
 * A disk outlives the stores opened on it, as a real one outlives processes. `crash` keeps exactly
 * what was committed (a group on its way is lost or kept, as the caller says: power may fail on
 * either side of the sync), ends every open store, and releases their locks.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Change, Clock, Store } from '../../contracts/base/ports.ts'
import { checkChange, compareKeys, detached, pageSize } from './entry.ts'

type Tables = Map<string, Map<string, Bytes | undefined>>

/** A disk for simulated stores. */
export interface SimulatedDisk {
  /** Power fails: open stores end, what was not committed is gone. */
  crash(options?: { inFlight: 'lost' | 'kept' }): void
  /** The next commit fails, as a full or broken disk makes it fail. */
  failNextCommit(): void
  /** Groups committed so far, over all files. */
  readonly commits: number
}

interface Group {
  readonly changes: Change[]
  readonly waiters: { resolve(): void; reject(error: MarketError): void }[]
}

interface File {
  readonly committed: Tables
  owner: SimulatedStore | undefined
}

class MemoryDisk implements SimulatedDisk {
  readonly clock: Clock
  readonly commitLatencyMs: number
  readonly files = new Map<string, File>()
  failing = false
  commits = 0

  constructor(clock: Clock, commitLatencyMs: number) {
    this.clock = clock
    this.commitLatencyMs = commitLatencyMs
  }

  crash(options: { inFlight: 'lost' | 'kept' } = { inFlight: 'lost' }): void {
    for (const file of this.files.values()) file.owner?.powerOff(options.inFlight === 'kept')
  }

  failNextCommit(): void {
    this.failing = true
  }
}

/** A disk whose commits take `commitLatencyMs` (default 1) on the given clock. */
export function createSimulatedDisk(options: {
  clock: Clock
  commitLatencyMs?: number
}): SimulatedDisk {
  return new MemoryDisk(options.clock, options.commitLatencyMs ?? 1)
}

/**
 * Opens the store kept on `disk` under `name`. Throws `store-locked` where it is open already.
 *
 * @example
 * const disk = createSimulatedDisk({ clock })
 * const store = createSimulatedStore(disk, { name: 'provider' })
 * disk.crash()
 * const again = createSimulatedStore(disk, { name: 'provider' }) // has what was acknowledged
 */
export function createSimulatedStore(
  disk: SimulatedDisk,
  options: { name?: string; onFailed?: (error: MarketError) => void } = {},
): Store {
  const name = options.name ?? 'store'
  if (!(disk instanceof MemoryDisk)) throw new MarketError('internal', { detail: 'foreign disk' })
  const file = disk.files.get(name) ?? { committed: new Map(), owner: undefined }
  disk.files.set(name, file)
  if (file.owner) throw new MarketError('store-locked', { path: name })
  file.owner = new SimulatedStore(disk, file, options.onFailed)
  return file.owner
}

class SimulatedStore implements Store {
  readonly #disk: MemoryDisk
  readonly #file: File
  readonly #onFailed: ((error: MarketError) => void) | undefined
  /** Changes given to `write` and not yet committed, newest value a key. */
  #pending: Tables = new Map()
  #open: Group | undefined
  readonly #inFlight: Group[] = []
  readonly #cancels = new Set<() => void>()
  #ended: MarketError | undefined

  constructor(disk: MemoryDisk, file: File, onFailed?: (error: MarketError) => void) {
    this.#disk = disk
    this.#file = file
    this.#onFailed = onFailed
  }

  get(table: string, key: string): Bytes | undefined {
    if (this.#ended) throw this.#ended
    const pending = this.#pending.get(table)
    const source = pending?.has(key) ? pending : this.#file.committed.get(table)
    return detached(source?.get(key))
  }

  list(table: string, options: { after?: string; limit?: number } = {}): [string, Bytes][] {
    if (this.#ended) throw this.#ended
    const merged = new Map(this.#file.committed.get(table))
    for (const [key, value] of this.#pending.get(table) ?? []) merged.set(key, value)
    const { after } = options
    return [...merged]
      .filter((entry): entry is [string, Bytes] => entry[1] !== undefined)
      .filter(([key]) => after === undefined || compareKeys(key, after) > 0)
      .sort(([a], [b]) => compareKeys(a, b))
      .slice(0, pageSize(options.limit))
      .map(([key, value]) => [key, Uint8Array.from(value)])
  }

  async write(changes: readonly Change[]): Promise<void> {
    if (this.#ended) throw this.#ended
    changes.forEach(checkChange)
    if (changes.length === 0) return
    this.#open ??= this.#startGroup()
    const group = this.#open
    for (const { table, key, value } of changes) {
      const change = { table, key, value: detached(value) }
      group.changes.push(change)
      put(this.#pending, change)
    }
    await new Promise<void>((resolve, reject) => group.waiters.push({ resolve, reject }))
  }

  async close(): Promise<void> {
    if (this.#ended) return
    this.#commitAll()
    if (this.#ended) throw this.#ended
    this.#end(new MarketError('store-failed', { detail: 'closed' }))
  }

  /** The process and its memory are gone. */
  powerOff(keepInFlight: boolean): void {
    if (keepInFlight) for (const group of this.#inFlight) this.#keep(group)
    this.#end(new MarketError('store-failed', { detail: 'simulated power loss' }))
  }

  #startGroup(): Group {
    const group: Group = { changes: [], waiters: [] }
    this.#later(0, () => {
      this.#open = undefined
      this.#inFlight.push(group)
      this.#later(this.#disk.commitLatencyMs, () => this.#commit(group))
    })
    return group
  }

  #later(delayMs: number, task: () => void): void {
    const cancel = this.#disk.clock.after(delayMs, () => {
      this.#cancels.delete(cancel)
      task()
    })
    this.#cancels.add(cancel)
  }

  #commitAll(): void {
    if (this.#open) this.#inFlight.push(this.#open)
    this.#open = undefined
    for (const group of [...this.#inFlight]) if (!this.#ended) this.#commit(group)
  }

  #commit(group: Group): void {
    if (this.#disk.failing) {
      this.#disk.failing = false
      const error = new MarketError('store-failed', { detail: 'simulated disk fault' })
      this.#end(error)
      this.#onFailed?.(error)
      return
    }
    this.#keep(group)
    this.#inFlight.splice(this.#inFlight.indexOf(group), 1)
    this.#pending = new Map()
    for (const left of [...this.#inFlight, ...(this.#open ? [this.#open] : [])]) {
      for (const change of left.changes) put(this.#pending, change)
    }
    for (const waiter of group.waiters) waiter.resolve()
  }

  #keep(group: Group): void {
    for (const { table, key, value } of group.changes) {
      if (value === undefined) this.#file.committed.get(table)?.delete(key)
      else put(this.#file.committed, { table, key, value })
    }
    this.#disk.commits += 1
  }

  #end(error: MarketError): void {
    if (this.#ended) return
    this.#ended = error
    this.#file.owner = undefined
    for (const cancel of this.#cancels) cancel()
    const groups = this.#open ? [...this.#inFlight, this.#open] : this.#inFlight
    for (const group of groups) for (const waiter of group.waiters) waiter.reject(error)
  }
}

function put(tables: Tables, { table, key, value }: Change): void {
  const entries = tables.get(table) ?? new Map<string, Bytes | undefined>()
  tables.set(table, entries.set(key, value))
}
