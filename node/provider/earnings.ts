/**
 * What a provider has earned, by asset: never one sum over several.
 * @module
 */
import { assetKey } from '../../contracts/base/assets.ts'
import type { PayeeBook } from '../settlement/payeeBook.ts'

/** Earned and claimed in base units of one asset. */
export interface Earned {
  readonly earned: bigint
  readonly claimed: bigint
}

/** In TON, and in each jetton by its minter's raw address. */
export interface Earnings extends Earned {
  readonly jettons: readonly ({ readonly asset: string } & Earned)[]
}

/** Sums over every channel ever taken. */
export function earnings(book: Pick<PayeeBook, 'all'>): Earnings {
  const byAsset = Map.groupBy(book.all(), ({ config }) => assetKey(config.minter))
  const sums = [...byAsset].map(([asset, accounts]) => ({
    asset,
    earned: accounts.reduce((sum, account) => sum + account.state().spent, 0n),
    claimed: accounts.reduce((sum, account) => sum + account.state().claimed, 0n),
  }))
  const { earned = 0n, claimed = 0n } = sums.find(({ asset }) => asset === 'ton') ?? {}
  return { earned, claimed, jettons: sums.filter(({ asset }) => asset !== 'ton') }
}
