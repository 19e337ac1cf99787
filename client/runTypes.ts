/**
 * What running a job needs, and how a run ends.
 * @module
 */
import type { MarketError } from '../contracts/base/errors.ts'
import type { Clock, Kem, Logger, Trace } from '../contracts/base/ports.ts'
import type { SigningKey } from '../contracts/base/signing.ts'
import type { Tokenizer } from '../contracts/money/tokenizer.ts'
import type { JobMessageSchema } from '../contracts/wire/generated/chrysalis_pb.ts'
import type { MessageStream } from '../node/net/messageStream.ts'
import type { PayerAccount } from '../node/settlement/payerAccount.ts'
import type { CheckedJob } from './checkReceipt.ts'
import type { PreparedJob } from './prepare.ts'
import type { ShownOffers } from './shownOffers.ts'
import type { Delivered, JobTimings, Piece } from './types.ts'
import type { Placement, PlacementRules } from './verifyPlacement.ts'

/** What a run needs beside the connection. */
export interface RunNeeds {
  readonly clock: Clock
  readonly kem: Kem
  readonly logger: Logger
  readonly trace?: Trace
  readonly rules: PlacementRules
  /** The counter for a model by its weights hash. */
  counterFor(modelHash: Uint8Array): Promise<Tokenizer>
}

/** A connection that a job can run over. */
export interface JobLine {
  readonly account: PayerAccount
  readonly scheduler: { readonly identity: Uint8Array; readonly fee: number }
  /** What this connection was shown on offer. */
  readonly shown: ShownOffers
  openJob(signal?: AbortSignal): Promise<MessageStream<typeof JobMessageSchema>>
}

/** How a run ended. A receipt may be there although the job failed: work up to an abort is paid. */
export interface RunEnd {
  readonly error?: MarketError
  readonly checked?: CheckedJob
  readonly placement?: Placement
  readonly attempts: number
  readonly finishReason: string
  readonly partial: Delivered
  readonly timings: JobTimings
}

/** One run: the job, its key, and where its pieces go. */
export interface RunOptions {
  readonly job: PreparedJob
  /** The one-job key: it signs the request and the receipt. */
  readonly key: SigningKey
  readonly signal: AbortSignal
  readonly onPiece: (piece: Piece) => void
  /** Told of each provider that was verified, before it is paid. */
  readonly onVerified: (placement: Placement) => void
}
