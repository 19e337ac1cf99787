/**
 * The pacer: decides when frames leave, so that their times and number say little about the tokens.
 *
 * A pure machine, run by the provider. The first content makes one frame at once; afterwards frames
 * leave only on the driver's clock (`TICK_MS`), always `pace` of them, empty where there is nothing
 * to say. A long backlog raises the pace for the rest of the job; the end waits for the clock too.
 * README.md explains what this hides and what it costs.
 * @module
 */
import { type Bytes, concat } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import { fillContent, USED_BYTES } from './pieces.ts'

/** Default clock of the driver, milliseconds. */
export const TICK_MS = 100

/** Frames a tick, lowest first: a streamed chat, a fast or unstreamed one, a batch. */
export const PACES = [1, 4, 16] as const
export type Pace = (typeof PACES)[number]

/** More than this many ticks of backlog raises the pace: nobody waits long for what is there. */
const PATIENCE_TICKS = 4
/** Small contents are joined up to this, so that an append never copies the whole backlog. */
const JOIN_BYTES = 4_096

export interface PacerState {
  readonly pace: Pace
  /** `quiet` until there is content, `done` after the final frame. */
  readonly phase: 'quiet' | 'running' | 'ending' | 'done'
  readonly backlog: readonly Bytes[]
  /** Bytes in `backlog`: a driver stops taking tokens from its engine while this is high. */
  readonly backlogBytes: number
}

export type PacerEvent =
  | { readonly type: 'content'; readonly bytes: Bytes }
  | { readonly type: 'tick' }
  | { readonly type: 'end' }

/** A content of 256 bytes to seal now, and its final flag. */
export interface PacedFrame {
  readonly content: Bytes
  readonly final: boolean
}

/** The pacer of a new job. */
export function startPacer(pace: Pace): PacerState {
  return { pace, phase: 'quiet', backlog: [], backlogBytes: 0 }
}

/**
 * One step. Throws `limit-exceeded` where the backlog would pass `LIMITS.pacedBytes`, `internal` on
 * content after the end.
 *
 * @example
 * let state = startPacer(1)
 * const step = pace(state, { type: 'content', bytes: encodePiece(piece) })
 * for (const { content, final } of step.frames) send(response.seal(content, final))
 */
export function pace(
  state: PacerState,
  event: PacerEvent,
): { state: PacerState; frames: PacedFrame[] } {
  switch (event.type) {
    case 'content': {
      const grown = append(state, event.bytes)
      if (grown.phase !== 'quiet' || grown.backlogBytes === 0) return { state: grown, frames: [] }
      return emit({ ...grown, phase: 'running' }, 1)
    }
    case 'end':
      if (state.phase === 'quiet') return emit({ ...state, phase: 'ending' }, 1)
      return { state: state.phase === 'done' ? state : { ...state, phase: 'ending' }, frames: [] }
    case 'tick': {
      if (state.phase === 'quiet' || state.phase === 'done') return { state, frames: [] }
      const pace = paceFor(state)
      return emit({ ...state, pace }, pace)
    }
  }
}

function append(state: PacerState, bytes: Bytes): PacerState {
  if (state.phase === 'ending' || state.phase === 'done') {
    throw new MarketError('internal', { detail: 'content after the end of an answer' })
  }
  if (bytes.length === 0) return state
  const backlogBytes = state.backlogBytes + bytes.length
  if (backlogBytes > LIMITS.pacedBytes) {
    throw new MarketError('limit-exceeded', { bytes: backlogBytes, most: LIMITS.pacedBytes })
  }
  const last = state.backlog.at(-1)
  const joins = last !== undefined && last.length + bytes.length <= JOIN_BYTES
  const backlog = joins
    ? [...state.backlog.slice(0, -1), concat(last, bytes)]
    : [...state.backlog, bytes]
  return { ...state, backlog, backlogBytes }
}

/** The pace that the backlog asks for; it never falls again, so that it shows little. */
function paceFor(state: PacerState): Pace {
  const enough = (pace: Pace) => state.backlogBytes <= pace * USED_BYTES * PATIENCE_TICKS
  return PACES.find((pace) => pace >= state.pace && enough(pace)) ?? 16
}

function emit(state: PacerState, count: number): { state: PacerState; frames: PacedFrame[] } {
  const size = Math.min(count * USED_BYTES, state.backlogBytes)
  const { taken, left } = take(state.backlog, size)
  const backlogBytes = state.backlogBytes - size
  const done = state.phase === 'ending' && backlogBytes === 0
  const frames = Array.from({ length: count }, (_, i) => ({
    content: fillContent(taken.subarray(i * USED_BYTES, (i + 1) * USED_BYTES)),
    final: done && i === count - 1,
  }))
  const phase = done ? 'done' : state.phase
  return { state: { ...state, phase, backlog: left, backlogBytes }, frames }
}

/** The first `size` bytes of a backlog, and what stays. */
function take(backlog: readonly Bytes[], size: number): { taken: Bytes; left: readonly Bytes[] } {
  const parts: Bytes[] = []
  let missing = size
  for (const [i, chunk] of backlog.entries()) {
    if (missing === 0) return { taken: concat(...parts), left: backlog.slice(i) }
    parts.push(chunk.subarray(0, missing))
    if (chunk.length > missing) {
      return { taken: concat(...parts), left: [chunk.subarray(missing), ...backlog.slice(i + 1)] }
    }
    missing -= chunk.length
  }
  return { taken: concat(...parts), left: [] }
}
