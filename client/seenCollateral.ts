/**
 * What this client has seen of the hardware vendors' collateral, over restarts: an older list that
 * a provider shows later is refused. Table `collateral`, one row.
 * @module
 */
import {
  decodeCollateralSeen,
  encodeCollateralSeen,
  newestCollateral,
  type SeenCollateral,
} from '../contracts/attest/seen.ts'
import { equal } from '../contracts/base/bytes.ts'
import type { Store } from '../contracts/base/ports.ts'

export interface SeenBook {
  get(): SeenCollateral
  /** Keeps the newer of what was known and this; writes only where something changed. */
  remember(seen: SeenCollateral): Promise<void>
}

const TABLE = 'collateral'
const KEY = 'seen'

/** The record in `store`. Throws `store-failed` where it cannot be read. */
export function openSeenBook(store: Store): SeenBook {
  const kept = store.get(TABLE, KEY)
  let known = kept ? decodeCollateralSeen(kept) : {}
  return {
    get: () => known,
    async remember(seen) {
      const newest = newestCollateral(known, seen)
      const value = encodeCollateralSeen(newest)
      if (equal(value, encodeCollateralSeen(known))) return
      known = newest
      await store.write([{ table: TABLE, key: KEY, value }])
    },
  }
}
