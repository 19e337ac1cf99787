/**
 * Which providers the scheduler can pay now, and in what.
 * @module
 */
import { assetKey } from '../../contracts/base/assets.ts'
import type { Asset } from '../../contracts/base/terms.ts'

interface Payee {
  readonly provider: string
  /** Absent: TON. */
  readonly asset?: Asset
}

/** Nobody at first. */
export function payableProviders() {
  const assets = new Map<string, Set<string>>()
  const has = ({ provider, asset }: Payee): boolean =>
    assets.get(provider)?.has(assetKey(asset)) ?? false
  return {
    has,
    /** True where that is news. */
    set(payee: Payee, payable: boolean): boolean {
      if (has(payee) === payable) return false
      const of = assets.get(payee.provider) ?? new Set()
      if (payable) of.add(assetKey(payee.asset))
      else of.delete(assetKey(payee.asset))
      assets.set(payee.provider, of)
      return true
    },
    forget: (provider: string) => void assets.delete(provider),
  }
}
