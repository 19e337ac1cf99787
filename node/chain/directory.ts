/**
 * The directory of a network: its registry where it has one, else what its network.json lists.
 * @module
 */
import { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain, Clock, Directory, Logger } from '../../contracts/base/ports.ts'
import { listedDirectory } from './listedDirectory.ts'

export interface DirectoryDeps {
  readonly network: NetworkConfig
  readonly chain: Chain
  readonly clock: Clock
  readonly logger: Logger
}

/** The address in a network.json. Throws `bad-config`. */
export function registryOf(text: string): Address {
  try {
    return Address.parse(text)
  } catch {
    throw new MarketError('bad-config', { field: 'registry', expected: 'an address' })
  }
}

/** Opens the directory and begins to follow it. Throws what `registryDirectory` does. */
export async function openDirectory(deps: DirectoryDeps): Promise<Directory> {
  const { registry } = deps.network
  if (registry === undefined) return listedDirectory(deps.network)
  const { registryDirectory } = await import('./registryDirectory.ts')
  return registryDirectory({ ...deps, registry: registryOf(registry) })
}
