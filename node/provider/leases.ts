/**
 * Leases that this provider has accepted, durably, until they expire.
 *
 * A lease is accepted once: two accepts of one lease, or two receipts, are a contradiction that can
 * cost the stake (`contracts/money/README.md`). A scheduler may show a lease again after a restart,
 * so memory alone is not enough: it is on disk before the accept is sent.
 * @module
 */
import { toBigInt, u64 } from '../../contracts/base/bytes.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Change, Clock, Store } from '../../contracts/base/ports.ts'

const TABLE = 'lease'
/** Expired leases forgotten with each new one: more than come. */
const FORGOTTEN_AT_ONCE = 4

export interface LeaseBook {
  /** Whether this lease (hash, hex) was accepted before. */
  has(lease: string): boolean
  /** Keeps it; resolves when it is on disk. */
  keep(lease: string, expiryS: number): Promise<void>
}

/** The accepted leases in a store. */
export function createLeaseBook({
  store,
  clock,
}: {
  readonly store: Store
  readonly clock: Clock
}): LeaseBook {
  const kept = all(store)
  /** Those that can be checked no more are refused for their expiry. */
  const expired = (): string[] => {
    const nowS = Math.floor(clock.nowMs() / 1000)
    const found: string[] = []
    for (const [lease, expiryS] of kept) {
      if (found.length === FORGOTTEN_AT_ONCE || expiryS > nowS) break
      found.push(lease)
    }
    return found
  }
  return {
    has: (lease) => store.get(TABLE, lease) !== undefined,
    keep(lease, expiryS) {
      const forgotten = expired().map((key): Change => ({ table: TABLE, key, value: undefined }))
      for (const { key } of forgotten) kept.delete(key)
      kept.set(lease, expiryS)
      return store.write([...forgotten, { table: TABLE, key: lease, value: u64(expiryS) }])
    },
  }
}

/** What a former life has left, the first to expire first. */
function all(store: Store): Map<string, number> {
  const found: [string, number][] = []
  for (let after: string | undefined; ; ) {
    const page = store.list(TABLE, { after, limit: LIMITS.listedItems })
    for (const [lease, value] of page) found.push([lease, Number(toBigInt(value))])
    if (page.length < LIMITS.listedItems) break
    after = page.at(-1)![0]
  }
  return new Map(found.sort(([, a], [, b]) => a - b))
}
