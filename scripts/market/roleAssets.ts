/**
 * What a role takes and pays: names from its owner, as assets that the network or its registry
 * lists.
 * @module
 */
import { assetNamed } from '../../contracts/base/assets.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import type { PaidJetton } from '../../node/scheduler/providerChannels.ts'
import type { RolePorts } from './rolePorts.ts'

interface Names {
  readonly network: NetworkConfig
  /** Absent: TON. */
  readonly assets?: readonly string[]
}

/** The assets of these names. Throws `bad-asset`. */
export function roleAssets({ network, assets = ['ton'] }: Names, ports: RolePorts): Asset[] {
  const registered = ports.directory.current().assets
  return assets.map((name) => assetNamed(network, name, registered).asset)
}

/** The jettons among them, and what is deposited to a provider at a time: two units. */
export function paidJettons({ network, assets = [] }: Names, ports: RolePorts): PaidJetton[] {
  const registered = ports.directory.current().assets
  return assets
    .map((name) => assetNamed(network, name, registered))
    .filter(({ asset }) => asset !== 'ton')
    .map(({ asset, decimals }) => ({ asset, deposit: 2n * 10n ** BigInt(decimals) }))
}
