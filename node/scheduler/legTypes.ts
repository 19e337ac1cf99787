/**
 * What a leg to a provider needs: who is paid, with what, for which attempt.
 * @module
 */
import type { Clock, Logger, Transport } from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import type { Parameters } from '../../contracts/money/price.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'
import type { StrategyName } from '../matching/events.ts'
import type { PayerAccount } from '../settlement/payerAccount.ts'
import type { OfferView } from './offers.ts'

/** How a leg ended for the account with its provider. */
export interface LegEnd {
  /** A grant still awaits its receipt. */
  readonly stuck: boolean
  /**
   * What the provider was paid and no client pays for. Below 0: what a client has paid for and the
   * account could not be told; its next opening settles that.
   */
  readonly lost?: NanoTon
}

/** A connected provider that can be paid. */
export interface PaidProvider {
  readonly peer: string
  readonly account: PayerAccount
  /** One more leg to it; the result ends it. */
  enter(): (end: LegEnd) => void
  /** The account could not grant this much: no new jobs until it can. */
  short(needed: NanoTon): void
}

export interface LegDeps {
  readonly transport: Transport
  readonly clock: Clock
  readonly logger: Logger
  readonly networkId: number
  readonly identity: SigningKey
  readonly fee: number
  readonly strategy: StrategyName
  /** What a lease for a model pins now. */
  terms(model: string): Parameters
}

/** One attempt of a job on a provider. */
export interface LegJob {
  readonly spec: JobSpec
  readonly attempt: number
  readonly offer: OfferView
  readonly provider: PaidProvider
}
