/**
 * Where the type of the registry's parameters was before it became a word of the base.
 * @module
 */
export type {
  DisputeRules,
  ListedAsset,
  ListedModel,
  MarketParameters,
  StakeRules,
} from '../base/marketParameters.ts'
