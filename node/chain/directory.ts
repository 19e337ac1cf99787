/**
 * The directory of a network: its registry where it has one, else what its network.json lists.
 * @module
 */
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain, Clock, Directory, Logger } from '../../contracts/base/ports.ts'
import { listedDirectory } from './listedDirectory.ts'

export interface DirectoryDeps {
  readonly network: NetworkConfig
  readonly chain: Chain
  readonly clock: Clock
  readonly logger: Logger
}

/** Opens the directory and begins to follow it. Throws `chain-unavailable`. */
export async function openDirectory(deps: DirectoryDeps): Promise<Directory> {
  return listedDirectory(deps.network)
}
