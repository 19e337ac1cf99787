/**
 * What a version of the registry's parameters says, as plain values.
 *
 * The same words as `Parameters` in contracts/tolk/common/protocol.tolk. A lease names the version;
 * the roles take window, steps and multipliers from the version that it names.
 * @module
 */
import type { Address } from '@ton/core'
import type { NetworkMeasurements } from './network.ts'
import type { Multipliers, Steps } from './terms.ts'
import type { NanoTon } from './units.ts'

/** A version of the market's parameters. Hashes are lower-case hex, 64 digits. */
export interface MarketParameters {
  readonly version: number
  /** Unix seconds of the block in which this version came into force. */
  readonly sinceS: number
  /** Completion tokens paid ahead. */
  readonly window: number
  readonly steps: Steps
  /** Of models that have none of their own. */
  readonly multipliers: Multipliers
  readonly leastCloseDelayS: number
  readonly stakes: StakeRules
  readonly disputes: DisputeRules
  /** By model id. */
  readonly models: ReadonlyMap<string, ListedModel>
  /** Accepted software of confidential machines, under this version's number. */
  readonly measurements: NetworkMeasurements
  /** By minter, raw address; `ton` for TON. */
  readonly assets: ReadonlyMap<string, ListedAsset>
}

export interface StakeRules {
  readonly provider: NanoTon
  readonly scheduler: NanoTon
  readonly gpu: NanoTon
  readonly unbondingS: number
}

export interface DisputeRules {
  readonly verdictS: number
  readonly appealS: number
  readonly leastBond: NanoTon
  readonly threshold: number
  readonly arbiters: readonly { readonly key: string; readonly account: Address }[]
}

export interface ListedModel {
  readonly weightsHash: string
  readonly tokenizerHash?: string
  readonly quantisation: string
  readonly referenceTick: number
  readonly multipliers: Multipliers
}

export interface ListedAsset {
  /** Base units per million tokens at tick 0. */
  readonly scale: bigint
  readonly decimals: number
}
