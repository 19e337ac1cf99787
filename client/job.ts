/**
 * The client's side of one job as a pure machine: `(state, event) -> { state, effects }`.
 *
 * It decides what to verify, pay, seal, retry, settle and tell the application; `runJob.ts` does it.
 * Clauses: DESIGN "The life of a job"; messages: contracts/wire/README.md. No clock, no keys, no I/O:
 * the property tests feed it events in any order.
 *
 * Architecture invariant: nothing is granted before a placement is verified, nothing is sealed before
 * the first grant is durable, and after `finish` or `fail` there is no further effect.
 * @module
 */
import { MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import { NO_USAGE, type Terms, type TokenUsage } from '../contracts/money/price.ts'
import type {
  CheckedReceipt,
  Content,
  JobEffect,
  JobEvent,
  JobPhase,
  JobState,
  JobStep,
  TimerName,
} from './jobTypes.ts'
import { charge, firstGrant, type JobBounds, lesser, NOTHING_PAID, nextGrant } from './payAhead.ts'

/** Beyond what the scheduler is allowed, so that its own answer wins where it gives one. */
const GRACE_MS = 5_000

/** The machine of a job whose submit is being sent. */
export function startJob(bounds: JobBounds, deadlineMs: number): JobStep {
  const state: JobState = {
    phase: 'placing',
    bounds,
    deadlineMs,
    attempt: 0,
    paid: NOTHING_PAID,
    text: '',
    reasoning: '',
    usage: NO_USAGE,
    begun: false,
    implausible: false,
  }
  return { state, effects: [placeTimer(state)] }
}

/** One step. Events that have no meaning in a phase change nothing. */
export function stepJob(state: JobState, event: JobEvent): JobStep {
  if (state.phase === 'done' || state.phase === 'failed') return same(state)
  switch (event.type) {
    case 'queued':
      return same(state)
    case 'placed':
      return placed(state, event.attempt)
    case 'verified':
    case 'granted':
    case 'sealed':
      return event.attempt === state.attempt ? answered(state, event) : same(state)
    case 'unsent':
      return event.attempt === state.attempt ? unsent(state) : same(state)
    case 'content':
      return content(state, event.content)
    case 'finished':
      return finished(state)
    case 'receiptChecked':
      return receiptChecked(state, event.receipt)
    case 'settled':
      return settled(state)
    case 'lost':
      return lost(state, event)
    case 'refused':
      return isSettling(state) ? same(state) : giveUp(state, event.error, 'release')
    case 'ended':
      return ended(state)
    case 'broken':
      return broken(state, event.error)
    case 'abort':
      return abort(state, new MarketError('aborted', delivered(state)))
    case 'timer':
      return timer(state, event.name)
  }
}

/** What was delivered, as facts of an error: counts only, never text. */
export function delivered(state: JobState): { completionTokens: number; reasoningTokens: number } {
  const { completion, reasoning } = state.usage
  return { completionTokens: completion, reasoningTokens: reasoning }
}

function answered(
  state: JobState,
  event: Extract<JobEvent, { type: 'verified' | 'granted' | 'sealed' }>,
): JobStep {
  if (event.type === 'verified') return verified(state, event.terms)
  if (event.type === 'granted' && state.phase === 'paying') {
    return to(state, 'sealing', [{ type: 'seal' }])
  }
  if (event.type === 'sealed' && state.phase === 'sealing') {
    return to(state, 'streaming', [frameTimer(true)])
  }
  return same(state)
}

function placed(state: JobState, attempt: number): JobStep {
  if (state.phase !== 'placing') return same(state)
  if (attempt <= state.attempt || attempt > LIMITS.attempts) {
    const error = new MarketError('bad-lease', { attempt, expected: state.attempt + 1 })
    return stop(state, error)
  }
  return to({ ...state, attempt }, 'verifying', [cancel('place'), { type: 'verify' }])
}

function verified(state: JobState, terms: Terms): JobStep {
  if (state.phase !== 'verifying') return same(state)
  try {
    const paid = firstGrant(state.paid, state.bounds, terms)
    const next = { ...state, terms, paid }
    const amount = paid.granted - state.paid.granted
    // A later attempt at the same price is covered by what was granted before.
    return amount > 0n
      ? to(next, 'paying', [{ type: 'grant', amount }])
      : to(next, 'sealing', [{ type: 'seal' }])
  } catch (error) {
    return stop(state, error as MarketError)
  }
}

function content(state: JobState, content: Content): JobStep {
  const { terms } = state
  const usage = most(state.usage, content.usage)
  // The first frame may overtake the driver's own word that the request has gone out.
  if (!sealedOut(state) || !terms || state.finishReason !== undefined) return same(state)
  const next: JobState = {
    ...state,
    phase: 'streaming',
    begun: true,
    text: state.text + content.text,
    reasoning: state.reasoning + content.reasoning,
    usage,
    implausible: state.implausible || content.implausible === true,
    finishReason: content.finishReason,
    ending: state.ending ?? content.error,
  }
  const effects: JobEffect[] = []
  if (state.ending === undefined && (content.text !== '' || content.reasoning !== '')) {
    const { text, reasoning } = content
    effects.push({ type: 'emit', text, reasoning, tokens: usage.completion })
  }
  effects.push({ type: 'delivered', charge: lesser(charge(usage, terms), state.paid.granted) })
  const over = content.finishReason !== undefined || content.error !== undefined
  if (over) return { state: next, effects: [...effects, cancel('frame'), receiptTimer()] }
  if (!state.ending) effects.push(frameTimer(false))
  if (next.ending || next.implausible) return { state: next, effects }
  const paid = nextGrant(state.paid, usage, state.bounds, terms)
  const amount = paid.granted - state.paid.granted
  if (amount > 0n) effects.push({ type: 'grant', amount })
  return { state: { ...next, paid }, effects }
}

/** The job was stopped while the request was being sealed: its grant need not wait for a receipt. */
function unsent(state: JobState): JobStep {
  if (state.phase !== 'streaming' || !state.ending || state.begun) return same(state)
  return giveUp(state, state.ending, 'release')
}

function finished(state: JobState): JobStep {
  if (isSettling(state)) return same(state)
  if (!sealedOut(state))
    return stop(state, new MarketError('bad-frame', { unexpected: 'Finished' }))
  return to(state, 'checking', [cancel('frame'), cancel('receipt'), { type: 'checkReceipt' }])
}

function receiptChecked(state: JobState, receipt: CheckedReceipt): JobStep {
  if (state.phase !== 'checking') return same(state)
  const ending = state.ending ?? receipt.error
  // The last frame is missing although the receipt came: somebody cut the stream short.
  const cut = state.finishReason === undefined && ending === undefined
  const next = {
    ...state,
    ending: cut ? new MarketError('seal-broken', delivered(state)) : ending,
  }
  return to(next, 'settling', [{ type: 'settle', receipt }])
}

function settled(state: JobState): JobStep {
  if (state.phase !== 'settling') return same(state)
  return state.ending
    ? to(state, 'failed', [{ type: 'fail', error: state.ending }])
    : to(state, 'done', [{ type: 'finish' }])
}

function lost(state: JobState, event: Extract<JobEvent, { type: 'lost' }>): JobStep {
  if (isSettling(state) || event.attempt < state.attempt) return same(state)
  const again = event.mayRetry && !state.begun && !state.ending && event.attempt < LIMITS.attempts
  if (again) {
    const next = { ...state, attempt: Math.max(state.attempt, event.attempt) }
    return to(next, 'placing', [
      cancel('frame'),
      { type: 'again', attempt: next.attempt },
      placeTimer(state),
    ])
  }
  const error = state.begun
    ? new MarketError('provider-lost', delivered(state), { cause: event.error })
    : new MarketError('no-provider', { attempts: event.attempt, last: event.error.code })
  return giveUp(state, error, 'release')
}

/** The stream ended before the receipt: what was delivered is settled when the account reopens. */
function ended(state: JobState): JobStep {
  if (isSettling(state)) return same(state)
  const error = new MarketError('scheduler-lost', delivered(state))
  // Without a sealed request nobody can have worked, and nothing can be charged.
  return giveUp(state, error, sealedOut(state) ? 'keep' : 'release')
}

function broken(state: JobState, error: MarketError): JobStep {
  // The settlement is in the payer's own durable account by then: the answer is not withheld for it.
  if (state.phase === 'settling') return settled(state)
  if (state.phase === 'checking') {
    const own = state.terms ? charge(state.usage, state.terms) : 0n
    const receipt = { charge: lesser(own, state.paid.granted), disputed: true, error }
    return to({ ...state, ending: state.ending ?? error }, 'settling', [
      { type: 'settle', receipt },
    ])
  }
  return stop(state, error)
}

function abort(state: JobState, error: MarketError): JobStep {
  if (isSettling(state)) return same(state)
  return stop(state, error)
}

function timer(state: JobState, name: TimerName): JobStep {
  if (name === 'place' && state.phase === 'placing') {
    return stop(state, new MarketError('timeout', { waiting: 'placement' }))
  }
  if (name === 'frame' && state.phase === 'streaming') {
    return stop(state, new MarketError('stalled', delivered(state)))
  }
  if (name === 'receipt' && state.phase === 'streaming') {
    const waiting = new MarketError('timeout', { waiting: 'receipt', ...delivered(state) })
    return giveUp(state, state.ending ?? waiting, 'keep')
  }
  return same(state)
}

/** Ends the job early: where work may have been done its receipt is awaited, and paid. */
function stop(state: JobState, error: MarketError): JobStep {
  if (state.ending) return same(state)
  const ending = { ...state, ending: error }
  if (!sealedOut(state)) {
    const step = giveUp(ending, error, 'release')
    return { state: step.state, effects: [{ type: 'sendAbort' }, ...step.effects] }
  }
  // While sealing, the request may be on its way already: treat it as sent.
  return to(ending, 'streaming', [{ type: 'sendAbort' }, cancel('frame'), receiptTimer()])
}

function giveUp(state: JobState, error: MarketError, money: 'release' | 'keep'): JobStep {
  const effects: JobEffect[] = [cancel('place'), cancel('frame'), cancel('receipt')]
  if (money === 'release' && state.paid.granted > 0n) effects.push({ type: 'release' })
  return to(state, 'failed', [...effects, { type: 'fail', error: state.ending ?? error }])
}

function sealedOut(state: JobState): boolean {
  return state.phase === 'sealing' || state.phase === 'streaming'
}

function isSettling(state: JobState): boolean {
  return state.phase === 'checking' || state.phase === 'settling'
}

/** Usage never shrinks, whatever a provider claims. */
function most(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    prompt: Math.max(a.prompt, b.prompt),
    cachedPrompt: Math.max(a.cachedPrompt, b.cachedPrompt),
    completion: Math.max(a.completion, b.completion),
    reasoning: Math.max(a.reasoning, b.reasoning),
  }
}

function placeTimer(state: JobState): JobEffect {
  const ms = state.deadlineMs + LIMITS.acceptMs * LIMITS.attempts + GRACE_MS
  return { type: 'timer', name: 'place', ms }
}

function frameTimer(first: boolean): JobEffect {
  const ms = (first ? LIMITS.firstFrameMs : LIMITS.frameGapMs + LIMITS.unpaidMs) + GRACE_MS
  return { type: 'timer', name: 'frame', ms }
}

function receiptTimer(): JobEffect {
  return { type: 'timer', name: 'receipt', ms: LIMITS.frameGapMs }
}

function cancel(name: TimerName): JobEffect {
  return { type: 'cancel', name }
}

function to(state: JobState, phase: JobPhase, effects: readonly JobEffect[]): JobStep {
  return { state: { ...state, phase }, effects }
}

function same(state: JobState): JobStep {
  return { state, effects: [] }
}
