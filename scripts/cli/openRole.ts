/**
 * What a verb needs that sends to a network's registry or to an item: the network, its chain, and
 * the keys and the wallet of a role of this machine. A verb imports this when it runs.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { registryOf } from '../../node/chain/directory.ts'
import { openNetworkChain } from '../../node/chain/networkChain.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { createClock } from '../../node/system/clock.ts'
import { homeFolder, readNetwork } from '../../node/system/home.ts'
import { openRoleKeys } from '../market/rolePorts.ts'
import type { CommonOptions } from './output.ts'

/** Opens all of it. Throws `no-registry`, `unknown-network`, `key-file`, `chain-unavailable`. */
export async function openRole(options: CommonOptions, role: string) {
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  if (network.registry === undefined) {
    throw new MarketError('no-registry', { network: network.name })
  }
  const registry = registryOf(network.registry)
  const clock = createClock()
  const chain = await openNetworkChain({ network, clock, env: process.env })
  const keystore = await openRoleKeys({ home, network, role })
  const wallet = createWallet({ chain, key: keystore.key('wallet'), clock })
  return { network, registry, clock, chain, keystore, wallet }
}
