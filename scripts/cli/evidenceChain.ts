/**
 * The block that a document of evidence names, as the network's own endpoint has it: what
 * `evidence show` adds to a look at the bytes.
 * @module
 */
import { freshBlocks } from '../../client/freshBlocks.ts'
import { parseEvidence } from '../../contracts/attest/document.ts'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { ChainBlock } from '../../contracts/base/ports.ts'
import { openNetworkChain } from '../../node/chain/networkChain.ts'
import { createClock } from '../../node/system/clock.ts'

/**
 * Asks the endpoint of `network`. Throws `evidence-unchecked` where it cannot tell,
 * `evidence-block` where its chain is not that far.
 */
export async function namedBlock(
  evidence: Bytes,
  network: NetworkConfig,
): Promise<{ readonly block: ChainBlock; readonly nowMs: number }> {
  const { claims } = parseEvidence(evidence)
  const clock = createClock()
  try {
    const chain = await openNetworkChain({ network, clock, env: process.env })
    const blocks = freshBlocks({ chain, clock })
    const block = await blocks.look(claims)
    return { block, nowMs: blocks.nowMs() }
  } catch (thrown) {
    const cause = asMarketError(thrown)
    if (cause.code !== 'chain-unavailable') throw cause
    const action = 'Start the network, or look at the bytes alone with --offline.'
    throw new MarketError('evidence-unchecked', { because: cause.message }, { action, cause })
  }
}
