/**
 * Runs one job of a client: performs what the machine in `job.ts` decides, between the client's stream,
 * the pool, one leg to a provider at a time, and the two accounts.
 * @module
 */
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import type { JobMessage, JobMessageSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'
import type { MessageStream } from '../net/messageStream.ts'
import type { PayeeAccount } from '../settlement/payeeAccount.ts'
import type { ReceiptBook } from '../settlement/receiptBook.ts'
import {
  type JobEffect,
  type JobEvent,
  type JobState,
  startJob,
  stepJob,
  type TimerName,
} from './job.ts'
import { type Leg, type LegDeps, openLeg, type PaidProvider } from './leg.ts'
import type { OfferView, Outcome, Pool } from './pool.ts'

export interface RunnerDeps extends LegDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly pool: Pool
  /** A provider that is connected and can be paid now. */
  provider(identity: string): PaidProvider | undefined
  readonly receipts: ReceiptBook
}

/** Serves a job that has been admitted, until its end. Never throws. */
export function runJob(
  deps: RunnerDeps,
  stream: MessageStream<typeof JobMessageSchema>,
  spec: JobSpec,
  account: PayeeAccount,
): Promise<void> {
  return new JobRun(deps, stream, spec, account).run()
}

class JobRun {
  private readonly deps: RunnerDeps
  private readonly stream: MessageStream<typeof JobMessageSchema>
  private readonly spec: JobSpec
  private readonly account: PayeeAccount
  private readonly timers = new Map<TimerName, () => void>()
  private readonly over = Promise.withResolvers<void>()
  private state: JobState
  private leg?: Leg
  private offer?: OfferView
  private placedAtMs = 0
  private outbox: Promise<unknown> = Promise.resolve()

  constructor(
    deps: RunnerDeps,
    stream: MessageStream<typeof JobMessageSchema>,
    spec: JobSpec,
    account: PayeeAccount,
  ) {
    this.deps = deps
    this.stream = stream
    this.spec = spec
    this.account = account
    this.state = startJob(spec.exclude).state
  }

  async run(): Promise<void> {
    const stop = this.account.onGrant(this.spec.jobId, (total) => {
      this.cover(total).catch((error) => this.legFailed(error))
    })
    for (const effect of startJob(this.spec.exclude).effects) this.perform(effect)
    void this.read()
    await this.over.promise
    stop()
    await this.outbox
    await this.stream.close().catch(() => undefined)
  }

  private async read(): Promise<void> {
    try {
      for await (const message of this.stream) await this.receive(message)
    } catch (error) {
      const { code } = asMarketError(error)
      this.deps.logger.debug({ job: this.spec.jobId, code }, 'client stream broke')
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
        throw new MarketError('bad-frame', { unexpected: kind.case ?? 'nothing' })
    }
  }

  /** One step; resolves when what it sends has been taken: awaiting it is back-pressure. */
  private dispatch(event: JobEvent): Promise<void> {
    const { state, effects } = stepJob(this.state, event)
    this.state = state
    const sent: unknown[] = []
    for (const effect of effects) sent.push(this.perform(effect))
    return Promise.all(sent).then(() => undefined)
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
        const tookMs = Math.max(1, Math.round(clock.monotonicMs() - this.placedAtMs))
        return void pool.free(this.matchId(effect.attempt), effect.place.slot, effect.ok, tookMs)
      }
      case 'timer':
        this.timers.get(effect.name)?.()
        this.timers.set(
          effect.name,
          clock.after(effect.afterMs, () => this.dispatch({ type: 'timer', name: effect.name })),
        )
        return undefined
      case 'stopTimer':
        this.timers.get(effect.name)?.()
        this.timers.delete(effect.name)
        return undefined
      case 'end':
        return void this.over.resolve()
      default:
        return this.performLeg(effect)
    }
  }

  private performLeg(effect: JobEffect): Promise<unknown> | undefined {
    switch (effect.type) {
      case 'tellQueued':
        return this.tell({ case: 'queued', value: { ahead: this.deps.pool.waiting() } })
      case 'tellPlaced': {
        this.cover(this.account.granted(this.spec.jobId)).catch((error) => this.legFailed(error))
        return this.tell({ case: 'placed', value: this.leg!.placed(effect.attempt) })
      }
      case 'tellLost': {
        const { attempt, code, mayRetry } = effect
        return this.tell({ case: 'lost', value: { attempt, code, mayRetry } })
      }
      case 'tellRefused': {
        const refused = toRefused(new MarketError(effect.code, effect.facts))
        return this.tell({ case: 'refused', value: refused })
      }
      case 'forwardRequest':
        return this.leg?.forward(effect.bytes).catch((error) => this.legFailed(error))
      case 'forwardFrames': {
        const { frames, billed } = effect
        return this.tell({ case: 'frames', value: { frames: [...frames], billed } })
      }
      case 'abortProvider':
        return this.leg?.send({ kind: { case: 'abort', value: {} } }).catch(() => undefined)
      case 'dropProvider':
        this.leg?.abandon()
        this.leg = undefined
        return undefined
      case 'settle':
        return this.settle(effect.receipt, effect.signature)
      case 'forgiveJob':
        return this.inOrder(() => this.account.finish(this.spec.jobId, 0n))
      default:
        return undefined
    }
  }

  private match(attempt: number, excluded: readonly string[]): void {
    this.deps.pool.ask(this.matchId(attempt), this.spec, excluded, (outcome) => {
      if (outcome.type === 'matched') this.offer = outcome.offer
      void this.dispatch(this.matchEvent(outcome))
    })
  }

  private matchEvent(outcome: Outcome): JobEvent {
    switch (outcome.type) {
      case 'matched': {
        this.placedAtMs = this.deps.clock.monotonicMs()
        return { type: 'matched', place: { slot: outcome.slot, provider: outcome.offer.provider } }
      }
      case 'queued':
        return { type: 'queued' }
      case 'expired':
        return { type: 'refused', code: 'expired', facts: { deadlineMs: this.spec.deadlineMs } }
      case 'refused': {
        const { refused: code, job: _, ...facts } = outcome.decision
        return { type: 'refused', code, facts }
      }
    }
  }

  private async lease(attempt: number): Promise<void> {
    const offer = this.offer!
    const provider = this.deps.provider(offer.provider)
    if (!provider) return this.dispatch({ type: 'attemptFailed', code: 'provider-lost' })
    try {
      const job = { spec: this.spec, attempt, offer, provider }
      const current = () => this.state.attempt === attempt && this.state.place !== undefined
      const leg = await openLeg(this.deps, job, async (event) => {
        if (current()) await this.dispatch(event)
      })
      if (current()) this.leg = leg
      leg.listen()
      if (!current()) leg.abandon()
    } catch (error) {
      await this.legFailed(error)
    }
  }

  /** The provider is granted the cost inside what the client has granted, while an attempt stands. */
  private async cover(total: bigint): Promise<void> {
    if (this.leg?.accepted() && total > 0n) await this.leg.cover(total)
  }

  private async legFailed(thrown: unknown): Promise<void> {
    const { code } = asMarketError(thrown, 'provider-lost')
    await this.dispatch({
      type: 'attemptFailed',
      code: code === 'unreachable' ? 'provider-lost' : code,
    })
  }

  private settle(receipt: Uint8Array, signature: Uint8Array): Promise<unknown> {
    const { leg } = this
    if (!leg) return Promise.resolve()
    return this.inOrder(async () => {
      const checked = leg.check({ $typeName: 'chrysalis.v1.Finished', receipt, signature })
      const { cost, fee } = checked.receipt
      const { receipts } = this.deps
      await receipts.keep(this.spec.jobId, leg.receiptFile(checked.finished))
      await this.account.finish(this.spec.jobId, cost + fee, checked.hash)
      await this.stream.send({ kind: { case: 'finished', value: { receipt, signature } } })
      // The provider is settled when the client has countersigned, or has had its time to.
      receipts
        .awaitCountersignature(this.spec.jobId)
        .then((clientSignature) => leg.pay(checked, clientSignature))
        .catch((error) => this.log(error, 'provider not settled yet'))
    })
  }

  private tell(kind: Parameters<typeof this.stream.send>[0]['kind']): Promise<unknown> {
    return this.inOrder(() => this.stream.send({ kind }))
  }

  private inOrder(task: () => Promise<unknown>): Promise<unknown> {
    const done = this.outbox.then(task).catch((error) => this.log(error, 'client leg failed'))
    this.outbox = done
    return done
  }

  private log(error: unknown, message: string): void {
    const { code } = asMarketError(error)
    this.deps.logger.info({ job: this.spec.jobId, code }, message)
  }

  private matchId(attempt: number): string {
    return `${this.spec.jobId}#${attempt}`
  }
}
