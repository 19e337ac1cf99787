/**
 * The directory of a network without a registry: what its network.json lists, and the parameters
 * that this version of the software begins with. Nothing changes while a node runs.
 * @module
 */
import { type Bytes, toHex } from '../../contracts/base/bytes.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Directory } from '../../contracts/base/ports.ts'
import { FIRST_PARAMETERS } from '../../contracts/money/marketTerms.ts'

/**
 * @example
 * await listedDirectory(network).schedulers() // network.schedulers
 */
export function listedDirectory(network: NetworkConfig): Directory {
  const listed = new Set(network.providers ?? [])
  const measurements = network.measurements ?? FIRST_PARAMETERS.measurements
  const parameters = { ...FIRST_PARAMETERS, measurements }
  return {
    current: () => parameters,
    version: async (version) => (version === parameters.version ? parameters : undefined),
    onChange: () => () => {},
    schedulers: async () => network.schedulers,
    isProvider: async (identity: Bytes) => listed.has(toHex(identity)),
    stop: () => {},
  }
}
