/**
 * The scheduler's clients: job streams in, admitted against the client's live account.
 *
 * A client is known by nothing but its channel; the connection that has opened the channel's
 * account may submit jobs on it.
 * @module
 */
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { FrameStream } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { JobMessageSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import { type JobSpec, parseSubmit } from '../../contracts/wire/submit.ts'
import { messageStream } from '../net/messageStream.ts'
import { assetOfChannel } from '../settlement/channelKind.ts'
import type { PayeeAccount } from '../settlement/payeeAccount.ts'
import type { PayeeBook } from '../settlement/payeeBook.ts'
import { admit } from './admission.ts'
import { createFreshFunds } from './freshFunds.ts'
import { type RunnerDeps, runJob } from './jobRunner.ts'

export interface ClientDeps extends RunnerDeps {
  readonly book: Pick<PayeeBook, 'live'>
}

export interface Clients {
  /** Serves one job stream of a client until the job has ended. */
  serve(raw: FrameStream): Promise<void>
  /** Whether a job of a channel waits or runs. */
  isOpen(channel: string, jobId: string): boolean
  /** Jobs that wait or run. */
  open(): number
  /** Resolves when no job is open. */
  idle(): Promise<void>
}

/** The open jobs of all clients. */
export function createClients(deps: ClientDeps): Clients {
  const jobs = createOpenJobs(deps)
  const open = new Set<Promise<void>>()
  const freshFunds = createFreshFunds(deps.clock)

  const serve = async (raw: FrameStream): Promise<void> => {
    const stream = messageStream(JobMessageSchema, raw, deps.clock)
    let leave = () => {}
    try {
      const first = await stream.next(LIMITS.helloMs)
      if (first?.kind.case !== 'submit') throw new MarketError('bad-frame', { expected: 'submit' })
      const submitted = parseSubmit(first.kind.value)
      const account = deps.book.live(submitted.channel.toRawString())?.account
      const spec = account ? { ...submitted, asset: assetOfChannel(account.config) } : submitted
      const entered = await freshFunds(account, () => jobs.enter(spec, raw.peer))
      leave = entered.leave
      deps.logger.info({ job: spec.jobId, model: spec.model }, 'job admitted')
      await runJob(deps, stream, spec, entered.account)
    } catch (thrown) {
      const error = asMarketError(thrown)
      deps.logger.info({ peer: raw.peer, code: error.code }, 'job refused')
      const refused = { kind: { case: 'refused' as const, value: toRefused(error) } }
      await stream.send(refused).catch(() => undefined)
      await stream.close().catch(() => undefined)
    } finally {
      leave()
    }
  }

  return {
    serve(raw) {
      const running = serve(raw).finally(() => open.delete(running))
      open.add(running)
      return running
    },
    isOpen: jobs.isOpen,
    open: () => open.size,
    idle: async () => {
      await Promise.all(open)
    },
  }
}

/** Who may enter: what each open job of a channel has been promised, and ids seen before. */
function createOpenJobs(deps: ClientDeps) {
  const reserved = new Map<string, Map<string, NanoTon>>()
  const openIds = new Set<string>()
  /** Also of jobs that have ended: one id is one job, for the provider's account knows no more. */
  const remembered = new Set<string>()

  const leave = (channel: string, jobId: string) => {
    const ofChannel = reserved.get(channel)
    ofChannel?.delete(jobId)
    openIds.delete(jobId)
    if (ofChannel?.size === 0) reserved.delete(channel)
  }

  return {
    isOpen: (channel: string, jobId: string) => reserved.get(channel)?.has(jobId) ?? false,
    /** Throws `no-channel`, `duplicate-job` and what `admit` throws. */
    enter(spec: JobSpec, peer: string): { account: PayeeAccount; leave: () => void } {
      const { jobId } = spec
      const channel = spec.channel.toRawString()
      const live = deps.book.live(channel)
      if (live?.peer !== peer) throw new MarketError('no-channel', { channel })
      if (remembered.has(jobId) || openIds.has(jobId)) {
        throw new MarketError('duplicate-job', { job: jobId })
      }
      const ofChannel = reserved.get(channel) ?? new Map<string, NanoTon>()
      const lowestTick = Math.min(spec.maxTick, deps.pool.lowestTick(spec.model, spec.asset) ?? 0)
      const terms = { ...deps.terms(spec.model), lowestTick, fee: deps.fee }
      ofChannel.set(jobId, admit(spec, live.account.state(), ofChannel, terms))
      reserved.set(channel, ofChannel)
      openIds.add(jobId)
      remembered.add(jobId)
      if (remembered.size > LIMITS.rememberedJobs) {
        remembered.delete(remembered.values().next().value!)
      }
      return { account: live.account, leave: () => leave(channel, jobId) }
    },
  }
}
