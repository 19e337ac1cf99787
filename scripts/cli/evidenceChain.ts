/**
 * What the network's own endpoint says about a document of evidence: the block that it names, and
 * whether its identity is registered. `evidence show` adds it to a look at the bytes.
 * @module
 */
import { freshBlocks } from '../../client/freshBlocks.ts'
import { parseEvidence } from '../../contracts/attest/document.ts'
import type { MeasurementList } from '../../contracts/attest/hardwarePolicy.ts'
import { type Bytes, toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain, ChainBlock } from '../../contracts/base/ports.ts'
import { readParameters } from '../../contracts/wrappers/registryView.ts'
import { registryOf } from '../../node/chain/directory.ts'
import { openNetworkChain } from '../../node/chain/networkChain.ts'
import { createClock } from '../../node/system/clock.ts'
import { findAccused } from '../disputes/cases.ts'

export interface AskedOfChain {
  readonly block: ChainBlock
  readonly nowMs: number
  readonly isRegistered: boolean
  /** What the registry lists now; absent where the network has none. */
  readonly measurements?: MeasurementList
}

/**
 * Asks the endpoint of `network`. Throws `evidence-unchecked` where it cannot tell,
 * `evidence-block` where its chain is not that far.
 */
export async function askChain(evidence: Bytes, network: NetworkConfig): Promise<AskedOfChain> {
  const { claims } = parseEvidence(evidence)
  const clock = createClock()
  try {
    const chain = await openNetworkChain({ network, clock, env: process.env })
    const blocks = freshBlocks({ chain, clock })
    const block = await blocks.look(claims)
    const isRegistered = await isMember(claims.identity, network, chain)
    const measurements = await listedNow(network, chain)
    return { block, nowMs: blocks.nowMs(), isRegistered, measurements }
  } catch (thrown) {
    const cause = asMarketError(thrown)
    if (cause.code !== 'chain-unavailable') throw cause
    const action = 'Start the network, or look at the bytes alone with --offline.'
    throw new MarketError('evidence-unchecked', { because: cause.message }, { action, cause })
  }
}

/** The list of the registry's parameters in force. Throws `chain-unavailable` where it has none. */
async function listedNow(
  network: NetworkConfig,
  chain: Chain,
): Promise<MeasurementList | undefined> {
  if (network.registry === undefined) return undefined
  const parameters = await readParameters(chain, registryOf(network.registry))
  if (!parameters) throw new MarketError('chain-unavailable', { because: 'no parameters' })
  return parameters.measurements
}

/** Whether a provider's item names the identity; or network.json, where there is no registry. */
async function isMember(identity: Bytes, network: NetworkConfig, chain: Chain): Promise<boolean> {
  const signer = toHex(identity)
  if (network.registry === undefined) return network.providers?.includes(signer) ?? false
  const registry = registryOf(network.registry)
  try {
    await findAccused({ chain, registry }, { signer, role: 'provider' })
    return true
  } catch (thrown) {
    if (asMarketError(thrown).code === 'unknown-provider') return false
    throw thrown
  }
}
