/**
 * Runs one job of a client: performs what the machine in `job.ts` decides, between the client's
 * stream, the pool, one leg to a provider at a time, and the two accounts.
 * @module
 */
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Clock, Logger, Trace } from '../../contracts/base/ports.ts'
import type { JobMessage } from '../../contracts/wire/generated/chrysalis_pb.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'
import { closeAfter } from '../settlement/guards.ts'
import type { PayeeAccount } from '../settlement/payeeAccount.ts'
import type { ReceiptBook } from '../settlement/receiptBook.ts'
import { type Finds, matchEvent, payable } from './asking.ts'
import { type ClientSide, createClientSide, type JobStream } from './clientSide.ts'
import { startJob, stepJob } from './job.ts'
import type { JobEffect, JobEvent, JobState } from './jobTypes.ts'
import { type Leg, openLeg } from './leg.ts'
import type { LegDeps } from './legTypes.ts'
import type { OfferView } from './offers.ts'
import type { Outcome, Pool } from './poolTypes.ts'
import { settleJob } from './settleJob.ts'
import { createStepper, type Dispatch } from './stepper.ts'
import { createTimers, type Timers } from './timers.ts'

export interface RunnerDeps extends LegDeps, Finds {
  readonly clock: Clock
  readonly logger: Logger
  readonly pool: Pool
  readonly receipts: ReceiptBook
  readonly trace?: Trace
}

/** Serves a job that has been admitted, until its end. Never throws. */
export function runJob(
  deps: RunnerDeps,
  stream: JobStream,
  spec: JobSpec,
  account: PayeeAccount,
): Promise<void> {
  return new JobRun(deps, stream, spec, account).run()
}

class JobRun {
  private readonly deps: RunnerDeps
  private readonly stream: JobStream
  private readonly spec: JobSpec
  private readonly account: PayeeAccount
  private readonly client: ClientSide
  private readonly timers: Timers
  private readonly dispatch: Dispatch<JobEvent>
  private readonly start: () => Promise<void>
  private readonly over = Promise.withResolvers<void>()
  private readonly unheard = Promise.withResolvers<void>()
  private readonly startMs: number
  private state: JobState
  private leg?: Leg
  private offer?: OfferView
  private placedAtMs = 0
  private settling: Promise<unknown> = Promise.resolve()

  constructor(deps: RunnerDeps, stream: JobStream, spec: JobSpec, account: PayeeAccount) {
    this.deps = deps
    this.stream = stream
    this.spec = spec
    this.account = account
    this.state = startJob(spec.exclude).state
    this.startMs = deps.clock.monotonicMs()
    this.client = createClientSide(stream, (error) => this.log(error, 'client not told'))
    const { dispatch, perform } = createStepper<JobEvent, JobEffect>({
      step: (event) => this.step(event),
      perform: (effect) => this.perform(effect),
      failed: (effect, error) => this.effectFailed(effect, error),
    })
    this.dispatch = dispatch
    this.start = () => perform(startJob(spec.exclude).effects)
    this.timers = createTimers(deps.clock, (name) => void this.dispatch({ type: 'timer', name }))
  }

  async run(): Promise<void> {
    const stopGrants = this.account.onGrant(this.spec.jobId, (total) => this.cover(total))
    void this.start()
    const reading = this.read()
    await this.over.promise
    stopGrants()
    await this.settling.catch(() => undefined) // logged where it failed
    await this.client.told()
    await closeAfter(this.stream, this.deps.clock, reading)
  }

  private async read(): Promise<void> {
    try {
      for await (const message of this.stream) await this.receive(message)
    } catch (error) {
      this.log(error, 'client stream broke')
    }
    await this.dispatch({ type: 'clientGone' })
  }

  private receive({ kind }: JobMessage): Promise<void> {
    switch (kind.case) {
      case 'request':
        return this.dispatch({ type: 'request', bytes: kind.value.bytes })
      case 'again':
        return this.dispatch({ type: 'again' })
      case 'abort':
        return this.dispatch({ type: 'abort' })
      default:
        throw new MarketError('bad-frame', { unexpected: kind.case })
    }
  }

  private step(event: JobEvent): readonly JobEffect[] {
    this.deps.trace?.(this.spec.jobId, `scheduler:${event.type}`)
    const { state, effects } = stepJob(this.state, event)
    this.state = state
    return effects
  }

  private effectFailed(effect: JobEffect, error: unknown): JobEvent[] {
    this.log(error, `effect failed: ${effect.type}`)
    const { code } = asMarketError(error)
    if (effect.type === 'match') return [{ type: 'refused', code, facts: {} }]
    return [{ type: 'attemptFailed', code }, { type: 'clientGone' }]
  }

  private perform(effect: JobEffect): Promise<unknown> | undefined {
    const { pool, clock } = this.deps
    switch (effect.type) {
      case 'match':
        return void this.match(effect.attempt, effect.excluded)
      case 'cancelMatch':
        return void pool.cancel(this.matchId(effect.attempt))
      case 'lease':
        return void this.lease(effect.attempt)
      case 'free': {
        const { attempt, place, end } = effect
        const tookMs = Math.round(clock.monotonicMs() - this.placedAtMs)
        return void pool.free(this.matchId(attempt), place.slot, end, tookMs)
      }
      case 'timer':
        return void this.timers.set(effect.name, effect.afterMs)
      case 'stopTimer':
        return void this.timers.stop(effect.name)
      case 'end':
        this.unheard.resolve()
        return void this.over.resolve()
      default:
        return this.performLeg(effect)
    }
  }

  private performLeg(effect: JobEffect): Promise<unknown> | undefined {
    switch (effect.type) {
      case 'tellPlaced':
        this.cover(this.account.granted(this.spec.jobId))
        return this.client.tell({ case: 'placed', value: this.leg!.placed(effect.attempt) })
      case 'forwardRequest':
        return this.leg?.forward(effect.bytes).catch((error) => this.legFailed(error))
      case 'forwardFrames': {
        const { frames, billed } = effect
        const taken = this.client.tell({ case: 'frames', value: { frames: [...frames], billed } })
        const heard = Promise.race([taken, this.unheard.promise])
        return heard.then(() => this.dispatch({ type: 'forwarded' }))
      }
      case 'abortProvider':
        this.unheard.resolve()
        return void this.leg?.abort().catch(() => undefined)
      case 'dropClient':
        return void this.stream.abort(new MarketError(effect.code, { job: this.spec.jobId }))
      case 'dropProvider':
        this.leg?.abandon()
        this.leg = undefined
        return undefined
      case 'settle':
        this.settling = this.settle(effect.receipt, effect.signature)
        return undefined
      case 'forgiveJob':
        this.settling = this.account.finish(this.spec.jobId, 0n)
        this.settling.catch((error) => this.log(error, 'job not ended in the books'))
        return undefined
      default:
        return this.client.say(effect, () => this.deps.pool.waiting())
    }
  }

  private match(attempt: number, excluded: readonly string[]): void {
    const waited = Math.floor(this.deps.clock.monotonicMs() - this.startMs)
    const deadlineMs = Math.max(0, this.spec.deadlineMs - waited)
    this.deps.pool.ask(this.matchId(attempt), { ...this.spec, deadlineMs }, excluded, (outcome) =>
      this.decided(outcome),
    )
  }

  private decided(outcome: Outcome): void {
    if (outcome.type === 'matched') {
      this.offer = outcome.offer
      this.placedAtMs = this.deps.clock.monotonicMs()
    }
    void this.dispatch(matchEvent(outcome, this.spec))
  }

  private async lease(attempt: number): Promise<void> {
    const offer = this.offer!
    const current = () => this.state.attempt === attempt && this.state.place !== undefined
    try {
      const terms = this.deps.terms(offer.model)
      const provider = payable(this.deps, this.spec, offer, terms)
      const job = { spec: this.spec, attempt, offer, provider }
      const leg = await openLeg(this.deps, job, async (event) => {
        if (current()) await this.dispatch(event)
      })
      if (current()) this.leg = leg
      leg.listen()
      if (!current()) leg.abandon()
    } catch (error) {
      if (current()) await this.legFailed(error)
    }
  }

  /** The provider is granted the cost inside what the client has granted, while it stands. */
  private cover(total: bigint): void {
    const { leg } = this
    if (!leg?.accepted || total <= 0n) return
    leg.cover(total).catch((error) => {
      if (this.leg === leg) void this.legFailed(error)
    })
  }

  private async legFailed(thrown: unknown): Promise<void> {
    const { code } = asMarketError(thrown, 'provider-lost')
    const lost = code === 'unreachable' || code === 'stalled'
    await this.dispatch({ type: 'attemptFailed', code: lost ? 'provider-lost' : code })
  }

  private settle(receipt: Uint8Array, signature: Uint8Array): Promise<unknown> {
    const { deps, spec, account, leg } = this
    const job = { ...deps, jobId: spec.jobId, account, leg: leg! }
    const settled = settleJob(job, { receipt, signature }, this.client.tell)
    return settled.catch((error) => this.log(error, 'job not settled'))
  }

  private log(error: unknown, message: string): void {
    this.deps.logger.info({ job: this.spec.jobId, code: asMarketError(error).code }, message)
  }

  private matchId(attempt: number) {
    return `${this.spec.jobId}#${attempt}`
  }
}
