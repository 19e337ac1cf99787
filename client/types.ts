/**
 * What an application sees of the market: requests, pieces, results, quotes.
 *
 * Types only; `client/index.ts` exports them. Amounts are `bigint` in base units of the market's
 * asset (nanoTON for TON), except chain fees, which are always nanoTON.
 * @module
 */
import type { Address } from '@ton/core'
import type { HardwarePolicy } from '../contracts/attest/hardwarePolicy.ts'
import type { NamedAsset } from '../contracts/base/assets.ts'
import type { Bytes } from '../contracts/base/bytes.ts'
import type { MarketError } from '../contracts/base/errors.ts'
import type { NetworkConfig } from '../contracts/base/network.ts'
import type { Tier } from '../contracts/base/tier.ts'
import type { NanoTon } from '../contracts/base/units.ts'
import type { TokenUsage } from '../contracts/money/price.ts'
import type { ReceiptFile } from '../contracts/money/receipt.ts'
import type { ChatMessage } from '../contracts/wire/request.ts'
import type { Balance, ChannelInfo, ClosingChannel, WalletInfo } from './channelTypes.ts'
import type { ServedBy } from './servedBy.ts'

export type { ChatMessage }

/** One inference job. Only `model` and `messages` are required. */
export interface JobRequest {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  /** Completion and reasoning tokens together, at most; 1 to 65,536; default 512. */
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly seed?: number
  readonly stop?: readonly string[]
  /** Least tier that may serve the job; default: the policy's. */
  readonly minTier?: Tier
  /** Highest price tick, 0 to 95; default: the policy's. */
  readonly maxTick?: number
  /** Most that the job may cost, fee included; default: what its tokens can cost. */
  readonly maxCost?: NanoTon
  readonly regions?: readonly string[]
  readonly gpus?: readonly string[]
  readonly minMemoryGiB?: number
  /** Provider identities (hex) that must not serve the job. */
  readonly exclude?: readonly string[]
  /** Longest wait for a place; default 60,000. */
  readonly deadlineMs?: number
  /** What a millisecond less is worth, in millionths of a nanoTON; default 0: cheapest. */
  readonly speedWeight?: number
  readonly priority?: number
  /**
   * Prefer a provider that lately served a prompt of yours that begins alike, where the scheduler
   * counts that. It then learns which of your prompts share a beginning, nothing of what it is.
   */
  readonly affinity?: boolean
  /** Continue on another provider where one is lost in the middle of the answer. */
  readonly resume?: boolean
  /** Prepay beyond the exposure limit of the channel, where the job needs it. */
  readonly consent?: boolean
  /** 128 bits in hex, the idempotency key; default: random. */
  readonly jobId?: string
  readonly signal?: AbortSignal
}

/** What arrived since the last piece. */
export interface Piece {
  readonly text: string
  readonly reasoning?: string
  /** Completion tokens of the whole answer so far, as the provider counts them. */
  readonly completionTokens: number
}

/** What has been delivered so far. */
export interface Delivered {
  readonly text: string
  readonly reasoning: string
  readonly usage: TokenUsage
}

/** Milliseconds from `submit` to each step; absent where it did not happen. */
export interface JobTimings {
  readonly totalMs: number
  /** To the first text. */
  readonly ttftMs?: number
  /** To the placement with its lease and accept. */
  readonly placedMs?: number
  /** Of checking lease, accept, epoch key and evidence. */
  readonly verifyMs?: number
  /** Of granting the first window. */
  readonly grantMs?: number
  /** Of sealing the request. */
  readonly sealMs?: number
}

/** A finished job. */
export interface JobResult extends ServedBy {
  readonly id: string
  readonly text: string
  readonly reasoning: string
  readonly finishReason: string
  /** Tokens delivered. */
  readonly usage: TokenUsage
  /** Tokens billed, in whole steps. */
  readonly billed: TokenUsage
  /** What the amounts are in: `ton` for nanoTON, or the minter of a jetton. */
  readonly asset: string
  /** What the provider earns. */
  readonly cost: NanoTon
  /** What the scheduler earns, on top. */
  readonly fee: NanoTon
  readonly receipt: ReceiptFile
  readonly receiptHash: string
  /** True where every signature, link and sum of the receipt holds and it was countersigned. */
  readonly verified: boolean
  /** True where the receipt went beyond what the client counted, or does not cover what it saw. */
  readonly disputed: boolean
  readonly attempts: number
  /** Job ids of the parts, where the answer was continued after a loss; the last one is `id`. */
  readonly resumedFrom: readonly string[]
  /** What the delivered tokens were counted with. */
  readonly counted: 'tokenizer' | 'bytes'
  readonly timings: JobTimings
}

/** A job under way. Iterating is optional; leaving the loop early aborts the job. */
export interface Job extends AsyncIterable<Piece> {
  readonly id: string
  /** The result. Rejects with a MarketError; what was delivered is then in `partial()`. */
  result(): Promise<JobResult>
  /** What has been delivered so far. */
  partial(): Delivered
  /** Who serves it and what that provider proved: known before the first piece comes. */
  servedBy(): ServedBy | undefined
  /** Stops the job; what was delivered is paid for. */
  abort(): void
}

/** What a job would cost, before anything is spent. */
export interface Quote {
  /** What the amounts are in: `ton` for nanoTON, or the minter of a jetton. */
  readonly asset: string
  readonly model: string
  /** Lowest tick on offer now; what the job is likely to pay. */
  readonly tick: number
  /** Base units per million completion tokens at that tick. */
  readonly price: NanoTon
  /** Tick that the job accepts at most; the worst case counts at it. */
  readonly maxTick: number
  /** Most that the job can cost at the lowest tick on offer, fee included. */
  readonly likely: NanoTon
  /** Most that the job can cost, fee included. */
  readonly worstCase: NanoTon
  /** The scheduler's fee inside `worstCase`. */
  readonly fee: NanoTon
  /** Chain fees in nanoTON, estimated: they are paid per channel, not per job. */
  readonly chainFees: {
    readonly openChannel: NanoTon
    readonly closeChannel: NanoTon
    readonly perJob: NanoTon
  }
  /** Longest time that the deposit can stay locked after you ask for it back, seconds. */
  readonly longestLockS: number
  readonly promptTokens: number
  readonly maxTokens: number
}

/** A model on offer. */
export interface OfferedModel {
  readonly model: string
  readonly modelHash: string
  readonly lowestTick: number
  readonly price: NanoTon
  readonly places: number
  readonly providers: number
  readonly tiers: readonly Tier[]
  readonly contextTokens: number
  readonly demo: boolean
}

/** A kept receipt. */
export interface KeptReceipt {
  readonly hash: string
  readonly file: ReceiptFile
}

/** What this client accepts. Defaults are the safe ones of its network. */
export interface ClientPolicy {
  /** Default `gpu-tee` on public networks, `simulated` on development networks. */
  readonly minTier?: Tier
  /** Default 60: about 0.9 TON per million completion tokens. */
  readonly maxTick?: number
  /** Highest fee of a scheduler, parts per 10,000; default 1,000. */
  readonly maxFee?: number
  /** Weight hashes (hex) by model name: another model under the name is refused. */
  readonly models?: Readonly<Record<string, string>>
  /**
   * What hardware has to be like for tiers above `open`: vendors, measurements, security updates,
   * machines, age. Default: the measurements of the network, no open updates, a day.
   */
  readonly hardware?: Partial<HardwarePolicy>
  /** Identities of providers (hex) to use and no others. */
  readonly pinned?: readonly string[]
}

/** A connection to the market. */
export interface Market extends AsyncDisposable {
  readonly network: NetworkConfig
  /** What jobs are paid in here. */
  readonly asset: NamedAsset
  /** Submits a job; returns at once. Bad input throws `bad-input` here. */
  submit(request: JobRequest): Job
  quote(request: JobRequest): Promise<Quote>
  models(): Promise<readonly OfferedModel[]>
  wallet(): Promise<WalletInfo>
  /**
   * Wallet and channel in use; where the scheduler cannot be reached, as the own books and the
   * chain say. Throws `no-channel`.
   */
  balance(): Promise<Balance>
  /** Every channel this client ever opened, oldest first, as the chain says now. */
  channels(): Promise<readonly ChannelInfo[]>
  /**
   * Adds to the deposit of the channel in use (or of `address`), from the wallet; final on chain
   * when it resolves. Throws `no-channel`, `no-funds`, `channel-closing`.
   */
  topUp(amountNano: NanoTon, address?: string): Promise<ChannelInfo>
  /**
   * Asks for the deposit back, without anybody's help. The scheduler may still claim what was
   * signed; after the close delay the rest returns. This connection takes no more jobs; the next
   * one opens another channel. Throws `too-many-jobs` while jobs are open.
   */
  closeChannel(address?: string): Promise<ClosingChannel>
  /**
   * Finishes closing channels whose delay has passed, and gives those that it finished. Also done
   * in the background while this client runs. Throws `channel-closing` (with `closeAtS`) where it
   * is too early, `no-channel` where none is closing.
   */
  finishClose(address?: string): Promise<readonly ClosingChannel[]>
  receipts(options?: { after?: string; limit?: number }): Promise<readonly KeptReceipt[]>
  /** Ends open jobs and the connection. The channel stays, for the next time. */
  close(): Promise<void>
}

/** Tells a job's provider identity apart from others: the registry as a question. */
export type ProviderRegistry = (
  identity: Bytes,
  owner: Address | undefined,
) => boolean | Promise<boolean>

/** How a job ended, for whoever logs or counts it. */
export type JobOutcome = { readonly ok: true } | { readonly ok: false; readonly error: MarketError }
