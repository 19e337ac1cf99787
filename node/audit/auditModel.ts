/**
 * The audit of a model: the same probes to the backend under suspicion and to a reference of the
 * auditor's own, until a sequential test has decided or the probes are used up.
 *
 * Two tests run side by side. `text`: the greedy answers are equal. `logprobs`, where both name
 * likely tokens: their distance is within a tolerance. The verdict is `different` as soon as one of
 * them says so, `same` once every one that runs says so. It is deterrence, not proof: a provider
 * that knows a probe can answer it honestly and cheat elsewhere, and reported log-probabilities
 * can be made up (the greedy texts cannot, without the model). Anyone can run it again: prompts
 * follow from a seed, and the report says every figure it came from.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { type Backend, prompt, type TokenLogprob } from '../backends/backend.ts'
import { logprobDistance, type ProbeAnswer, textDiffers } from './compare.ts'
import type { Probe } from './probes.ts'
import { checkPlan, type Decision, decide, observe, SPRT_START, type SprtPlan } from './sprt.ts'

/**
 * Of the texts: the same weights in other arithmetic flip a near-tie now and then (the demo model
 * as 16-bit floats: one answer in twenty); what deviates in fewer than a third of the answers is
 * not told from it.
 */
export const TEXT_PLAN: SprtPlan = {
  sameRate: 0.1,
  differentRate: 0.35,
  alpha: 0.000_5,
  beta: 0.01,
}
/** Of the log-probabilities: one answer in twenty may be beyond the tolerance for no reason. */
export const LOGPROB_PLAN: SprtPlan = {
  sameRate: 0.05,
  differentRate: 0.35,
  alpha: 0.000_5,
  beta: 0.01,
}
/**
 * Mean distance of log-probabilities beyond which an answer counts as deviating: the demo model as
 * 16-bit floats stays below 0.035, rounded to 4 bits three answers in four are beyond
 * (`test/bench/probes.ts`). Where both sides are known to run the same build, less finds more.
 */
export const TOLERANCE = 0.05
export const MAX_PROBES = 200
/** Likely tokens compared at each place. */
const TOP = 5

/** One side of an audit. */
export interface Side {
  readonly backend: Backend
  readonly model: string
}

export interface AuditOptions {
  readonly suspect: Side
  readonly reference: Side
  readonly probes: Iterable<Probe>
  readonly maxProbes?: number
  readonly tolerance?: number
  readonly signal?: AbortSignal
  /** Told after each probe; the texts are not part of it. */
  readonly onProbe?: (count: number, decision: Decision) => void
}

/** One of the tests, with everything it was computed from. */
export interface TestReport extends SprtPlan {
  readonly decision: Decision
  readonly observations: number
  readonly deviations: number
}

export interface AuditReport {
  readonly verdict: Decision
  readonly probes: number
  readonly text: TestReport
  /** Absent where one side names no likely tokens. */
  readonly logprobs?: TestReport & { readonly tolerance: number; readonly meanDistance: number }
  /** Bounds on the probability that a verdict is wrong, where the rates of the plans hold. */
  readonly errors: { readonly falselyDifferent: number; readonly falselySame: number }
}

/** What the tests have seen; `observeAnswers` adds to it. */
export interface Observations {
  readonly text: typeof SPRT_START
  readonly logprobs: typeof SPRT_START
  readonly distanceSum: number
}

export const NOTHING_SEEN: Observations = {
  text: SPRT_START,
  logprobs: SPRT_START,
  distanceSum: 0,
}

/**
 * Runs an audit. Throws what a backend throws, `bad-config`, and `bad-input` where there is no
 * probe.
 *
 * @example
 * const report = await auditModel({ suspect, reference, probes: probesFor('tiny-chat', 1) })
 * report.verdict // 'same'
 */
export async function auditModel(options: AuditOptions): Promise<AuditReport> {
  const { suspect, reference, maxProbes = MAX_PROBES, tolerance = TOLERANCE } = options
  const signal = options.signal ?? new AbortController().signal
  for (const plan of [TEXT_PLAN, LOGPROB_PLAN]) checkPlan(plan)
  if (!(tolerance > 0 && tolerance < 8) || !(maxProbes >= 1)) {
    throw new MarketError('bad-config', { setting: 'tolerance or probes', tolerance, maxProbes })
  }
  const askSuspect = createAsker(suspect, signal)
  const askReference = createAsker(reference, signal)
  let seen = NOTHING_SEEN
  for (const probe of options.probes) {
    const [own, other] = await Promise.all([askSuspect(probe), askReference(probe)])
    seen = observeAnswers(seen, own, other, tolerance)
    const { verdict, probes } = reportOf(seen, tolerance)
    options.onProbe?.(probes, verdict)
    if (verdict !== 'undecided' || probes >= maxProbes) break
  }
  if (seen === NOTHING_SEEN)
    throw new MarketError('bad-input', { field: 'probes', expected: 'one' })
  return reportOf(seen, tolerance)
}

/** What has been seen after one more pair of answers. */
export function observeAnswers(
  seen: Observations,
  suspect: ProbeAnswer,
  reference: ProbeAnswer,
  tolerance: number,
): Observations {
  const text = observe(seen.text, textDiffers(suspect, reference))
  const distance = logprobDistance(suspect, reference)
  if (distance === undefined) return { ...seen, text }
  return {
    text,
    logprobs: observe(seen.logprobs, distance > tolerance),
    distanceSum: seen.distanceSum + distance,
  }
}

/** The report on what has been seen. */
export function reportOf(seen: Observations, tolerance: number): AuditReport {
  const text = { ...TEXT_PLAN, ...seen.text, decision: decide(TEXT_PLAN, seen.text) }
  const measured = seen.logprobs.observations > 0
  const logprobs = {
    ...LOGPROB_PLAN,
    ...seen.logprobs,
    decision: decide(LOGPROB_PLAN, seen.logprobs),
    tolerance,
    meanDistance: seen.distanceSum / Math.max(1, seen.logprobs.observations),
  }
  const tests = measured ? [text, logprobs] : [text]
  const different = tests.some(({ decision }) => decision === 'different')
  const same = tests.every(({ decision }) => decision === 'same')
  return {
    verdict: different ? 'different' : same ? 'same' : 'undecided',
    probes: seen.text.observations,
    text,
    ...(measured ? { logprobs } : {}),
    errors: {
      // Wald's bounds; either test may err towards `different`, every one must err towards `same`.
      falselyDifferent: tests.reduce((sum, { alpha, beta }) => sum + alpha / (1 - beta), 0),
      falselySame: Math.min(...tests.map(({ alpha, beta }) => beta / (1 - alpha))),
    },
  }
}

/**
 * Asks one side for greedy answers. A server that refuses to name likely tokens is asked without
 * from then on.
 */
export function createAsker(side: Side, signal: AbortSignal) {
  let topLogprobs: number | undefined = TOP
  return async (probe: Probe): Promise<ProbeAnswer> => {
    try {
      return await ask(side, probe, topLogprobs, signal)
    } catch (thrown) {
      const refused = thrown instanceof MarketError && REFUSED.includes(Number(thrown.facts.status))
      if (!refused || topLogprobs === undefined) throw thrown
      topLogprobs = undefined
      return ask(side, probe, topLogprobs, signal)
    }
  }
}

/** What servers answer to a parameter that they do not know. */
const REFUSED = [400, 422, 501]

async function ask(
  { backend, model }: Side,
  { messages, maxTokens }: Probe,
  topLogprobs: number | undefined,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const asked = { model, messages: prompt(messages), maxTokens, temperature: 0, topLogprobs }
  let text = ''
  const tokens: TokenLogprob[] = []
  for await (const piece of backend.run(asked, signal)) {
    if (piece.type !== 'text') continue
    text += piece.text
    tokens.push(...(piece.logprobs ?? []))
  }
  return { text, tokens }
}
