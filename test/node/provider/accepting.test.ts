/**
 * A provider's yes or no to a lease, by what it is paid in.
 * @module
 */
import { Address } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { signingKey } from '../../../contracts/base/signing.ts'
import type { Asset } from '../../../contracts/base/terms.ts'
import { FIRST_PARAMETERS } from '../../../contracts/money/marketTerms.ts'
import { DEFAULT_PARAMETERS } from '../../../contracts/money/price.ts'
import { lease, recordBytes, signRecord } from '../../../contracts/wire/records.ts'
import { checkLease, type SlotTerms } from '../../../node/provider/accepting.ts'

const scheduler = signingKey(new Uint8Array(32).fill(1))
const provider = signingKey(new Uint8Array(32).fill(2))
const minter = new Address(0, Buffer.alloc(32, 7))
const modelHash = new Uint8Array(32).fill(9)
const slot = (asset: Asset, tick: number): SlotTerms => ({
  ...{ model: 'm', modelHash, tick, asset, tier: 'open' },
})

function offered(asset: Asset, tick: number, slots: readonly SlotTerms[]) {
  const { version, multipliers, steps, window } = DEFAULT_PARAMETERS
  const cell = lease.encode({
    ...{ network: -777, jobId: new Uint8Array(16), attempt: 1, scheduler: scheduler.publicKey },
    ...{ provider: provider.publicKey, clientJobKey: new Uint8Array(32), modelHash },
    ...{ minTier: 'open', asset, tick, fee: 300, multipliers, steps, window },
    ...{ parameterVersion: version, strategy: 'exact', expiryS: 1_002 },
  })
  return checkLease(
    { record: recordBytes(cell), signature: signRecord(cell, scheduler) },
    {
      ...{ network: -777, identity: provider.publicKey, slots, scheduler: scheduler.publicKey },
      ...{ nowS: 1_000, version: async () => FIRST_PARAMETERS },
    },
  )
}

describe('a lease', () => {
  it('is taken in each asset that the model is sold for, at that asset’s tick', async () => {
    const slots = [slot('ton', 30), slot(minter, 50)]
    expect((await offered('ton', 30, slots)).slot.asset).toBe('ton')
    expect((await offered(minter, 50, slots)).slot.asset).toBe(minter)
    await expect(offered(minter, 30, slots)).rejects.toMatchObject({ facts: { field: 'tick' } })
  })

  it('is refused in any other asset', async () => {
    const refused = { code: 'bad-lease', facts: { field: 'asset' } }
    const other = new Address(0, Buffer.alloc(32, 8))
    await expect(offered(other, 50, [slot('ton', 30), slot(minter, 50)])).rejects.toMatchObject(
      refused,
    )
    await expect(offered(minter, 50, [slot('ton', 30)])).rejects.toMatchObject(refused)
    await expect(offered('ton', 50, [slot(minter, 30)])).rejects.toMatchObject(refused)
  })
})
