/**
 * What a job would cost, before anything is spent: price, worst case, chain fees, longest lock.
 * @module
 */
import { assetKey } from '../contracts/base/assets.ts'
import { MarketError } from '../contracts/base/errors.ts'
import type { Asset } from '../contracts/base/terms.ts'
import { feeOn, type Parameters, tickPrice } from '../contracts/money/price.ts'
import { kindOfAsset } from '../node/settlement/channelKind.ts'
import { worstCase } from './payAhead.ts'
import type { PreparedJob } from './prepare.ts'
import type { OfferedModel, Quote } from './types.ts'

/** What the quote is made from beside the job. */
export interface QuoteFacts {
  readonly models: readonly OfferedModel[]
  /** The scheduler's fee, parts per 10,000. */
  readonly fee: number
  readonly closeDelayS: number
  readonly parameters: Parameters
  /** Absent: TON. */
  readonly asset?: Asset
}

/**
 * The quote of a prepared job. Throws `no-model` where nobody serves the model, `price` (with the
 * lowest tick) where nobody does at or below the job's cap.
 */
export function quoteJob({ spec, bounds }: PreparedJob, facts: QuoteFacts): Quote {
  const { models, fee, closeDelayS, parameters, asset = 'ton' } = facts
  const offered = models.find(({ model }) => model === spec.model)
  if (!offered || offered.providers === 0) throw new MarketError('no-model', { model: spec.model })
  const { lowestTick } = offered
  if (lowestTick > spec.maxTick) {
    throw new MarketError('price', { lowestTick, maxTick: spec.maxTick })
  }
  const terms = { ...parameters, fee, asset }
  const { chainFees } = kindOfAsset(asset)
  const most = worstCase(bounds, { ...terms, tick: spec.maxTick })
  return {
    asset: assetKey(asset),
    model: spec.model,
    tick: lowestTick,
    price: tickPrice(lowestTick, asset),
    maxTick: spec.maxTick,
    likely: worstCase(bounds, { ...terms, tick: lowestTick }),
    worstCase: most,
    fee: feeInside(most, fee),
    // Attached values, of which the unused part comes back: what the wallet must have at hand.
    chainFees: {
      openChannel: chainFees.open,
      closeChannel: chainFees.close,
      perJob: 0n,
    },
    longestLockS: closeDelayS,
    promptTokens: spec.promptTokens,
    maxTokens: spec.maxTokens,
  }
}

/** The fee in an amount that includes it. */
function feeInside(total: bigint, fee: number): bigint {
  const cost = (total * 10_000n) / BigInt(10_000 + fee)
  return feeOn(cost, { fee })
}
