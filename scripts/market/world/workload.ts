/**
 * What the client of a simulated world asks for: jobs at seeded moments, of seeded sizes, some of
 * them aborted on the way.
 * @module
 */
import type { Market } from '../../../client/types.ts'
import { toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { asMarketError, type ErrorCode } from '../../../contracts/base/errors.ts'
import type { Clock } from '../../../contracts/base/ports.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import type { SeededRandom } from '../../../node/system/seededRandom.ts'

export const WORLD_MODEL = 'simulated-words'

/** How one job ended for the application. */
export interface JobRecord {
  readonly number: number
  readonly jobId: string
  /** The job id that the result is of: another one where a lost answer was continued. */
  readonly resultId: string
  readonly outcome: 'done' | ErrorCode
  readonly attempts: number
  /** Cost and fee; what an error cost is in the books only. */
  readonly charged: bigint
  readonly tokens: number
  readonly receiptHash?: string
  readonly verified: boolean
  readonly disputed: boolean
  /** Whether the application had asked for an abort. */
  readonly aborted: boolean
  readonly resumed: boolean
}

export interface Workload {
  /** How each job ended, by its number; a hole where it has not ended. */
  readonly records: readonly (JobRecord | undefined)[]
  /** Resolves when every job has ended. */
  readonly done: Promise<void>
}

/** Share of the jobs that come together with the one before. */
const BURST = 0.4

/**
 * Starts submitting, a job every `gapMs` on average; the world's clock drives it. `market` gives
 * the client of the moment.
 */
export function startWorkload(
  clock: Clock,
  random: SeededRandom,
  { jobs, gapMs }: { readonly jobs: number; readonly gapMs: number },
  market: () => Market | undefined,
): Workload {
  const records: (JobRecord | undefined)[] = Array.from({ length: jobs })
  const run = async (number: number, atMs: number): Promise<void> => {
    const own = random.fork(`job/${number}`)
    await clock.sleep(atMs)
    records[number] = await runJob(clock, own, number, market())
  }
  let atMs = 0
  const running = records.map((_, number) => {
    if (!random.chance(BURST)) atMs += random.int(Math.ceil((2 * gapMs) / (1 - BURST)))
    return run(number, atMs)
  })
  return { records, done: Promise.all(running).then(() => undefined) }
}

async function runJob(
  clock: Clock,
  random: SeededRandom,
  number: number,
  market: Market | undefined,
): Promise<JobRecord> {
  const jobId = toHex(random.bytes(16))
  const words = 1 + random.int(40)
  const asked = Array.from({ length: words }, () => random.pick(['what', 'is', 'this']))
  const stopAfterMs = random.chance(0.06) ? 50 + random.int(1_500) : undefined
  const resume = random.chance(0.3)
  const request = {
    model: WORLD_MODEL,
    messages: [{ role: 'user' as const, content: asked.join(' ') }],
    maxTokens: 16 + random.int(80),
    jobId,
    resume,
    deadlineMs: 20_000,
  }
  const base = { number, jobId, resultId: jobId, verified: false, disputed: false, resumed: false }
  const nothing = { ...base, attempts: 0, charged: 0n, tokens: 0 }
  let aborted = false
  try {
    if (!market) return { ...nothing, aborted, outcome: 'unreachable' }
    const job = market.submit(request)
    const cancel =
      stopAfterMs === undefined
        ? () => undefined
        : clock.after(stopAfterMs, () => {
            aborted = true
            job.abort()
          })
    const result = await job.result().finally(cancel)
    return {
      ...base,
      resultId: result.id,
      outcome: 'done',
      aborted,
      attempts: result.attempts,
      charged: result.cost + result.fee,
      tokens: result.usage.completion,
      receiptHash: result.receiptHash,
      verified: result.verified,
      disputed: result.disputed,
      resumed: result.resumedFrom.length > 0,
    }
  } catch (thrown) {
    return { ...nothing, aborted, outcome: asMarketError(thrown).code }
  }
}

/** One line a job, in order: what the world's hash covers of them. */
export function recordHash(records: readonly JobRecord[]): Uint8Array {
  const lines = records.map(({ number, jobId, outcome, charged, receiptHash }) =>
    [number, jobId, outcome, charged, receiptHash ?? '-'].join(' '),
  )
  return sha256(utf8(lines.join('\n')))
}
