/**
 * `chrysalis/client`: what an application imports. Light: adapters load when `connect` needs them.
 * @module
 */
export { MarketError } from '../contracts/base/errors.ts'
export type { NetworkConfig } from '../contracts/base/network.ts'
export { formatTon, parseTon } from '../contracts/base/units.ts'
export type { Balance, ChannelInfo, ClosingChannel, WalletInfo } from './channelTypes.ts'
export { type ConnectOptions, connect } from './client.ts'
export type { EvidenceSummary, ServedBy } from './servedBy.ts'
export type {
  ChatMessage,
  ClientPolicy,
  Delivered,
  Job,
  JobRequest,
  JobResult,
  JobTimings,
  KeptReceipt,
  Market,
  OfferedModel,
  Piece,
  ProviderRegistry,
  Quote,
} from './types.ts'
