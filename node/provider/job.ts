/**
 * One job at the provider, as a pure machine: `(state, event) -> { state, effects }`.
 *
 * `jobRunner.ts` does what the effects say: opens the seal, runs the backend, seals and sends
 * frames, signs the receipt. What was handed to the stream is delivered, and only that is billed.
 *
 * Phases: accepted -> opening -> running -> closing (last frames wait for their clock) -> ended.
 * Architecture invariant: an ended job has no further effect; it ends in one `finish` or `refuse`,
 * with one `release`.
 * @module
 */
import type { ErrorCode, Facts } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { NO_USAGE, type Terms, type TokenUsage } from '../../contracts/money/price.ts'
import { type PacedFrame, type PacerState, pace, startPacer } from '../../contracts/seal/pacer.ts'
import { encodePiece, type Piece } from '../../contracts/seal/pieces.ts'
import type { Receipt } from '../../contracts/wire/records.ts'
import type { BackendPiece, FinishReason } from '../backends/backend.ts'
import { addMark, hasMarks, type Marks, passMarks, startMarks } from './marks.ts'
import { type Bill, bill, covers, type Meter, startMeter } from './meter.ts'

export type Outcome = Receipt['outcome']

export interface JobState {
  readonly phase: 'accepted' | 'opening' | 'running' | 'closing' | 'ended'
  readonly meter: Meter
  readonly pacer: PacerState
  /** Usage that the model has produced, delivered or not. */
  readonly produced: TokenUsage
  /** What the prompt takes at least, until the model has counted it. */
  readonly expectedPrompt?: number
  /** Bytes given to the pacer so far, and the usage that each such length stands for. */
  readonly appended: number
  readonly marks: Marks
  readonly outcome?: Outcome
  /** The bill that the last frames named: what the receipt says, for others have counted along. */
  readonly told: Bill
}

export type JobEvent =
  | { readonly type: 'request' }
  | { readonly type: 'opened'; readonly expectedPrompt: number }
  | { readonly type: 'openFailed'; readonly code: ErrorCode }
  | { readonly type: 'granted'; readonly total: NanoTon }
  | { readonly type: 'piece'; readonly piece: BackendPiece }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly facts: Facts }
  | { readonly type: 'tick' }
  | { readonly type: 'abort' }
  | { readonly type: 'gone' }
  | { readonly type: 'timer'; readonly name: 'request' | 'lease' }

export type JobEffect =
  | { readonly type: 'open' }
  | { readonly type: 'run' }
  | { readonly type: 'stopBackend' }
  | {
      readonly type: 'frames'
      readonly frames: readonly PacedFrame[]
      readonly billed: TokenUsage
    }
  | { readonly type: 'refuse'; readonly code: ErrorCode }
  | {
      readonly type: 'finish'
      readonly outcome: Outcome
      readonly billed: TokenUsage
      readonly cost: NanoTon
    }
  | { readonly type: 'release' }

export type Step = { readonly state: JobState; readonly effects: readonly JobEffect[] }

/** A job whose lease has been accepted. */
export function startJob(terms: Terms): JobState {
  return {
    phase: 'accepted',
    meter: startMeter(terms),
    pacer: startPacer(1),
    produced: NO_USAGE,
    appended: 0,
    marks: startMarks(),
    told: { billed: NO_USAGE, cost: 0n },
  }
}

/** Takes one event. What has no meaning in a phase changes nothing. */
export function stepJob(state: JobState, event: JobEvent): Step {
  switch (event.type) {
    case 'request':
      return state.phase === 'accepted' ? to(state, 'opening', [{ type: 'open' }]) : same(state)
    case 'opened':
      return onOpened(state, event.expectedPrompt)
    case 'openFailed':
      return state.phase === 'opening' ? refuse(state, event.code) : same(state)
    case 'granted':
      return same({ ...state, meter: { ...state.meter, granted: event.total } })
    case 'piece':
      return state.phase === 'running' ? onPiece(state, event.piece) : same(state)
    case 'failed':
      return state.phase === 'running' ? onFailed(state, event.code, event.facts) : same(state)
    case 'tick':
      return onTick(state)
    case 'abort':
    case 'gone':
      return onAbort(state)
    case 'timer':
      if (event.name === 'lease') return onAbort(state)
      return state.phase === 'accepted' ? refuse(state, 'timeout') : same(state)
  }
}

/** Whether one more token, after `tokens`, is paid for and has room to leave. */
export function mayContinue(state: JobState, tokens: number): boolean {
  const { produced, expectedPrompt } = state
  const room = state.pacer.backlogBytes <= LIMITS.pacedBytes / 2
  const prompt = expectedPrompt === undefined ? produced : { ...NO_USAGE, prompt: expectedPrompt }
  return room && covers(state.meter, prompt, tokens + 1)
}

function onOpened(state: JobState, expectedPrompt: number): Step {
  if (state.phase !== 'opening') return same(state)
  return to({ ...state, expectedPrompt }, 'running', [{ type: 'run' }])
}

function onPiece(state: JobState, piece: BackendPiece): Step {
  switch (piece.type) {
    case 'prompt': {
      const { prompt, cachedPrompt } = piece
      const produced = { ...state.produced, prompt, cachedPrompt }
      return same({ ...state, produced, expectedPrompt: undefined })
    }
    case 'text': {
      const added = piece.completionTokens - state.produced.completion
      const produced = { ...state.produced, completion: piece.completionTokens }
      return append(state, produced, {
        type: 'text',
        text: piece.text,
        completionTokens: Math.max(0, added),
        reasoningTokens: 0,
      })
    }
    case 'reasoning': {
      const added = piece.reasoningTokens - state.produced.reasoning
      const produced = { ...state.produced, reasoning: piece.reasoningTokens }
      return append(state, produced, {
        type: 'reasoning',
        text: piece.text,
        completionTokens: 0,
        reasoningTokens: Math.max(0, added),
      })
    }
    case 'end':
      return onEnd(state, piece.finishReason, piece.usage)
  }
}

function onEnd(state: JobState, reason: FinishReason, usage: TokenUsage): Step {
  if (reason === 'aborted') return onAbort(state)
  const last: Piece =
    reason === 'unpaid'
      ? { type: 'error', code: 'voucher-withheld', facts: {} }
      : { type: 'end', finishReason: reason }
  const outcome = { stop: 'completed', length: 'length', unpaid: 'unpaid' } as const
  return close(append(state, usage, { type: 'usage', usage }), usage, last, outcome[reason])
}

/** What the request caused is told sealed; another failure, before content, allows another try. */
function onFailed(state: JobState, code: ErrorCode, facts: Facts): Step {
  const asked = code === 'bad-input' || code === 'prompt-too-long' || code === 'no-model'
  if (!asked && !hasMarks(state.marks)) return refuse(state, code)
  const plain = Object.entries(facts).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, typeof value === 'bigint' ? value.toString() : value]],
  )
  const last: Piece = { type: 'error', code, facts: Object.fromEntries(plain) }
  return close(same(state), state.produced, last, 'failed')
}

/** Puts the last piece behind what is waiting; the receipt follows when all of it has left. */
function close(step: Step, usage: TokenUsage, last: Piece, outcome: Outcome): Step {
  const told = append(step.state, usage, last)
  const ended = pace(told.state.pacer, { type: 'end' })
  const state: JobState = { ...told.state, pacer: ended.state, phase: 'closing', outcome }
  const effects = [...step.effects, ...told.effects]
  const closed = leave(state, ended.frames)
  return { state: closed.state, effects: [...effects, ...closed.effects] }
}

function onTick(state: JobState): Step {
  if (state.phase !== 'running' && state.phase !== 'closing') return same(state)
  const { state: pacer, frames } = pace(state.pacer, { type: 'tick' })
  return leave({ ...state, pacer }, frames)
}

function onAbort(state: JobState): Step {
  switch (state.phase) {
    case 'accepted':
    case 'opening': // nothing was delivered: no receipt
      return refuse(state, 'aborted')
    case 'running':
    case 'closing': {
      const finished = finish(state, state.outcome ?? 'aborted')
      return { state: finished.state, effects: [{ type: 'stopBackend' }, ...finished.effects] }
    }
    case 'ended':
      return same(state)
  }
}

function append(state: JobState, produced: TokenUsage, piece: Piece): Step {
  const bytes = encodePiece(piece)
  const { state: pacer, frames } = pace(state.pacer, { type: 'content', bytes })
  const appended = state.appended + bytes.length
  const marks = addMark(state.marks, { at: appended, usage: produced })
  return leave({ ...state, pacer, produced, appended, marks }, frames)
}

/** Frames that leave now move the delivered usage up to the last piece wholly inside them. */
function leave(state: JobState, frames: readonly PacedFrame[]): Step {
  const sent = state.appended - state.pacer.backlogBytes
  const { marks, usage } = passMarks(state.marks, sent)
  const meter = { ...state.meter, delivered: usage ?? state.meter.delivered }
  const told = frames.length > 0 ? bill(meter) : state.told
  const next = { ...state, meter, told, marks }
  const out: JobEffect[] =
    frames.length > 0 ? [{ type: 'frames', frames, billed: told.billed }] : []
  if (state.pacer.phase !== 'done') return { state: next, effects: out }
  const finished = finish(next, state.outcome ?? 'failed')
  return { state: finished.state, effects: [...out, ...finished.effects] }
}

function finish(state: JobState, outcome: Outcome): Step {
  const { billed, cost } = state.told
  return to(state, 'ended', [{ type: 'finish', outcome, billed, cost }, { type: 'release' }])
}

function refuse(state: JobState, code: ErrorCode): Step {
  return to(state, 'ended', [
    { type: 'stopBackend' },
    { type: 'refuse', code },
    { type: 'release' },
  ])
}

function to(state: JobState, phase: JobState['phase'], effects: readonly JobEffect[]): Step {
  return { state: { ...state, phase }, effects }
}

function same(state: JobState): Step {
  return { state, effects: [] }
}
