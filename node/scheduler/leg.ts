/**
 * The scheduler's leg to one provider for one attempt: lease out, accept in, frames and receipt
 * back.
 *
 * Checks what the provider signs before the client sees it, grants within what the client granted,
 * and after a loss keeps reading in the background, so that work that was done is settled by its
 * receipt and never by a guess.
 * @module
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { asMarketError, type ErrorCode, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { cost } from '../../contracts/money/price.ts'
import type { ReceiptFile } from '../../contracts/money/receiptFile.ts'
import {
  type Accepted,
  type Finished,
  type JobMessage,
  JobMessageSchema,
  type PlacedSchema,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import { fromRefused, fromUsage } from '../../contracts/wire/messages.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import type { Lease } from '../../contracts/wire/records.ts'
import { type MessageStream, messageStream } from '../net/messageStream.ts'
import type { PayerAccount } from '../settlement/payerAccount.ts'
import type { JobEvent } from './jobTypes.ts'
import {
  type CheckedReceipt,
  checkAccept,
  checkReceipt,
  costWithin,
  fileOf,
  lostOn,
  signLease,
} from './legRecords.ts'
import type { LegDeps, LegEnd, LegJob } from './legTypes.ts'

type Dispatch = (event: JobEvent) => Promise<void>
type Stream = MessageStream<typeof JobMessageSchema>

/** Opens a stream to the provider and sends the lease. Throws `unreachable`. */
export async function openLeg(deps: LegDeps, job: LegJob, dispatch: Dispatch): Promise<Leg> {
  const leave = job.provider.enter()
  try {
    const raw = await deps.transport.open(job.provider.peer, PROTOCOLS.job)
    const stream = messageStream(JobMessageSchema, raw, deps.clock)
    const leg = new Leg(deps, job, stream, dispatch, leave)
    await leg.sendLease()
    return leg
  } catch (error) {
    leave({ stuck: false })
    throw error
  }
}

export class Leg {
  private readonly deps: LegDeps
  private readonly job: LegJob
  private readonly stream: Stream
  private readonly dispatch: Dispatch
  private readonly leave: (end: LegEnd) => void
  private readonly lease: Lease
  private readonly leaseHash: Uint8Array
  private readonly signed: { readonly record: Uint8Array; readonly signature: Uint8Array }
  private accept?: Accepted
  private granted = 0n
  private delivered = 0n
  private frames = 0
  private forwarded = false
  private abandoned = false
  /** The job is settled on the provider's account, or it never cost anything there. */
  private settled = false
  /** A receipt has been taken: its payment follows. */
  private owing = false

  constructor(
    deps: LegDeps,
    job: LegJob,
    stream: Stream,
    dispatch: Dispatch,
    leave: (end: LegEnd) => void,
  ) {
    this.deps = deps
    this.job = job
    this.stream = stream
    this.dispatch = dispatch
    this.leave = leave
    const { lease, leaseHash, signed } = signLease(deps, job)
    this.lease = lease
    this.leaseHash = leaseHash
    this.signed = signed
  }

  async sendLease(): Promise<void> {
    const channel = this.job.provider.account.channel.toRawString()
    await this.stream.send({ kind: { case: 'lease', value: { ...this.signed, channel } } })
  }

  /** Starts reading; call it once, when the leg is in its place. */
  listen(): void {
    void this.read()
  }

  get accepted(): boolean {
    return this.accept !== undefined
  }

  /** What the client is shown, once accepted. */
  placed(attempt: number): MessageInitShape<typeof PlacedSchema> {
    const { contextTokens, demo } = this.job.offer
    return { lease: this.signed, accepted: this.accept, attempt, contextTokens, demo }
  }

  /** Grants the provider the cost that the client's total covers. Throws what the account does. */
  async cover(clientTotal: NanoTon): Promise<void> {
    const most = costWithin(clientTotal, this.deps.fee)
    if (most <= this.granted || this.abandoned) return
    const amount = most - this.granted
    this.granted = most
    try {
      await this.job.provider.account.grant(this.job.spec.jobId, amount)
    } catch (error) {
      this.granted -= amount
      throw error
    }
  }

  /** The sealed request goes on; from here on there may be work to pay for. */
  async forward(bytes: Uint8Array): Promise<void> {
    this.forwarded = true
    await this.stream.send({ kind: { case: 'request', value: { bytes } } })
  }

  async abort(): Promise<void> {
    await this.stream.send({ kind: { case: 'abort', value: {} } })
  }

  /** The receipt with everything that proves it. */
  receiptFile(finished: Finished): ReceiptFile {
    return fileOf(this.signed, this.accept!, finished)
  }

  /** Checks a receipt against the lease and the grant. Throws `bad-receipt`, `bad-signature`. */
  check(finished: Finished): CheckedReceipt {
    const { lease, leaseHash, granted, delivered } = this
    const { offer } = this.job
    return checkReceipt(finished, { lease, leaseHash, offer, granted, delivered })
  }

  /** Pays the provider what its receipt says. */
  async pay({ receipt, hash }: CheckedReceipt, clientSignature?: Uint8Array): Promise<void> {
    const disputed = !clientSignature
    const settlement = { charge: receipt.cost, receiptHash: hash, clientSignature, disputed }
    await this.settle(settlement)
  }

  /** Ends the attempt for the client; what was worked is still settled in the background. */
  abandon(): void {
    if (this.abandoned) return
    this.abandoned = true
    // Abort where the stream still stands: the receipt, if there is one, comes within the grace.
    this.abort().catch(() => undefined)
    if (!this.forwarded) this.forgive()
    const timeout = new MarketError('timeout', { waiting: 'receipt' })
    this.deps.clock.after(LIMITS.acceptMs, () => this.stream.abort(timeout))
  }

  private async read(): Promise<void> {
    try {
      for await (const message of this.stream) await this.receive(message)
      await this.failed('provider-lost')
      await this.stream.close().catch(() => undefined)
    } catch (thrown) {
      const { code } = asMarketError(thrown)
      this.stream.abort(asMarketError(thrown))
      const lost = code === 'unreachable' || code === 'stalled'
      await this.failed(lost ? 'provider-lost' : code)
    }
    // Nothing more will be said here: a grant without a receipt waits for the account's opening.
    if (!this.owing) this.leave({ stuck: this.granted > 0n && !this.settled })
  }

  private async receive({ kind }: JobMessage): Promise<void> {
    switch (kind.case) {
      case 'accepted': {
        if (this.accept) throw new MarketError('bad-frame', { unexpected: 'a second accept' })
        checkAccept(kind.value, this.leaseHash, this.job.offer, this.lease.network)
        this.accept = kind.value
        return this.dispatch({ type: 'accepted' })
      }
      case 'frames': {
        if (!this.forwarded) throw new MarketError('bad-frame', { unexpected: 'frames' })
        const { frames } = kind.value
        this.frames += frames.length
        if (this.frames > LIMITS.framesPerJob) {
          throw new MarketError('bad-frame', { frames: this.frames })
        }
        const billed = fromUsage(kind.value.billed)
        // Only the provider's word: it bounds the receipt, and frees nothing of what is at stake.
        this.delivered = cost(billed, this.lease)
        return this.abandoned ? undefined : this.dispatch({ type: 'frames', frames, billed })
      }
      case 'finished':
        return this.finished(kind.value)
      case 'refused':
        this.forgive()
        return this.failed(fromRefused(kind.value, 'busy').code)
      default:
        throw new MarketError('bad-frame', { unexpected: kind.case ?? 'nothing' })
    }
  }

  private async finished(finished: Finished): Promise<void> {
    if (!this.forwarded || this.owing) throw new MarketError('bad-frame', { unexpected: 'receipt' })
    const checked = this.check(finished)
    this.owing = true
    if (this.abandoned) {
      await this.pay(checked).catch((error) => this.later(error))
      return
    }
    const { receipt, signature } = finished
    await this.dispatch({ type: 'finished', receipt, signature })
  }

  /** The job cost nothing here: its grant returns to credit. */
  private forgive(): void {
    this.settle({ charge: 0n, disputed: false }).catch((error) => this.later(error))
  }

  private async settle(settlement: Parameters<PayerAccount['settle']>[1]): Promise<void> {
    try {
      await this.job.provider.account.settle(this.job.spec.jobId, settlement)
      this.settled = true
    } finally {
      const lost = lostOn(this.job, settlement, this.abandoned)
      if (this.owing) this.leave({ stuck: !this.settled, lost })
    }
  }

  private failed(code: ErrorCode): Promise<void> {
    return this.dispatch({ type: 'attemptFailed', code })
  }

  private later(thrown: unknown): void {
    const facts = { job: this.job.spec.jobId, code: asMarketError(thrown).code }
    this.deps.logger.warn(facts, 'settled when the account opens')
  }
}
