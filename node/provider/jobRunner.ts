/**
 * Runs one job stream at the provider: lease in, accept out, sealed request opened, frames and the
 * signed receipt out. The decisions are `job.ts`; this does the I/O they ask for.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Kem, Logger } from '../../contracts/base/ports.ts'
import { type SigningKey, sha256 } from '../../contracts/base/signing.ts'
import { feeOn } from '../../contracts/money/price.ts'
import { type Epochs, takeEpochKey } from '../../contracts/seal/epoch.ts'
import { TICK_MS } from '../../contracts/seal/pacer.ts'
import { openRequest } from '../../contracts/seal/request.ts'
import type { ResponseSealer } from '../../contracts/seal/response.ts'
import type { JobMessage, JobMessageSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import { receipt, recordBytes, recordHash, signRecord } from '../../contracts/wire/records.ts'
import { type JobRequest, parseRequest } from '../../contracts/wire/request.ts'
import type { Backend } from '../backends/backend.ts'
import type { MessageStream } from '../net/messageStream.ts'
import type { PayeeAccount } from '../settlement/payeeBook.ts'
import type { AcceptedLease } from './accepting.ts'
import {
  type JobEffect,
  type JobEvent,
  type JobState,
  mayContinue,
  startJob,
  stepJob,
} from './job.ts'

/** What running a job needs beside the accepted lease. */
export interface RunnerDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly kem: Kem
  readonly identity: SigningKey
  readonly backend: Backend
  readonly epochs: Epochs
}

/** A finished receipt, kept and handed to the account before it is told. */
export interface IssuedReceipt {
  readonly jobId: string
  readonly record: Bytes
  readonly signature: Bytes
  readonly hash: Bytes
  readonly charge: bigint
}

/**
 * Serves an accepted job until its end. `issue` makes the receipt durable in the account before it is
 * sent; `release` gives the place back, once.
 */
export async function runJob(
  deps: RunnerDeps,
  stream: MessageStream<typeof JobMessageSchema>,
  accepted: AcceptedLease,
  account: PayeeAccount,
  issue: (issued: IssuedReceipt) => Promise<void>,
): Promise<void> {
  const run = new Run(deps, stream, accepted, account, issue)
  return run.serve()
}

class Run {
  private state: JobState
  private sealed: Bytes = new Uint8Array(0)
  private request?: JobRequest
  private response?: ResponseSealer
  private outbox: Promise<void> = Promise.resolve()
  private sending = 0
  private readonly stopBackend = new AbortController()
  private readonly waiters = new Set<() => void>()
  private readonly undo: (() => void)[] = []
  private readonly startS: number
  private released = Promise.withResolvers<void>()
  private readonly deps: RunnerDeps
  private readonly stream: MessageStream<typeof JobMessageSchema>
  private readonly accepted: AcceptedLease
  private readonly account: PayeeAccount
  private readonly issue: (issued: IssuedReceipt) => Promise<void>

  constructor(
    deps: RunnerDeps,
    stream: MessageStream<typeof JobMessageSchema>,
    accepted: AcceptedLease,
    account: PayeeAccount,
    issue: (issued: IssuedReceipt) => Promise<void>,
  ) {
    this.deps = deps
    this.stream = stream
    this.accepted = accepted
    this.account = account
    this.issue = issue
    this.state = startJob(accepted.lease)
    this.startS = Math.floor(deps.clock.nowMs() / 1000)
  }

  async serve(): Promise<void> {
    const { clock } = this.deps
    const { jobId } = this.accepted
    this.undo.push(
      clock.after(LIMITS.unusedLeaseMs, () => this.dispatch({ type: 'timer', name: 'request' })),
      clock.after(LIMITS.leaseMs, () => this.dispatch({ type: 'timer', name: 'lease' })),
      this.account.onGrant(jobId, (total) => this.dispatch({ type: 'granted', total })),
    )
    this.dispatch({ type: 'granted', total: this.account.granted(jobId) })
    const reading = this.read()
    await this.released.promise
    for (const cancel of this.undo) cancel()
    await this.outbox
    await this.stream.close().catch(() => undefined)
    await reading
  }

  private async read(): Promise<void> {
    try {
      for await (const message of this.stream) this.receive(message)
      this.dispatch({ type: 'gone' })
    } catch (error) {
      this.deps.logger.debug({ code: asMarketError(error).code }, 'job stream ended')
      this.dispatch({ type: 'gone' })
    }
  }

  private receive(message: JobMessage): void {
    if (message.kind.case === 'abort') this.dispatch({ type: 'abort' })
    else if (message.kind.case === 'request') {
      this.sealed = message.kind.value.bytes
      this.dispatch({ type: 'request' })
    } else throw new MarketError('bad-frame', { unexpected: message.kind.case ?? 'nothing' })
  }

  private dispatch(event: JobEvent): void {
    const { state, effects } = stepJob(this.state, event)
    this.state = state
    for (const effect of effects) this.perform(effect)
    for (const wake of [...this.waiters]) wake()
  }

  private perform(effect: JobEffect): void {
    switch (effect.type) {
      case 'open':
        this.open()
        return
      case 'run':
        this.run()
        return
      case 'stopBackend':
        this.stopBackend.abort()
        return
      case 'frames': {
        const frames = effect.frames.map((f) => this.response!.seal(f.content, f.final))
        const { billed } = effect
        this.send({ kind: { case: 'frames', value: { frames, billed } } })
        return
      }
      case 'refuse': {
        const error = new MarketError(effect.code)
        this.send({ kind: { case: 'refused', value: toRefused(error) } })
        return
      }
      case 'finish':
        this.finish(effect)
        return
      case 'release':
        this.released.resolve()
    }
  }

  /** Sends in order; a dead stream is noticed by the reader. */
  private send(message: Parameters<typeof this.stream.send>[0]): void {
    this.sending++
    this.outbox = this.outbox
      .then(() => this.stream.send(message))
      .catch((error) => {
        this.deps.logger.debug({ code: asMarketError(error).code }, 'job stream send failed')
      })
      .finally(() => {
        this.sending--
      })
  }

  private open(): void {
    const { kem, epochs, clock } = this.deps
    const { binding, epoch, lease } = this.accepted
    const opening = async () => {
      const nowS = Math.floor(clock.nowMs() / 1000)
      const epochSecretKey = takeEpochKey(epochs, epoch, binding.leaseHash, nowS)
      const clientJobPublicKey = lease.clientJobKey
      return openRequest({ kem, epochSecretKey, binding, clientJobPublicKey, sealed: this.sealed })
    }
    opening().then(
      ({ request, response }) => {
        this.response = response
        try {
          this.request = parseRequest(request)
          this.dispatch({ type: 'opened' })
        } catch (error) {
          this.dispatch({ type: 'opened' })
          this.fail(error)
        }
      },
      // Before opening, every failure looks alike on the wire.
      () => this.dispatch({ type: 'openFailed', code: 'cannot-open' }),
    )
  }

  private run(): void {
    const { clock } = this.deps
    const tick = () => {
      this.undo.push(clock.after(TICK_MS, tick))
      if (this.undo.length > 64) this.undo.splice(3, 32) // timers that have fired
      if (this.sending < 4) this.dispatch({ type: 'tick' }) // else the network is slower: wait
    }
    this.undo.push(clock.after(TICK_MS, tick))
    if (this.request) this.generate(this.request).catch((error) => this.fail(error))
  }

  private async generate(request: JobRequest): Promise<void> {
    const { backend } = this.deps
    // Nothing runs unpaid, not even the prompt: its length is estimated until the model counts it.
    if (!(await this.paidFor(1))) {
      const usage = { prompt: 0, cachedPrompt: 0, completion: 0, reasoning: 0 }
      this.dispatch({ type: 'piece', piece: { type: 'end', finishReason: 'unpaid', usage } })
      return
    }
    const pieces = backend.run(
      {
        ...request,
        model: this.accepted.model,
        mayContinue: (tokens) => (mayContinue(this.state, tokens) ? true : this.paidFor(tokens)),
      },
      this.stopBackend.signal,
    )
    for await (const piece of pieces) this.dispatch({ type: 'piece', piece })
  }

  /** Waits until `tokens` and one more are paid for; false after `LIMITS.unpaidMs`. */
  private paidFor(tokens: number): Promise<boolean> {
    if (mayContinue(this.state, tokens)) return Promise.resolve(true)
    return new Promise((resolve) => {
      const settle = (paid: boolean) => {
        this.waiters.delete(wake)
        cancel()
        resolve(paid)
      }
      const wake = () => {
        if (mayContinue(this.state, tokens)) settle(true)
        else if (this.state.phase === 'ended') settle(false)
      }
      const cancel = this.deps.clock.after(LIMITS.unpaidMs, () => settle(false))
      this.waiters.add(wake)
    })
  }

  private fail(thrown: unknown): void {
    const { code, facts } = asMarketError(thrown, 'backend-failed')
    this.dispatch({ type: 'failed', code, facts })
  }

  private finish(effect: Extract<JobEffect, { type: 'finish' }>): void {
    const { clock, identity } = this.deps
    const { lease, jobId, binding } = this.accepted
    const record = receipt.encode({
      network: lease.network,
      leaseHash: binding.leaseHash,
      billed: effect.billed,
      cost: effect.cost,
      fee: feeOn(effect.cost, lease),
      modelHash: lease.modelHash,
      tier: this.accepted.tier,
      outcome: effect.outcome,
      startS: this.startS,
      endS: Math.max(this.startS, Math.floor(clock.nowMs() / 1000)),
      transcriptHash: this.response?.transcriptHash() ?? sha256(this.sealed),
    })
    const bytes = recordBytes(record)
    const signature = signRecord(record, identity)
    const hash = recordHash(record)
    this.deps.logger.info(
      { job: jobId, outcome: effect.outcome, receipt: toHex(hash) },
      'job ended',
    )
    this.outbox = this.outbox
      .then(() => this.issue({ jobId, record: bytes, signature, hash, charge: effect.cost }))
      .then(() =>
        this.stream.send({ kind: { case: 'finished', value: { receipt: bytes, signature } } }),
      )
      .catch((error) => {
        this.deps.logger.warn({ job: jobId, code: asMarketError(error).code }, 'receipt not sent')
      })
  }
}
