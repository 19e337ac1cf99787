/**
 * From an answer to what others see of it: sizes and times of what crosses the network.
 *
 * Real: the answers (recorded from the demo model), the provider's job machine with its pacer and
 * pieces, key agreement and sealing, the messages and their framing. Simulated: the clock, and on
 * it the engine's speed, the evaluation of the prompt and the jitter of both; they are the same for
 * both topics. Noise and yamux below add a constant to each write, so they are left out, as are
 * vouchers, whose times follow the tokens at half a window: they tell length and speed, no more.
 * @module
 */
import { type Bytes, utf8 } from '../../../contracts/base/bytes.ts'
import { DEFAULT_PARAMETERS, NO_USAGE } from '../../../contracts/money/price.ts'
import { nativeKem } from '../../../contracts/seal/kem.ts'
import { TICK_MS } from '../../../contracts/seal/pacer.ts'
import { JobMessageSchema } from '../../../contracts/wire/generated/chrysalis_pb.ts'
import { encodeMessage } from '../../../contracts/wire/messages.ts'
import { encodeFrames } from '../../../node/net/framing.ts'
import { type JobEvent, startJob, stepJob } from '../../../node/provider/job.ts'
import { agree } from '../../contracts/seal/world.ts'
import type { Answer } from './record.ts'

/** One write towards the client, as an observer of the network has it. */
export interface Seen {
  readonly atMs: number
  readonly bytes: number
}

/** A job's traffic: the writes, and the ciphertexts inside them, which a scheduler sees. */
export interface Capture {
  readonly writes: readonly Seen[]
  readonly ciphertexts: readonly number[]
  /** Completion tokens that the last message billed, in whole steps: a scheduler reads that. */
  readonly billed: number
  /** Bytes of the sealed request. */
  readonly request: number
}

/** How an engine is timed on the simulated clock, in milliseconds. */
export const ENGINE = { tokenMs: 20, promptTokenMs: 2, startMs: 80, jitter: 0.3 }

const { multipliers, steps, window } = DEFAULT_PARAMETERS
const TERMS = { tick: 60, fee: 0, multipliers, steps, window }

interface Timed {
  readonly atMs: number
  readonly event: JobEvent
}

/** The traffic of one answer through the sealed channel. `draw` gives numbers in [0, 1). */
export async function sealedTraffic(
  answer: Answer,
  draw: () => number,
  engine = ENGINE,
): Promise<Capture> {
  const prompt = 'p'.repeat(4 * answer.promptTokens)
  const job = await agree({ kem: nativeKem(), request: utf8(prompt) })
  const events = engineEvents(answer, draw, engine)
  const writes: Seen[] = []
  const ciphertexts: number[] = []
  let billed = 0
  let state = startJob(TERMS)
  const dispatch = (atMs: number, event: JobEvent) => {
    const step = stepJob(state, event)
    state = step.state
    for (const effect of step.effects) {
      if (effect.type !== 'frames') continue
      const frames = effect.frames.map((frame) => job.sealer.seal(frame.content, frame.final))
      ciphertexts.push(...frames.map((frame) => frame.length))
      writes.push({ atMs, bytes: written(frames, effect.billed) })
      billed = effect.billed.completion
    }
  }
  dispatch(0, { type: 'request' })
  dispatch(0, { type: 'opened', expectedPrompt: answer.promptTokens })
  dispatch(0, { type: 'granted', total: 10n ** 15n })
  let next = 0
  for (let atMs = TICK_MS; state.phase !== 'ended'; atMs += TICK_MS) {
    for (; next < events.length && events[next]!.atMs < atMs; next++) {
      dispatch(events[next]!.atMs, events[next]!.event)
    }
    dispatch(atMs, { type: 'tick' })
  }
  return { writes, ciphertexts, billed, request: job.sealed.length }
}

/** The control: each token sealed by itself when it comes, as most services stream. */
export function nakedTraffic(answer: Answer, draw: () => number): Capture {
  const OVERHEAD = 22 // a TLS 1.3 record round it; what else is constant tells nothing
  const writes = engineEvents(answer, draw, ENGINE).flatMap(({ atMs, event }): Seen[] => {
    if (event.type !== 'piece' || event.piece.type !== 'text') return []
    return [{ atMs, bytes: OVERHEAD + event.piece.text.length }]
  })
  return { writes, ciphertexts: writes.map(({ bytes }) => bytes), billed: 0, request: 0 }
}

/** What the engine says, and when. */
function engineEvents(answer: Answer, draw: () => number, engine: typeof ENGINE): Timed[] {
  const { tokenMs, promptTokenMs, startMs, jitter } = engine
  const jittered = (ms: number) => ms * Math.exp(jitter * normal(draw) - jitter ** 2 / 2) // mean ms
  let atMs = startMs * draw() + promptTokenMs * answer.promptTokens
  const prompt = answer.promptTokens
  const events: Timed[] = [
    { atMs, event: { type: 'piece', piece: { type: 'prompt', prompt, cachedPrompt: 0 } } },
  ]
  for (const [i, bytes] of answer.tokenBytes.entries()) {
    atMs += jittered(tokenMs)
    const piece = { type: 'text', text: 'x'.repeat(bytes), completionTokens: i + 1 } as const
    events.push({ atMs, event: { type: 'piece', piece } })
  }
  const usage = { ...NO_USAGE, prompt, completion: answer.tokenBytes.length }
  const end = { type: 'end', finishReason: 'stop', usage } as const
  return [...events, { atMs: atMs + 1, event: { type: 'piece', piece: end } }]
}

function written(frames: Bytes[], billed: typeof NO_USAGE): number {
  const message = { kind: { case: 'frames', value: { frames, billed } } } as const
  return encodeFrames([encodeMessage(JobMessageSchema, message)]).length
}

/** A number of the standard normal distribution (Box and Muller). */
function normal(draw: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())
}
