/**
 * The chain of a network as every verb, role and client opens it: the endpoint of its network.json,
 * with the API key of the environment.
 * @module
 */
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain, Clock, Random } from '../../contracts/base/ports.ts'
import { secret } from '../../contracts/base/secret.ts'
import { connectChain } from './tonClient.ts'

export interface NetworkChainOptions {
  readonly network: Pick<NetworkConfig, 'id' | 'toncenter'>
  readonly clock: Clock
  /** Spreads the requests of processes that share an endpoint's limit. */
  readonly random?: Random
  /** `CHRYSALIS_TONCENTER_KEY` of it goes with every request. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Opens the chain of a network. Throws what `connectChain` does.
 *
 * @example
 * const chain = await openNetworkChain({ network, clock, env: process.env })
 */
export function openNetworkChain(options: NetworkChainOptions): Promise<Chain> {
  const { network, clock, random, env } = options
  const key = env.CHRYSALIS_TONCENTER_KEY
  const apiKey = key ? secret('API key', key) : undefined
  return connectChain({ endpoint: network.toncenter, networkId: network.id, apiKey, clock, random })
}
