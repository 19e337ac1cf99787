/**
 * What a payer's books say of a channel whose account is not open: read from disk, never changed.
 * @module
 */
import type { Store } from '../../contracts/base/ports.ts'
import { decodePayer } from '../../contracts/money/accountCodec.ts'
import type { PayerState } from '../../contracts/money/payer.ts'

/** Where `payerAccount.ts` keeps its books, by the channel's raw address. */
export const PAYER_TABLE = 'payer'

/** The last books of a channel (raw address); `undefined` where nothing was ever signed on it. */
export function savedPayer(store: Store, channel: string): PayerState | undefined {
  const bytes = store.get(PAYER_TABLE, channel)
  return bytes && decodePayer(bytes)
}
