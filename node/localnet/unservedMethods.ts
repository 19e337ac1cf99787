/**
 * toncenter's methods that this network cannot serve truthfully, each with the reason.
 * @module
 */
import { notServed } from './failures.ts'
import type { MethodTable } from './methods.ts'

const REASONS = {
  getMasterchainBlockSignatures: 'no validator signs the blocks of this network',
  getShardBlockProof: 'the blocks of this network have no proofs',
  getBlock: 'the blocks of this network are not serialized',
  dnsResolve: 'this network has no DNS root',
}

export const UNSERVED = Object.keys(REASONS)

export function unservedMethods(): MethodTable {
  return Object.fromEntries(
    Object.entries(REASONS).map(([method, because]) => [
      method,
      () => {
        throw notServed(because)
      },
    ]),
  )
}
