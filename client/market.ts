/**
 * The market as an application holds it: submit, quote, models, balance, channels, receipts.
 *
 * Everything it needs is handed in; `client.ts` builds that from real or simulated ports.
 * @module
 */
import type { NamedAsset } from '../contracts/base/assets.ts'
import { MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import type { NetworkConfig } from '../contracts/base/network.ts'
import type { Chain, Directory, Store, Wallet } from '../contracts/base/ports.ts'
import type { NanoTon } from '../contracts/base/units.ts'
import { termsOf } from '../contracts/money/marketTerms.ts'
import { balanceOf, walletOf } from './balance.ts'
import { createChannelVerbs } from './channelVerbs.ts'
import { createHandle } from './handle.ts'
import { createKeeper } from './keeper.ts'
import { retiredError, type SchedulerLine } from './line.ts'
import { quoteJob } from './quote.ts'
import { type SubmitNeeds, submitJob } from './submit.ts'
import type { Job, JobRequest, Market, Quote } from './types.ts'

export interface MarketNeeds extends Omit<SubmitNeeds, 'line'> {
  readonly network: NetworkConfig
  readonly named: NamedAsset
  readonly chain: Chain
  readonly directory: Directory
  readonly wallet: Wallet
  readonly store: Store
  readonly line: SchedulerLine
  /** Puts free coins into the wallet where the network has a faucet. */
  fund(needed: NanoTon): Promise<void>
  /** Puts a deposit in the market's asset into the wallet, where the network gives it. */
  fundDeposit(needed: bigint): Promise<void>
  /** Closes what this client opened: store, transport. */
  release(): Promise<void>
}

/** Finished jobs whose handles are kept, so that a repeated id is answered with the same job. */
const KEPT_JOBS = 64

/** The market over its parts. */
export function createMarket(needs: MarketNeeds): Market {
  const { network, line, journal, prepare } = needs
  const submitNeeds: SubmitNeeds = { ...needs, line: () => line.current() }
  const jobs = new Map<string, Job>()
  const open = new Set<Promise<void>>()
  const closing = new AbortController()
  let closed: Promise<void> | undefined
  const { asset } = needs.named
  const verbs = createChannelVerbs({ ...needs, asset, openJobs: () => open.size })
  const keeper = createKeeper(needs, verbs.finishDue)
  keeper.wake()

  const submit = (request: JobRequest): Job => {
    if (closed) throw new MarketError('aborted', { market: 'closed' })
    if (line.retired) throw retiredError()
    const prepared = prepare(request)
    const { jobId } = prepared.spec
    const known = jobs.get(jobId)
    if (known) return known
    if (open.size >= LIMITS.jobsPerChannel) {
      throw new MarketError('too-many-jobs', { open: open.size, most: LIMITS.jobsPerChannel })
    }
    const signals = request.signal ? [request.signal, closing.signal] : [closing.signal]
    const control = createHandle(jobId, AbortSignal.any(signals))
    jobs.set(jobId, control.job)
    const running = submitJob(submitNeeds, request, prepared, control).finally(() => {
      open.delete(running)
      if (jobs.size > KEPT_JOBS + open.size) jobs.delete(jobs.keys().next().value ?? '')
    })
    open.add(running)
    return control.job
  }

  const close = async () => {
    closing.abort(new MarketError('aborted'))
    await Promise.all(open)
    await keeper.stop()
    await line.close()
    await needs.release()
  }

  return {
    network,
    asset: needs.named,
    submit,
    quote: (request) => quoteOf(needs, request),
    async models() {
      return (await line.greeted()).models()
    },
    wallet: () => walletOf(needs),
    balance: () => balanceOf({ ...needs, asset }),
    channels: verbs.channels,
    topUp: verbs.topUp,
    async closeChannel(address) {
      const result = await verbs.closeChannel(address)
      keeper.wake()
      return result
    },
    finishClose: verbs.finishClose,
    receipts: async (options) => journal.receipts(options),
    close: () => (closed ??= close()),
    [Symbol.asyncDispose]: () => (closed ??= close()),
  }
}

/** What is on offer is asked over the greeted connection: a quote needs no channel. */
async function quoteOf(needs: MarketNeeds, request: JobRequest): Promise<Quote> {
  const prepared = needs.prepare(request)
  const { closeDelayS, scheduler, models } = await needs.line.greeted()
  return quoteJob(prepared, {
    models: await models(request.signal),
    fee: scheduler.fee,
    closeDelayS,
    asset: needs.named.asset,
    parameters: termsOf(needs.directory.current(), prepared.spec.model),
  })
}
