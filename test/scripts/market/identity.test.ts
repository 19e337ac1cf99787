/**
 * The identity of a confidential provider is made in memory at each start, and is no key of its
 * owner's; below that it is the one of the key file, each time.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../contracts/base/bytes.ts'
import { secret } from '../../../contracts/base/secret.ts'
import { verifySignature } from '../../../contracts/base/signing.ts'
import { keystoreOf } from '../../../node/system/keystore.ts'
import { providerIdentity } from '../../../scripts/market/identity.ts'

const root = new Uint8Array(32).fill(7)

/** The owner's keys, and for what they were asked. */
function owned() {
  const keystore = keystoreOf(secret('root key', root))
  const asked: string[] = []
  const key: typeof keystore.key = (purpose, label) => {
    asked.push(purpose)
    return keystore.key(purpose, label)
  }
  return { key, asked, own: toHex(keystore.key('identity').publicKey) }
}

describe.each(['cpu-tee', 'gpu-tee'] as const)('an identity at %s', (tier) => {
  it('is another at each start, signs, and asks the key file for nothing', () => {
    const { key, asked, own } = owned()
    const made = [1, 2, 3].map(() => providerIdentity(tier, { key }))
    const names = new Set(made.map(({ publicKey }) => toHex(publicKey)))
    expect(names.size).toBe(3)
    expect(names.has(own)).toBe(false)
    expect(asked).toEqual([])
    const [first, second] = made
    const message = new Uint8Array(32).fill(1)
    const signature = first!.sign(message)
    expect(verifySignature(message, signature, first!.publicKey)).toBe(true)
    expect(verifySignature(message, signature, second!.publicKey)).toBe(false)
  })
})

describe.each(['open', 'simulated'] as const)('an identity at %s', (tier) => {
  it('is the one of the key file, each time', () => {
    const { key, own } = owned()
    for (let start = 0; start < 2; start++) {
      expect(toHex(providerIdentity(tier, { key }).publicKey)).toBe(own)
    }
  })
})
