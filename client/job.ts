/**
 * The client's side of one job as a pure machine: `(state, event) -> { state, effects }`.
 *
 * It decides what to verify, pay, seal, retry, settle and tell the application; `runJob.ts` does
 * it. Clauses and messages: contracts/wire/README.md. No clock, no keys,
 * no I/O: the property tests feed it events in any order.
 *
 * Architecture invariant: nothing is granted before a placement is verified, nothing is sealed
 * before the first grant is durable, and after `finish` or `fail` there is no further effect.
 * @module
 */
import { MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import { type Secret, secret } from '../contracts/base/secret.ts'
import { NO_USAGE, type Terms, type TokenUsage } from '../contracts/money/price.ts'
import {
  abort,
  broken,
  cancel,
  delivered,
  ended,
  frameTimer,
  giveUp,
  isSettling,
  lost,
  placeTimer,
  receiptTimer,
  same,
  sealedOut,
  settled,
  stop,
  timer,
  to,
  unsent,
} from './jobEnd.ts'
import type { CheckedReceipt, Content, JobEffect, JobEvent, JobState, JobStep } from './jobTypes.ts'
import { charge, firstGrant, type JobBounds, lesser, NOTHING_PAID, nextGrant } from './payAhead.ts'

const NO_TEXT = secret('answer', '')

/** The machine of a job whose submit is being sent. */
export function startJob(bounds: JobBounds, deadlineMs: number): JobStep {
  const state: JobState = {
    phase: 'placing',
    bounds,
    deadlineMs,
    attempt: 0,
    paid: NOTHING_PAID,
    text: NO_TEXT,
    reasoning: NO_TEXT,
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

function joined(before: Secret<string>, more: Secret<string>): Secret<string> {
  return secret('answer', before.reveal() + more.reveal())
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
    text: joined(state.text, content.text),
    reasoning: joined(state.reasoning, content.reasoning),
    usage,
    implausible: state.implausible || content.implausible === true,
    finishReason: content.finishReason,
    ending: state.ending ?? content.error,
  }
  const effects: JobEffect[] = []
  const grown = content.text.reveal() !== '' || content.reasoning.reveal() !== ''
  if (state.ending === undefined && grown) {
    const { text, reasoning } = content
    effects.push({ type: 'emit', text, reasoning, tokens: usage.completion })
  }
  effects.push({ type: 'delivered', charge: lesser(charge(usage, terms), state.paid.granted) })
  const over = content.finishReason !== undefined || content.error !== undefined
  if (over) return { state: next, effects: [...effects, cancel('frame'), receiptTimer()] }
  // Empty frames keep the clock, not the promise: an answer that has stopped growing is stalled.
  if (!state.ending && (grown || !state.begun)) effects.push(frameTimer(false))
  if (next.ending || next.implausible) return { state: next, effects }
  const paid = nextGrant(state.paid, usage, state.bounds, terms)
  const amount = paid.granted - state.paid.granted
  if (amount > 0n) effects.push({ type: 'grant', amount })
  return { state: { ...next, paid }, effects }
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

/** Usage never shrinks, whatever a provider claims. */
function most(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    prompt: Math.max(a.prompt, b.prompt),
    cachedPrompt: Math.max(a.cachedPrompt, b.cachedPrompt),
    completion: Math.max(a.completion, b.completion),
    reasoning: Math.max(a.reasoning, b.reasoning),
  }
}
