/**
 * A market for each asset: offers and jobs in different assets never meet, prices come from the
 * asset's own table, and a provider is paid only in assets that the scheduler lists.
 * @module
 */
import { Address } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { sameAsset } from '../../../contracts/base/assets.ts'
import { startPayee } from '../../../contracts/money/payee.ts'
import { DEFAULT_PARAMETERS } from '../../../contracts/money/price.ts'
import type { JobSpec } from '../../../contracts/wire/submit.ts'
import { createSlots, type Slot } from '../../../node/provider/slots.ts'
import { admit } from '../../../node/scheduler/admission.ts'
import { firstNeed } from '../../../node/scheduler/legRecords.ts'
import { modelsOnOffer, type OfferView, parseOffer } from '../../../node/scheduler/offers.ts'
import { createPool } from '../../../node/scheduler/pool.ts'
import type { Outcome } from '../../../node/scheduler/poolTypes.ts'
import {
  createProviderChannels,
  type ProviderDeps,
} from '../../../node/scheduler/providerChannels.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'

const minter = new Address(0, Buffer.alloc(32, 7))
const offer = (provider: string, change: Partial<OfferView> = {}): OfferView => ({
  ...{ provider, slot: 's', model: 'm', modelHash: new Uint8Array(32), tick: 40, capacity: 8 },
  ...{ serviceMs: 0, tier: 'open', region: '', gpu: '', memoryGiB: 8, contextTokens: 4_096 },
  demo: false,
  ...change,
})
const spec = (change: Partial<JobSpec> = {}): JobSpec => ({
  ...{ jobId: '00'.repeat(16), channel: new Address(0, Buffer.alloc(32, 1)), model: 'm' },
  ...{ clientJobKey: new Uint8Array(32), maxTick: 50, promptTokens: 64, maxTokens: 32 },
  ...{ minTier: 'open', regions: [], gpus: [], minMemoryGiB: 0, exclude: [], tags: [] },
  ...{ speedWeight: 0, priority: 0, deadlineMs: 5_000 },
  ...change,
})

describe('the pool', () => {
  const start = () => {
    const clock = createSimulatedClock({ startMs: 0 })
    const pool = createPool(clock, { strategy: 'exact', salt: 0, seed: 0, queueLimit: 1 })
    const ask = (id: string, change: Partial<JobSpec> = {}): Outcome[] => {
      const outcomes: Outcome[] = []
      pool.ask(id, spec(change), [], (outcome) => void outcomes.push(outcome))
      return outcomes
    }
    return { pool, ask }
  }

  it('matches a job only with what is sold for its asset', () => {
    const { pool, ask } = start()
    pool.offer(offer('for-ton', { tick: 10 }))
    pool.setPayable('for-ton', true)
    pool.offer(offer('for-jettons', { asset: minter }))
    pool.setPayable('for-jettons', true, minter)
    expect(ask('a', { asset: minter })).toMatchObject([{ offer: { provider: 'for-jettons' } }])
    expect(ask('b')).toMatchObject([{ offer: { provider: 'for-ton' } }])
    expect(pool.lowestTick('m')).toBe(10)
    expect(pool.lowestTick('m', minter)).toBe(40)
    const other = new Address(0, Buffer.alloc(32, 8))
    expect(ask('c', { asset: other })).toMatchObject([{ decision: { refused: 'no-model' } }])
  })

  it('gives no place to a provider that can be paid in another asset only', () => {
    const { pool, ask } = start()
    pool.offer(offer('p', { slot: 'ton' }))
    pool.offer(offer('p', { slot: 'jetton', asset: minter }))
    pool.setPayable('p', true)
    expect(ask('a', { asset: minter })).not.toMatchObject([{ type: 'matched' }])
    expect(ask('b')).toMatchObject([{ type: 'matched' }])
    pool.setPayable('p', true, minter)
    expect(ask('c', { asset: minter })).toMatchObject([{ type: 'matched' }])
    pool.leave('p')
    pool.offer(offer('p', { slot: 'jetton', asset: minter }))
    // Gone and come back, it must be payable anew.
    expect(ask('d', { asset: minter })).not.toMatchObject([{ type: 'matched' }])
  })
})

describe('offers', () => {
  const message = { $typeName: 'chrysalis.v1.Offer' as const, ...offer('p'), memoryGib: 8 }

  it('say what their tick is in', () => {
    expect(parseOffer({ ...message, asset: '' }, 'p').asset).toBe('ton')
    const parsed = parseOffer({ ...message, asset: minter.toRawString() }, 'p')
    expect(sameAsset(parsed.asset, minter)).toBe(true)
    expect(() => parseOffer({ ...message, asset: 'usdt' }, 'p')).toThrow(
      expect.objectContaining({ code: 'bad-input', facts: { field: 'asset' } }),
    )
  })

  it('are one line for each asset', () => {
    const lines = modelsOnOffer([offer('p'), offer('q', { asset: minter, tick: 30 })])
    expect(lines.map(({ asset, lowestTick }) => [asset, lowestTick])).toEqual([
      [minter.toRawString(), 30],
      ['ton', 40],
    ])
  })
})

describe('prices', () => {
  it('of a jetton are a thousandth in base units, at the same tick', () => {
    const ton = firstNeed(spec(), offer('p'), DEFAULT_PARAMETERS)
    const jetton = firstNeed(spec(), offer('p', { asset: minter }), DEFAULT_PARAMETERS)
    expect(jetton).toBe((ton + 999n) / 1_000n)
    const state = startPayee({ network: 1, channel: '0:00', deposit: jetton })
    const terms = { ...DEFAULT_PARAMETERS, lowestTick: 40, fee: 0 }
    expect(admit(spec({ asset: minter }), state, new Map(), terms)).toBe(jetton)
    expect(() => admit(spec(), state, new Map(), terms)).toThrow(
      expect.objectContaining({ code: 'no-funds' }),
    )
  })
})

describe('channels to providers', () => {
  it('are of TON and of listed jettons, no others', () => {
    const wallet = { address: new Address(0, Buffer.alloc(32, 3)) }
    // Only what is listed is asked here: nothing of the chain is used.
    const deps: Pick<ProviderDeps, 'wallet'> = { wallet: wallet as ProviderDeps['wallet'] }
    const channels = createProviderChannels(deps as ProviderDeps, {
      ...{ networkId: 1, depositNano: 5n, closeDelayS: 86_400 },
      jettons: [{ asset: minter, deposit: 7n }],
      voucherKey: () => {
        throw new Error('no key is needed')
      },
    })
    channels.checkAsset('ton')
    channels.checkAsset(minter)
    expect(() => channels.checkAsset(wallet.address)).toThrow(
      expect.objectContaining({ code: 'bad-asset' }),
    )
  })
})

describe('places of a provider', () => {
  it('are the same for every asset that a model is sold for', () => {
    const slot = (name: string, asset: Slot['asset']): Slot => ({
      ...{ name, asset, model: 'm', modelHash: new Uint8Array(32), tick: 40, tier: 'open' },
      ...{ places: 1, contextTokens: 64, demo: true, region: '', gpu: '', memoryGiB: 1 },
    })
    const slots = createSlots([slot('m', 'ton'), slot('m.07', minter)], ['s'])
    expect([slots.share('m', 's'), slots.share('m.07', 's')]).toEqual([1, 1])
    expect(slots.take('m', 's')).toBe(true)
    expect(slots.take('m.07', 's')).toBe(false)
    slots.free('m', 's')
    expect(slots.take('m.07', 's')).toBe(true)
  })
})
