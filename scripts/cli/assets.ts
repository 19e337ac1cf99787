/**
 * Assets of a network as verbs name them. Loads the SDK, so a verb imports this when it runs and
 * not before.
 * @module
 */
import { assetKey, assetsOf } from '../../contracts/base/assets.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import { amountIn } from './money.ts'

/** Formats amounts of a channel's asset, by its key, as the network names it. */
export function moneyOf(network: Pick<NetworkConfig, 'assets'>, key: string) {
  const named = assetsOf(network).find(({ asset }) => assetKey(asset) === key)
  return named ? amountIn(named) : (amount: bigint): string => `${amount} base units of ${key}`
}
