/**
 * What the scheduler asks of its pool and how the pool answers; `pool.ts` is the pool.
 * @module
 */
import { assetKey } from '../../contracts/base/assets.ts'
import { type Bytes, toHex } from '../../contracts/base/bytes.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'
import type { Decision, StrategyName } from '../matching/events.ts'
import type { JobEnd } from './belief.ts'
import type { OfferView } from './offers.ts'

/** What the pool decided for one asked place. */
export type Outcome =
  | { readonly type: 'matched'; readonly slot: string; readonly offer: OfferView }
  | { readonly type: 'queued' }
  | { readonly type: 'expired' }
  | { readonly type: 'refused'; readonly decision: Extract<Decision, { refused: string }> }

export interface Pool {
  /** Announces or updates a slot. */
  offer(offer: OfferView): void
  /** Takes no new jobs; running ones go on. */
  drain(provider: string, slot: string): void
  /** Forgets a slot, or all slots of a provider. */
  leave(provider: string, slot?: string): void
  /** Says whether the scheduler can pay a provider now, in an asset; TON where it is not named. */
  setPayable(provider: string, payable: boolean, asset?: Asset): void
  /** Asks for a place; `decide` is called once, or first with `queued` and later again. */
  ask(id: string, spec: JobSpec, excluded: readonly string[], decide: (o: Outcome) => void): void
  cancel(id: string): void
  /** Frees a place that `ask` gave. */
  free(id: string, slot: string, end: JobEnd, tookMs: number): void
  offers(): readonly OfferView[]
  /** The lowest tick at which a model is on offer, in an asset; TON where it is not named. */
  lowestTick(model: string, asset?: Asset): number | undefined
  waiting(): number
  /** Stops the clocks of waiting jobs and resting slots. */
  stop(): void
}

export interface PoolOptions {
  readonly strategy: StrategyName
  readonly salt: number
  readonly seed: number
  /** Jobs that may wait, over all owners. */
  readonly queueLimit: number
  /** Matchers among which the models are divided; 1 by default. */
  readonly owners?: number
  /** What a remembered prompt tag takes off a slot's score; 0 by default. */
  readonly affinityBonus?: number
}

/** Which of so many owners has a model: by FNV-1a over its name, the same for everyone. */
export function ownerNumber(model: string, owners: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < model.length; i++) hash = Math.imul(hash ^ model.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % owners
}

/**
 * What is matched: a model that is paid for in one asset. Jobs in an asset never meet offers in
 * another, so no two prices are ever compared that are not in the same money.
 */
export function saleOf({ model, asset }: Pick<OfferView, 'model' | 'asset'>): string {
  const key = assetKey(asset)
  return key === 'ton' ? model : `${model} ${key}`
}

/** The name of a slot in the whole pool. */
export function slotName(provider: string, slot: string): string {
  return `${provider}/${slot}`
}

/** An identity key as the provider's name in the pool. */
export function providerName(identity: Bytes): string {
  return toHex(identity)
}
