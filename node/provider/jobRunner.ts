/**
 * Runs one job stream at the provider: lease in, accept out, sealed request opened, frames and the
 * signed receipt out. The decisions are `job.ts`; this does the I/O they ask for.
 * @module
 */
import { type Bytes, toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Kem, Logger, Trace } from '../../contracts/base/ports.ts'
import { type SigningKey, sha256 } from '../../contracts/base/signing.ts'
import { NO_USAGE } from '../../contracts/money/price.ts'
import type { Epochs } from '../../contracts/seal/epoch.ts'
import { TICK_MS } from '../../contracts/seal/pacer.ts'
import type { ResponseSealer } from '../../contracts/seal/response.ts'
import type { JobMessage, JobMessageSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import type { Backend } from '../backends/backend.ts'
import type { MessageStream } from '../net/messageStream.ts'
import { closeAfter } from '../settlement/guards.ts'
import type { PayeeAccount } from '../settlement/payeeBook.ts'
import type { AcceptedLease } from './accepting.ts'
import { createGate, type Gate } from './gate.ts'
import {
  type JobEffect,
  type JobEvent,
  type JobState,
  mayContinue,
  startJob,
  stepJob,
} from './job.ts'
import { openSealed, type Readable } from './opening.ts'
import { type IssuedReceipt, signReceipt } from './receipt.ts'

/** What running a job needs beside the accepted lease. */
export interface RunnerDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly kem: Kem
  readonly identity: SigningKey
  readonly backend: Backend
  readonly epochs: Epochs
  readonly trace?: Trace
}

/** One accepted job. */
export interface JobToRun {
  readonly accepted: AcceptedLease
  readonly account: PayeeAccount
  /** Makes the receipt durable, in the account too, before it is sent. */
  readonly issue: (issued: IssuedReceipt) => Promise<void>
  /** Gives the place back: once, as soon as the backend is free. */
  readonly release: () => void
}

type Stream = MessageStream<typeof JobMessageSchema>

/** Serves an accepted job until everything about it is said. Never throws. */
export function runJob(deps: RunnerDeps, stream: Stream, job: JobToRun): Promise<void> {
  return new Run(deps, stream, job).serve()
}

class Run {
  private readonly deps: RunnerDeps
  private readonly stream: Stream
  private readonly job: JobToRun
  private readonly startS: number
  private readonly gate: Gate
  private readonly stopBackend = new AbortController()
  private readonly over = Promise.withResolvers<void>()
  private readonly undo: (() => void)[] = []
  private state: JobState
  private sealed: Bytes = new Uint8Array(0)
  private request?: Readable
  private response?: ResponseSealer
  private outbox: Promise<void> = Promise.resolve()
  private sending = 0
  private stopTicks: () => void = () => undefined

  constructor(deps: RunnerDeps, stream: Stream, job: JobToRun) {
    this.deps = deps
    this.stream = stream
    this.job = job
    this.state = startJob(job.accepted.lease)
    this.startS = Math.floor(deps.clock.nowMs() / 1000)
    this.gate = createGate(
      deps.clock,
      (tokens) => mayContinue(this.state, tokens),
      () => this.state.phase === 'ended' || this.stopBackend.signal.aborted,
    )
  }

  async serve(): Promise<void> {
    const { clock } = this.deps
    const { account, accepted } = this.job
    this.undo.push(
      clock.after(LIMITS.unusedLeaseMs, () => this.dispatch({ type: 'timer', name: 'request' })),
      clock.after(LIMITS.leaseMs, () => this.dispatch({ type: 'timer', name: 'lease' })),
      account.onGrant(accepted.jobId, (total) => this.dispatch({ type: 'granted', total })),
    )
    this.dispatch({ type: 'granted', total: account.granted(accepted.jobId) })
    const reading = this.read()
    await this.over.promise
    this.job.release()
    this.stopTicks()
    for (const cancel of this.undo) cancel()
    await this.outbox
    await closeAfter(this.stream, clock, reading)
  }

  private async read(): Promise<void> {
    try {
      for await (const message of this.stream) this.receive(message)
    } catch (error) {
      this.deps.logger.debug({ code: asMarketError(error).code }, 'job stream ended')
    }
    this.dispatch({ type: 'gone' })
  }

  private receive({ kind }: JobMessage): void {
    if (kind.case === 'abort') this.dispatch({ type: 'abort' })
    else if (kind.case === 'request' && this.state.phase === 'accepted') {
      this.sealed = kind.value.bytes
      this.dispatch({ type: 'request' })
    } else throw new MarketError('bad-frame', { unexpected: kind.case ?? 'nothing' })
  }

  /** Runs in timers and streams: whatever goes wrong ends this job, never the process. */
  private dispatch(event: JobEvent): void {
    this.deps.trace?.(this.job.accepted.jobId, `provider:${event.type}`)
    try {
      const { state, effects } = stepJob(this.state, event)
      this.state = state
      for (const effect of effects) this.perform(effect)
    } catch (error) {
      this.deps.logger.error({ code: asMarketError(error).code, event: event.type }, 'job broke')
      this.stopBackend.abort()
      this.stream.abort(asMarketError(error))
      this.state = { ...this.state, phase: 'ended' }
      this.over.resolve()
    }
    this.gate.wake()
  }

  private perform(effect: JobEffect): void {
    switch (effect.type) {
      case 'open':
        void this.open()
        return
      case 'run':
        this.run()
        return
      case 'stopBackend':
        this.stopBackend.abort()
        return
      case 'frames': {
        const frames = effect.frames.map((f) => this.response!.seal(f.content, f.final))
        this.send({ kind: { case: 'frames', value: { frames, billed: effect.billed } } })
        return
      }
      case 'refuse': {
        const refused = toRefused(new MarketError(effect.code))
        this.send({ kind: { case: 'refused', value: refused } })
        return
      }
      case 'finish':
        this.finish(effect)
        return
      case 'release':
        this.over.resolve()
    }
  }

  /** Sends in order; a dead stream is noticed by the reader. */
  private send(message: Parameters<Stream['send']>[0]): void {
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

  private async open(): Promise<void> {
    const { clock } = this.deps
    const refusedMs = clock.monotonicMs() + TICK_MS
    try {
      const opened = await openSealed(this.deps, this.job.accepted, this.sealed)
      this.response = opened.response
      this.request = opened.request
      this.dispatch({ type: 'opened', expectedPrompt: opened.expectedPrompt })
      // From here on the client alone is told what is wrong.
      if (opened.error) this.fail(opened.error)
    } catch {
      // Before opening, every failure looks alike on the wire, and is told after the same time:
      // what had been checked by then does not show.
      const told = () => this.dispatch({ type: 'openFailed', code: 'cannot-open' })
      this.undo.push(clock.after(Math.max(0, refusedMs - clock.monotonicMs()), told))
    }
  }

  private run(): void {
    const { clock } = this.deps
    const tick = () => {
      this.stopTicks = clock.after(TICK_MS, tick)
      if (this.sending < 4) this.dispatch({ type: 'tick' }) // else the network is slower: wait
    }
    this.stopTicks = clock.after(TICK_MS, tick)
    if (this.request) this.generate(this.request).catch((error) => this.fail(error))
  }

  private async generate(request: Readable): Promise<void> {
    const { backend } = this.deps
    // Nothing runs unpaid, not even the prompt: a least length counts until the model has counted.
    if (!(await this.gate.pass(0))) {
      const piece = { type: 'end', finishReason: 'unpaid', usage: NO_USAGE } as const
      this.dispatch({ type: 'piece', piece })
      return
    }
    const pieces = backend.run(
      { ...request, model: this.job.accepted.model, mayContinue: (n) => this.gate.pass(n) },
      this.stopBackend.signal,
    )
    for await (const piece of pieces) this.dispatch({ type: 'piece', piece })
  }

  private fail(thrown: unknown): void {
    const { code, facts } = asMarketError(thrown, 'backend-failed')
    this.dispatch({ type: 'failed', code, facts })
  }

  private finish({ outcome, billed, cost }: Extract<JobEffect, { type: 'finish' }>): void {
    const { clock, identity, logger } = this.deps
    const endS = Math.max(this.startS, Math.floor(clock.nowMs() / 1000))
    const transcriptHash = this.response?.transcriptHash() ?? sha256(this.sealed)
    const done = { outcome, billed, cost, startS: this.startS, endS, transcriptHash }
    const issued = signReceipt(this.job.accepted, done, identity)
    const { jobId: job, record: receipt, signature, hash } = issued
    logger.info({ job, outcome, receipt: toHex(hash) }, 'job ended')
    this.outbox = this.outbox
      .then(() => this.job.issue(issued))
      .then(() => this.stream.send({ kind: { case: 'finished', value: { receipt, signature } } }))
      .catch((error) => {
        logger.warn({ job, code: asMarketError(error).code }, 'receipt not sent')
      })
  }
}
