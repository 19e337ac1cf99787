/**
 * Runs one job over a live connection to a scheduler: performs what the machine in `job.ts`
 * decides.
 *
 * Reads the job stream in order, checks and opens what comes, and reports it to the machine as
 * events. One `JobRun` is one job id; a continuation after a loss is another (`submit.ts`).
 * @module
 */

import { asMarketError, isErrorCode, MarketError } from '../contracts/base/errors.ts'
import { sealRequest } from '../contracts/seal/request.ts'
import type {
  Finished,
  JobMessage,
  JobMessageSchema,
  Placed,
} from '../contracts/wire/generated/chrysalis_pb.ts'
import { fromRefused } from '../contracts/wire/messages.ts'
import { toSubmit } from '../contracts/wire/submit.ts'
import type { MessageStream } from '../node/net/messageStream.ts'
import { type Answer, openAnswer } from './answer.ts'
import { type CheckedJob, checkReceipt } from './checkReceipt.ts'
import { startJob, stepJob } from './job.ts'
import type { JobEffect, JobEvent, JobState } from './jobTypes.ts'
import { refusalTick } from './refusalTick.ts'
import type { JobLine, RunEnd, RunNeeds, RunOptions } from './runTypes.ts'
import { createTimers, type Timers } from './timers.ts'
import type { Delivered, JobTimings } from './types.ts'
import { type Placement, verifyPlacement } from './verifyPlacement.ts'

export class JobRun {
  readonly #needs: RunNeeds
  readonly #line: JobLine
  readonly #options: RunOptions
  readonly #startMs: number
  readonly #end = Promise.withResolvers<RunEnd>()
  readonly #timers: Timers
  readonly #marks: { -readonly [K in keyof JobTimings]: JobTimings[K] } = { totalMs: 0 }
  #state: JobState
  #stream: MessageStream<typeof JobMessageSchema> | undefined
  #offered: Placed | undefined
  #placement: Placement | undefined
  #answer: Answer | undefined
  #finished: Finished | undefined
  #checked: CheckedJob | undefined

  constructor(needs: RunNeeds, line: JobLine, options: RunOptions) {
    this.#needs = needs
    this.#line = line
    this.#options = options
    this.#startMs = needs.clock.monotonicMs()
    this.#timers = createTimers(needs.clock, (name) => this.#dispatch({ type: 'timer', name }))
    this.#state = startJob(options.job.bounds, options.job.spec.deadlineMs).state
  }

  /** Runs the job to its end. Never rejects: an error is part of how it ended. */
  async run(): Promise<RunEnd> {
    const { signal } = this.#options
    const onAbort = () => this.#dispatch({ type: 'abort' })
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    void this.#converse()
    const end = await this.#end.promise
    signal.removeEventListener('abort', onAbort)
    return end
  }

  /** What has been delivered so far. */
  partial(): Delivered {
    const { text, reasoning, usage } = this.#state
    return { text: text.reveal(), reasoning: reasoning.reveal(), usage }
  }

  async #converse(): Promise<void> {
    const { job, key, signal } = this.#options
    try {
      const stream = await this.#line.openJob(signal)
      if (this.#state.phase === 'failed') return stream.abort(new MarketError('aborted'))
      this.#stream = stream
      const { effects } = startJob(job.bounds, job.spec.deadlineMs)
      for (const effect of effects) this.#perform(effect)
      const channel = this.#line.account.channel
      const submit = toSubmit({ ...job.spec, channel, clientJobKey: key.publicKey })
      await stream.send({ kind: { case: 'submit', value: submit } })
      for await (const message of stream) {
        // A message that is not acceptable breaks the job; its receipt may still come after it.
        await this.#receive(message).catch((error: unknown) => this.#failed(error))
      }
      this.#dispatch({ type: 'ended' })
    } catch (error) {
      this.#failed(error)
    }
  }

  /** A fault of the connection ends the stream; anything else breaks the job by its own name. */
  #failed(thrown: unknown): void {
    const error = asMarketError(thrown)
    const lost = error.code === 'unreachable' || error.code === 'stalled'
    this.#dispatch(lost ? { type: 'ended' } : { type: 'broken', error })
  }

  async #receive({ kind }: JobMessage): Promise<void> {
    switch (kind.case) {
      case 'queued':
        return this.#dispatch({ type: 'queued' })
      case 'placed':
        this.#offered = kind.value
        this.#marks.placedMs ??= this.#sinceStart()
        return this.#dispatch({ type: 'placed', attempt: kind.value.attempt })
      case 'refused':
        return this.#dispatch({ type: 'refused', error: fromRefused(kind.value) })
      case 'lost': {
        const { attempt, code, mayRetry } = kind.value
        const error = new MarketError(isErrorCode(code) ? code : 'provider-lost')
        return this.#dispatch({ type: 'lost', attempt, error, mayRetry })
      }
      case 'frames':
        if (!this.#answer) throw new MarketError('bad-frame', { unexpected: 'frames' })
        return this.#dispatch({
          type: 'content',
          content: await this.#answer.read(kind.value.frames),
        })
      case 'finished':
        this.#finished = kind.value
        return this.#dispatch({ type: 'finished' })
      default:
        throw new MarketError('bad-frame', { unexpected: kind.case ?? 'nothing' })
    }
  }

  #dispatch(event: JobEvent): void {
    this.#needs.trace?.(this.#options.job.spec.jobId, `client:${event.type}`)
    const { state, effects } = stepJob(this.#state, event)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
  }

  #perform(effect: JobEffect): void {
    switch (effect.type) {
      case 'timer':
        this.#timers.set(effect.name, effect.ms)
        return
      case 'cancel':
        this.#timers.cancel(effect.name)
        return
      case 'emit':
        this.#emit(effect.text.reveal(), effect.reasoning.reveal(), effect.tokens)
        return
      case 'delivered':
        this.#line.account.delivered(this.#options.job.spec.jobId, effect.charge)
        return
      case 'finish':
        this.#finish(undefined)
        return
      case 'fail':
        this.#finish(effect.error)
        return
      default:
        this.#act(effect).catch((error: unknown) => this.#failed(error))
    }
  }

  /** The effects that wait for something. Each reports its outcome as an event. */
  async #act(effect: JobEffect): Promise<void> {
    const attempt = this.#state.attempt
    switch (effect.type) {
      case 'verify':
        return this.#verify(attempt)
      case 'grant':
        return this.#grant(attempt, effect.amount)
      case 'seal':
        return this.#seal(attempt)
      case 'again':
        return this.#stream?.send({ kind: { case: 'again', value: { attempt: effect.attempt } } })
      case 'sendAbort':
        // Where it cannot be said, the stream has ended, which says the same.
        return this.#stream?.send({ kind: { case: 'abort', value: {} } }).catch(() => undefined)
      case 'checkReceipt':
        return this.#checkReceipt()
      case 'settle': {
        const { receiptHash, clientSignature } = this.#checked ?? {}
        const { charge, disputed } = effect.receipt
        const settlement = { charge, receiptHash, clientSignature, disputed }
        await this.#line.account.settle(this.#options.job.spec.jobId, settlement)
        return this.#dispatch({ type: 'settled' })
      }
      case 'release':
        return this.#line.account.settle(this.#options.job.spec.jobId, {
          charge: 0n,
          disputed: false,
        })
    }
  }

  async #verify(attempt: number): Promise<void> {
    const startMs = this.#needs.clock.monotonicMs()
    const { job, key } = this.#options
    const { shown } = this.#line
    const placement = await verifyPlacement(this.#offered!, {
      ...this.#needs.rules,
      shown: shown?.hashesOf(job.spec.model),
      scheduler: this.#line.scheduler,
      spec: job.spec,
      clientJobKey: key.publicKey,
      attempt,
      nowMs: this.#needs.clock.nowMs(),
    }).catch(async (error: MarketError) => {
      if (error.code === 'bad-model') shown?.forget(job.spec.model)
      await refusalTick(this.#needs.clock, startMs)
      throw error
    })
    this.#marks.verifyMs = this.#needs.clock.monotonicMs() - startMs
    if (attempt !== this.#state.attempt) return
    this.#placement = placement
    this.#options.onVerified(placement)
    this.#dispatch({ type: 'verified', attempt, terms: placement.lease })
  }

  async #grant(attempt: number, amount: bigint): Promise<void> {
    const startMs = this.#needs.clock.monotonicMs()
    const { spec, consent } = this.#options.job
    await this.#line.account.grant(spec.jobId, amount, { consent })
    this.#marks.grantMs ??= this.#needs.clock.monotonicMs() - startMs
    this.#dispatch({ type: 'granted', attempt })
  }

  async #seal(attempt: number): Promise<void> {
    const startMs = this.#needs.clock.monotonicMs()
    const placement = this.#placement!
    const { sealed, response } = await sealRequest({
      kem: this.#needs.kem,
      epochPublicKey: placement.epochKey.kemPublicKey,
      binding: placement.binding,
      clientJobKey: this.#options.key,
      request: this.#options.job.body.reveal(),
    })
    this.#marks.sealMs = this.#needs.clock.monotonicMs() - startMs
    // The job was stopped meanwhile: nobody can have worked, and nothing is awaited.
    if (attempt !== this.#state.attempt || this.#state.phase !== 'sealing') {
      response.close()
      return this.#dispatch({ type: 'unsent', attempt })
    }
    const { promptTokens } = this.#options.job.bounds
    this.#answer?.close()
    this.#answer = openAnswer(response, promptTokens, placement.lease.steps)
    await this.#stream?.send({ kind: { case: 'request', value: { bytes: sealed } } })
    this.#dispatch({ type: 'sealed', attempt })
  }

  async #checkReceipt(): Promise<void> {
    const placement = this.#placement!
    const checked = checkReceipt(this.#finished!, {
      placement,
      transcriptHash: this.#answer!.transcriptHash(),
      received: { ...this.partial(), promptTokens: this.#options.job.bounds.promptTokens },
      granted: this.#state.paid.granted,
      counter: await this.#needs.counterFor(placement.lease.modelHash),
      key: this.#options.key,
    })
    this.#checked = checked
    const { charge, disputed } = checked
    this.#dispatch({ type: 'receiptChecked', receipt: { charge, disputed } })
  }

  #emit(text: string, reasoning: string, completionTokens: number): void {
    this.#marks.ttftMs ??= this.#sinceStart()
    this.#options.onPiece({ text, completionTokens, ...(reasoning && { reasoning }) })
  }

  #finish(error: MarketError | undefined): void {
    this.#timers.cancelAll()
    this.#answer?.close()
    this.#marks.totalMs = this.#sinceStart()
    // Everything is said by now; an error of closing would only hide how the job ended.
    this.#stream?.close().catch(() => undefined)
    this.#end.resolve({
      error,
      checked: this.#checked,
      placement: this.#placement,
      attempts: this.#state.attempt,
      finishReason: this.#state.finishReason ?? 'error',
      partial: this.partial(),
      timings: { ...this.#marks },
    })
  }

  #sinceStart(): number {
    return this.#needs.clock.monotonicMs() - this.#startMs
  }
}
