/**
 * From a submitted request to its end: connection, journal, runs, continuation, result.
 *
 * A job is one run; where the application asked for `resume`, a provider lost in the middle of the
 * answer is followed by another run with a new job id, to which the delivered text is given.
 * @module
 */
import { assetKey } from '../contracts/base/assets.ts'
import { toHex } from '../contracts/base/bytes.ts'
import { asMarketError, type ErrorCode, MarketError } from '../contracts/base/errors.ts'
import type { SigningKey } from '../contracts/base/signing.ts'
import type { ConnectedLine } from './dial.ts'
import type { JobControl } from './handle.ts'
import type { Journal } from './journal.ts'
import { continuation, type PreparedJob } from './prepare.ts'
import { JobRun } from './runJob.ts'
import type { RunEnd, RunNeeds } from './runTypes.ts'
import { type ServedBy, servedBy, weakest } from './servedBy.ts'
import type { JobRequest, JobResult } from './types.ts'

/** What submitting needs. */
export interface SubmitNeeds extends RunNeeds {
  readonly journal: Journal
  line(): Promise<ConnectedLine>
  prepare(request: JobRequest): PreparedJob
  /** The one-job key: from the key file, so that it is the same after a crash. */
  jobKey(jobId: string): SigningKey
}

/** What earlier runs of a continued answer delivered. */
interface Before {
  readonly text: string
  readonly reasoning: string
  readonly tokens: number
  readonly attempts: number
  readonly jobIds: readonly string[]
  /** The weakest provider so far. */
  readonly served?: ServedBy
}

const NOTHING_BEFORE: Before = { text: '', reasoning: '', tokens: 0, attempts: 0, jobIds: [] }

/** Drives `control` to its end. Never rejects. */
export async function submitJob(
  needs: SubmitNeeds,
  request: JobRequest,
  prepared: PreparedJob,
  control: JobControl,
): Promise<void> {
  try {
    control.finish(await runToEnd(needs, request, prepared, control))
  } catch (error) {
    control.fail(asMarketError(error))
  }
}

async function runToEnd(
  needs: SubmitNeeds,
  request: JobRequest,
  prepared: PreparedJob,
  control: JobControl,
): Promise<JobResult> {
  let before = NOTHING_BEFORE
  let job = prepared
  for (;;) {
    const end = await runOnce(needs, job, before, control)
    if (!end.error) return jobResult(job, end, before)
    if (!mayContinue(job, end)) throw end.error
    before = after(before, job, end)
    const tokensLeft = prepared.spec.maxTokens - before.tokens
    if (tokensLeft < 1) throw end.error
    needs.logger.info({ job: job.spec.jobId, tokensLeft }, 'continuing a lost answer')
    const lostBy = end.placement ? [toHex(end.placement.lease.provider)] : []
    const exclude = [...(request.exclude ?? []), ...lostBy]
    job = needs.prepare(continuation({ ...request, exclude }, before.text, before.tokens))
  }
}

async function runOnce(
  needs: SubmitNeeds,
  job: PreparedJob,
  before: Before,
  control: JobControl,
): Promise<RunEnd> {
  const { clock, journal, logger } = needs
  const { jobId, model } = job.spec
  if (control.signal.aborted) throw new MarketError('aborted')
  await journal.begin(jobId, { atMs: clock.nowMs(), model })
  let end: RunEnd
  try {
    const line = await needs.line()
    const run = new JobRun(needs, line, {
      job,
      key: needs.jobKey(jobId),
      signal: control.signal,
      onPiece: (piece) =>
        control.push({ ...piece, completionTokens: before.tokens + piece.completionTokens }),
      onVerified: (placement) => control.setServedBy(weakest(before.served, servedBy(placement))),
    })
    control.setPartial(() => {
      const { text, reasoning, usage } = run.partial()
      return { text: before.text + text, reasoning: before.reasoning + reasoning, usage }
    })
    end = await run.run()
  } catch (error) {
    await journal.end(jobId, { state: 'failed', code: asMarketError(error).code })
    throw error
  } finally {
    job.body.wipe() // its last attempt is over; a continuation has a body of its own
  }
  const { error, checked } = end
  const kept = checked && { hash: toHex(checked.receiptHash), file: checked.file }
  const state = error ? 'failed' : 'done'
  await journal.end(jobId, { state, code: error?.code }, kept)
  logger.info({ job: jobId, state, code: error?.code, attempts: end.attempts }, 'job ended')
  return end
}

/** Ends of an attempt that another provider may take up. */
const LOST: readonly ErrorCode[] = ['provider-lost', 'stalled', 'backend-failed']

/** Lost in the middle, with something delivered, and the application asked for a continuation. */
function mayContinue({ resume }: PreparedJob, { error, partial }: RunEnd): boolean {
  const lost = error !== undefined && LOST.includes(error.code)
  return resume && lost && partial.text !== ''
}

function after(before: Before, { spec }: PreparedJob, end: RunEnd): Before {
  const { partial, attempts, placement } = end
  return {
    text: before.text + partial.text,
    reasoning: before.reasoning + partial.reasoning,
    tokens: before.tokens + partial.usage.completion + partial.usage.reasoning,
    attempts: before.attempts + attempts,
    jobIds: [...before.jobIds, spec.jobId],
    served: placement ? weakest(before.served, servedBy(placement)) : before.served,
  }
}

function jobResult({ spec }: PreparedJob, end: RunEnd, before: Before): JobResult {
  const { checked, placement, partial } = end
  if (!checked || !placement) throw new MarketError('internal', { detail: 'no receipt' })
  const { receipt } = checked
  return {
    id: spec.jobId,
    text: before.text + partial.text,
    reasoning: before.reasoning + partial.reasoning,
    finishReason: end.finishReason,
    usage: partial.usage,
    billed: receipt.billed,
    asset: assetKey(spec.asset),
    cost: receipt.cost,
    fee: receipt.fee,
    receipt: checked.file,
    receiptHash: toHex(checked.receiptHash),
    verified: checked.verified,
    disputed: checked.disputed,
    ...weakest(before.served, servedBy(placement)),
    attempts: before.attempts + end.attempts,
    resumedFrom: before.jobIds,
    counted: checked.counted,
    timings: end.timings,
  }
}
