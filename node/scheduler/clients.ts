/**
 * The scheduler's clients: job streams in, admitted against the client's live account.
 *
 * A client is known by nothing but its channel; the connection that has opened the channel's account
 * may submit jobs on it.
 * @module
 */
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, FrameStream, Logger, Store } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { JobMessageSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import { type JobSpec, parseSubmit } from '../../contracts/wire/submit.ts'
import { messageStream } from '../net/messageStream.ts'
import type { PayeeAccount } from '../settlement/payeeAccount.ts'
import type { PayeeBook } from '../settlement/payeeBook.ts'
import { admit } from './admission.ts'
import { type RunnerDeps, runJob } from './jobRunner.ts'
import type { Pool } from './pool.ts'

export interface ClientDeps extends RunnerDeps {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly pool: Pool
  readonly book: PayeeBook
}

export interface Clients {
  /** Serves one job stream of a client until the job has ended. */
  serve(raw: FrameStream): Promise<void>
  /** Jobs that wait or run. */
  open(): number
  /** Resolves when no job is open, or rejects with the signal. */
  idle(): Promise<void>
}

/** The open jobs of all clients. */
export function createClients(deps: ClientDeps): Clients {
  const reserved = new Map<string, Map<string, NanoTon>>()
  const remembered = new Set<string>()
  const open = new Set<Promise<void>>()

  const enter = (spec: JobSpec, peer: string): PayeeAccount => {
    const channel = spec.channel.toRawString()
    const live = deps.book.live(channel)
    if (!live || live.peer !== peer) throw new MarketError('no-channel', { channel })
    if (remembered.has(spec.jobId)) throw new MarketError('duplicate-job', { job: spec.jobId })
    const ofChannel = reserved.get(channel) ?? new Map<string, NanoTon>()
    const ticks = deps.pool
      .offers()
      .filter((o) => o.model === spec.model)
      .map((o) => o.tick)
    const lowestTick = Math.min(spec.maxTick, ...ticks)
    const terms = { lowestTick, fee: deps.fee }
    ofChannel.set(spec.jobId, admit(spec, live.account.state(), ofChannel, terms))
    reserved.set(channel, ofChannel)
    remember(spec.jobId)
    return live.account
  }

  const remember = (jobId: string) => {
    remembered.add(jobId)
    if (remembered.size > LIMITS.rememberedJobs)
      remembered.delete(remembered.values().next().value!)
  }

  const leave = (spec: JobSpec) => {
    const channel = spec.channel.toRawString()
    const ofChannel = reserved.get(channel)
    ofChannel?.delete(spec.jobId)
    if (ofChannel?.size === 0) reserved.delete(channel)
  }

  const serve = async (raw: FrameStream): Promise<void> => {
    const stream = messageStream(JobMessageSchema, raw, deps.clock)
    let spec: JobSpec | undefined
    try {
      const first = await stream.next(LIMITS.helloMs)
      if (first?.kind.case !== 'submit') throw new MarketError('bad-frame', { expected: 'submit' })
      const asked = parseSubmit(first.kind.value)
      const account = enter(asked, raw.peer)
      spec = asked
      deps.logger.info({ job: spec.jobId, model: spec.model }, 'job admitted')
      await runJob(deps, stream, spec, account)
    } catch (thrown) {
      const error = asMarketError(thrown)
      deps.logger.info({ peer: raw.peer, code: error.code }, 'job refused')
      const refused = { kind: { case: 'refused' as const, value: toRefused(error) } }
      await stream.send(refused).catch(() => undefined)
      await stream.close().catch(() => undefined)
    } finally {
      if (spec) leave(spec)
    }
  }

  return {
    serve(raw) {
      const running = serve(raw).finally(() => open.delete(running))
      open.add(running)
      return running
    },
    open: () => open.size,
    idle: async () => {
      await Promise.all(open)
    },
  }
}
