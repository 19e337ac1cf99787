/**
 * Any server that speaks the OpenAI chat completions protocol, as a backend: vLLM, SGLang,
 * llama.cpp, Ollama.
 *
 * The base URL is the owner's own configuration, so loopback and private addresses are allowed;
 * redirects are not, or the server could send prompts elsewhere. The server cannot be told to
 * pause: while a window is unpaid nothing is read, which fills its socket, and when the job ends
 * the connection is cut.
 * @module
 */
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import {
  askToContinue,
  type Backend,
  type BackendPiece,
  type BackendRequest,
  checkRequest,
  type FinishReason,
  untilAborted,
} from './backend.ts'
import { type Chunk, readChunk } from './openaiChunk.ts'
import { completionsUrl, type OpenAiOptions, post } from './openaiRequest.ts'
import { createModelPlaces } from './places.ts'
import { readEvents } from './sse.ts'
import { createTally, type Tally } from './tally.ts'

export type { OpenAiModel, OpenAiOptions } from './openaiRequest.ts'

/**
 * Connects to a server; nothing is sent before the first run. Throws `bad-config`.
 *
 * @example
 * const backend = connectOpenAi({ baseUrl: 'http://127.0.0.1:8000/v1', models, clock, logger })
 */
export function connectOpenAi(options: OpenAiOptions): Backend {
  const url = completionsUrl(options.baseUrl)
  const models = options.models.map(({ servedAs: _, ...model }) => ({
    ...model,
    demo: model.demo ?? false,
  }))
  const places = createModelPlaces(models)

  async function* run(request: BackendRequest, signal: AbortSignal): AsyncGenerator<BackendPiece> {
    checkRequest(request, models)
    const tally = createTally(request, options.separateCaches ?? false)
    const release = await places.take(request.model, signal)
    if (!release) return yield tally.end('aborted')
    const cut = new AbortController()
    const either = AbortSignal.any([signal, cut.signal, places.stopping])
    try {
      const response = await post(options, url, request, either)
      yield* converse(chunksInTime(response, options.clock, either), request, tally, signal)
    } catch (thrown) {
      if (!signal.aborted) throw explain(thrown, places.stopping)
      yield tally.end('aborted')
    } finally {
      cut.abort()
      release()
    }
  }

  return { models, run, stop: places.stop }
}

/** Chunks to pieces, each only once it is paid for. */
async function* converse(
  chunks: AsyncGenerator<Chunk>,
  request: BackendRequest,
  tally: Tally,
  signal: AbortSignal,
): AsyncGenerator<BackendPiece> {
  let finish: FinishReason | undefined
  for (;;) {
    const next = await untilAborted(chunks.next(), signal)
    if (!next) return yield tally.end('aborted')
    if (next.done) break
    const chunk = next.value
    tally.meter.add(chunk)
    finish = chunk.finish ?? finish
    if (!chunk.text && !chunk.reasoning) continue
    yield* tally.announce()
    const answer = await askToContinue(request, tally.counted(), tally.delivered(), signal)
    if (answer !== 'yes') return yield tally.end(answer)
    tally.deliver()
    const { completion, reasoning } = tally.meter
    if (chunk.reasoning) {
      yield { type: 'reasoning', text: chunk.reasoning, reasoningTokens: reasoning }
    }
    const { text, logprobs } = chunk
    if (text) yield { type: 'text', text, completionTokens: completion, logprobs }
  }
  if (!finish) throw new MarketError('backend-failed', { detail: 'the stream was cut short' })
  yield* tally.announce()
  // The server's last word may be higher than its chunks showed; what is not paid is not billed.
  const answer = await askToContinue(request, tally.counted(), tally.delivered(), signal)
  if (answer === 'yes') tally.deliver()
  yield tally.end(finish)
}

/** The chunks of a response; a server that says nothing for too long ends it. */
async function* chunksInTime(
  response: Response,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Chunk> {
  if (!response.body) return
  const events = readEvents(response.body)
  const silent = new AbortController()
  const stop = AbortSignal.any([signal, silent.signal])
  for (;;) {
    const cancel = clock.after(LIMITS.frameGapMs, () => silent.abort())
    try {
      const next = await untilAborted(events.next(), stop)
      if (!next) throw new MarketError('timeout', { silentMs: LIMITS.frameGapMs })
      if (next.done || next.value === '[DONE]') return
      yield readChunk(next.value)
    } finally {
      cancel()
    }
  }
}

function explain(thrown: unknown, stopping: AbortSignal): MarketError {
  if (stopping.aborted) return asMarketError(stopping.reason, 'backend-failed')
  if (thrown instanceof MarketError) {
    return thrown.code === 'timeout' ? new MarketError('backend-failed', thrown.facts) : thrown
  }
  const cause = thrown instanceof Error ? thrown.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  return new MarketError(
    'backend-failed',
    { detail: 'unreachable or cut off', code },
    { cause: thrown },
  )
}
