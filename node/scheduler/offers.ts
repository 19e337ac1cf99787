/**
 * Offers as they come over the wire, checked once; and what all of them together put on offer.
 * @module
 */
import { assetKey, assetOf } from '../../contracts/base/assets.ts'
import { type Bytes, toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import type { Tier } from '../../contracts/base/tier.ts'
import type { Offer } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { integer, name, tier } from '../../contracts/wire/submit.ts'

/** One slot as its provider offers it. `slot` is unique within the provider. */
export interface OfferView {
  readonly provider: string
  readonly slot: string
  readonly model: string
  readonly modelHash: Bytes
  readonly tick: number
  readonly capacity: number
  readonly serviceMs: number
  readonly tier: Tier
  readonly region: string
  readonly gpu: string
  readonly memoryGiB: number
  readonly contextTokens: number
  readonly demo: boolean
  /** What the tick is in; absent: TON. */
  readonly asset?: Asset
}

/** An offer of a provider (identity hex). Throws `bad-input` naming the field. */
export function parseOffer(offer: Offer, provider: string): OfferView {
  if (offer.modelHash.length !== 32) throw new MarketError('bad-input', { field: 'modelHash' })
  return {
    provider,
    slot: name('slot', offer.slot),
    model: name('model', offer.model),
    modelHash: offer.modelHash,
    tick: integer('tick', offer.tick, 0, 95),
    capacity: integer('capacity', offer.capacity, 0, LIMITS.capacity),
    serviceMs: integer('serviceMs', offer.serviceMs, 0, 2 ** 31 - 1),
    tier: tier(offer.tier),
    region: offer.region === '' ? '' : name('region', offer.region),
    gpu: offer.gpu === '' ? '' : name('gpu', offer.gpu),
    memoryGiB: integer('memoryGiB', offer.memoryGib, 0, 1 << 20),
    contextTokens: integer('contextTokens', offer.contextTokens, 1, 2 ** 31 - 1),
    demo: offer.demo,
    asset: assetOf(offer.asset),
  }
}

/**
 * One line for each model, its weights and its asset: the lowest tick, all places, how many
 * providers, which tiers. Other weights or another asset are another line, the cheapest first.
 */
export function modelsOnOffer(offers: readonly OfferView[]) {
  const byWeights = Map.groupBy(
    offers,
    ({ model, modelHash, asset }) => `${model} ${toHex(modelHash)} ${assetKey(asset)}`,
  )
  return [...byWeights.values()]
    .map((slots) => ({
      model: slots[0]!.model,
      modelHash: slots[0]!.modelHash,
      lowestTick: least(slots, (slot) => slot.tick),
      places: slots.reduce((sum, slot) => sum + slot.capacity, 0),
      providers: new Set(slots.map((slot) => slot.provider)).size,
      tiers: [...new Set(slots.map((slot) => slot.tier))].sort(),
      contextTokens: least(slots, (slot) => slot.contextTokens),
      demo: slots.some((slot) => slot.demo),
      asset: assetKey(slots[0]!.asset),
    }))
    .sort((a, b) =>
      a.model === b.model ? a.lowestTick - b.lowestTick : a.model < b.model ? -1 : 1,
    )
}

/** Not `Math.min(...)`: a pool may hold more slots than a call takes arguments. */
function least(slots: readonly OfferView[], figure: (slot: OfferView) => number): number {
  return slots.reduce((lowest, slot) => Math.min(lowest, figure(slot)), Number.POSITIVE_INFINITY)
}
