/**
 * What the pool's answers mean for a job, and whether the provider they name can be paid.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import type { Parameters } from '../../contracts/money/price.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'
import { headroomOf } from '../settlement/payerAccount.ts'
import type { JobEvent } from './jobTypes.ts'
import { firstNeed } from './legRecords.ts'
import type { PaidProvider } from './legTypes.ts'
import type { OfferView } from './offers.ts'
import type { Outcome } from './poolTypes.ts'

/** The event of the job machine for an answer of the pool. */
export function matchEvent(outcome: Outcome, spec: JobSpec): JobEvent {
  switch (outcome.type) {
    case 'matched':
      return {
        type: 'matched',
        place: { slot: outcome.slot, provider: outcome.offer.provider },
      }
    case 'queued':
      return { type: 'queued' }
    case 'expired':
      return { type: 'refused', code: 'expired', facts: { deadlineMs: spec.deadlineMs } }
    case 'refused': {
      const { refused: code, job: _, ...facts } = outcome.decision
      return { type: 'refused', code, facts }
    }
  }
}

/** Finds a provider that is connected and can be paid now, in an asset. */
export interface Finds {
  provider(identity: string, asset: Asset | undefined): PaidProvider | undefined
}

/**
 * The provider of an offer, where its account can pay for what comes first. Throws `provider-lost`,
 * `no-funds`; the provider then gets no new jobs until the account can pay.
 */
export function payable(
  { provider: find }: Finds,
  spec: JobSpec,
  offer: OfferView,
  terms: Parameters,
): PaidProvider {
  const provider = find(offer.provider, offer.asset)
  if (!provider) throw new MarketError('provider-lost')
  const needed = firstNeed(spec, offer, terms)
  const free = headroomOf(provider.account.state())
  if (free >= needed) return provider
  provider.short(needed)
  throw new MarketError('no-funds', { needed, free })
}
