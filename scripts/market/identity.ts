/**
 * Whose identity a provider has: the operator's, from the key file, or the machine's own.
 * @module
 */
import { type SigningKey, signingKey } from '../../contracts/base/signing.ts'
import { type Tier, tierAtLeast } from '../../contracts/base/tier.ts'
import type { Keystore } from '../../node/system/keystore.ts'
import { createRandom } from '../../node/system/random.ts'

/**
 * The identity of a provider at a tier. Of a confidential one it is made in the machine's memory at
 * each start and is nowhere else: one from the key file would be its owner's too, who could then
 * sign an epoch key of his own behind honest evidence.
 */
export function providerIdentity(tier: Tier, keystore: Pick<Keystore, 'key'>): SigningKey {
  if (!tierAtLeast(tier, 'cpu-tee')) return keystore.key('identity')
  const seed = createRandom().bytes(32)
  try {
    return signingKey(seed)
  } finally {
    seed.fill(0)
  }
}
