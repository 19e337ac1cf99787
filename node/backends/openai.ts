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
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import {
  askToContinue,
  type Backend,
  type BackendPiece,
  type BackendRequest,
  checkRequest,
  type FinishReason,
  untilAborted,
} from './backend.ts'
import { type Chunk, createMeter, type Meter, readChunk } from './openaiChunk.ts'
import { createPlaces } from './places.ts'
import { readEvents } from './sse.ts'

/** A model behind the server. */
export interface OpenAiModel {
  /** Name under which it is offered. */
  readonly id: string
  /** Name the server knows it by. Default: `id`. */
  readonly servedAs?: string
  /** SHA-256 of the weights, as the owner states it. */
  readonly weightsHash: Bytes
  readonly contextTokens: number
  readonly places: number
  readonly demo?: boolean
  readonly tokenizer?: string
}

export interface OpenAiOptions {
  /** Up to and with the version, like `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string
  readonly apiKey?: string
  readonly models: readonly OpenAiModel[]
  /**
   * The server keeps its prefix cache apart by `cache_salt` (vLLM does): cached prompt tokens are
   * reported for requests with a `cacheScope`. Default: false, and all of a prompt counts in full.
   */
  readonly separateCaches?: boolean
  readonly clock: Clock
  readonly logger: Logger
}

/** Bytes of prompt that count as one token where the server never counts it: about English. */
const BYTES_PER_TOKEN = 4

/**
 * Connects to a server; nothing is sent before the first run. Throws `bad-config`.
 *
 * @example
 * const backend = connectOpenAi({ baseUrl: 'http://127.0.0.1:8000/v1', models, clock, logger })
 */
export function connectOpenAi(options: OpenAiOptions): Backend {
  const url = completionsUrl(options.baseUrl)
  const stopping = new AbortController()
  const models = options.models.map(({ servedAs: _, ...model }) => ({
    ...model,
    demo: model.demo ?? false,
  }))
  const places = new Map(models.map((model) => [model.id, createPlaces(model.places)]))

  async function* run(request: BackendRequest, signal: AbortSignal): AsyncGenerator<BackendPiece> {
    checkRequest(request, models)
    const tally = createTally(request, options.separateCaches ?? false)
    const release = await places.get(request.model)?.take(signal)
    if (!release) return yield tally.end('aborted')
    const cut = new AbortController()
    const either = AbortSignal.any([signal, cut.signal, stopping.signal])
    try {
      const response = await post(options, url, request, either)
      yield* converse(chunksInTime(response, options.clock, either), request, tally, signal)
    } catch (thrown) {
      if (!signal.aborted) throw explain(thrown, stopping.signal)
      yield tally.end('aborted')
    } finally {
      cut.abort()
      release()
    }
  }

  return {
    models,
    run,
    async stop() {
      const error = new MarketError('backend-failed', { backend: 'stopped' })
      stopping.abort(error)
      for (const one of places.values()) one.close(error)
    },
  }
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
    if (chunk.text) yield { type: 'text', text: chunk.text, completionTokens: completion }
  }
  if (!finish) throw new MarketError('backend-failed', { detail: 'the stream was cut short' })
  yield* tally.announce()
  // The server's last word may be higher than its chunks showed; what is not paid is not billed.
  const answer = await askToContinue(request, tally.counted(), tally.delivered(), signal)
  if (answer === 'yes') tally.deliver()
  yield tally.end(finish)
}

/** What the server has counted, and what of it has been delivered. */
interface Tally {
  readonly meter: Meter
  /** The prompt piece, the first time. */
  announce(): BackendPiece[]
  counted(): number
  delivered(): number
  deliver(): void
  end(finishReason: FinishReason): BackendPiece
}

function createTally(request: BackendRequest, separateCaches: boolean): Tally {
  const meter = createMeter()
  let announced = false
  let sent = { completion: 0, reasoning: 0 }
  const prompt = () => {
    const { tokens, cached } = meter.prompt ?? { tokens: estimatePrompt(request), cached: 0 }
    // A cache that clients share would tell one what another asked: then none of it is reported.
    const cachedPrompt = separateCaches && request.cacheScope ? cached : 0
    return { prompt: tokens - cachedPrompt, cachedPrompt }
  }
  return {
    meter,
    announce() {
      if (announced) return []
      announced = true
      return [{ type: 'prompt', ...prompt(), ...(meter.prompt ? {} : { estimated: true }) }]
    },
    counted: () => meter.completion + meter.reasoning,
    delivered: () => sent.completion + sent.reasoning,
    deliver() {
      sent = { completion: meter.completion, reasoning: meter.reasoning }
    },
    end(finishReason) {
      const counts = announced ? prompt() : { prompt: 0, cachedPrompt: 0 }
      return { type: 'end', finishReason, usage: { ...counts, ...sent } }
    },
  }
}

function completionsUrl(baseUrl: string): URL {
  const bad = (expected: string) => new MarketError('bad-config', { setting: 'baseUrl', expected })
  if (!URL.canParse(baseUrl)) throw bad('an http or https URL')
  const url = new URL(baseUrl)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw bad('an http or https URL')
  if (url.username || url.password) throw bad('no password in the URL: use apiKey')
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/chat/completions`
  return url
}

async function post(
  options: OpenAiOptions,
  url: URL,
  request: BackendRequest,
  signal: AbortSignal,
): Promise<Response> {
  const model = options.models.find(({ id }) => id === request.model)
  const late = new AbortController()
  const cancel = options.clock.after(LIMITS.firstFrameMs, () =>
    late.abort(new MarketError('timeout', { waitedMs: LIMITS.firstFrameMs })),
  )
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.any([signal, late.signal]),
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {}),
      },
      body: JSON.stringify({
        model: model?.servedAs ?? request.model,
        messages: request.messages.map(({ role, content }) => ({ role, content })),
        max_tokens: request.maxTokens,
        temperature: request.temperature,
        top_p: request.topP,
        seed: request.seed,
        stop: request.stop?.length ? request.stop : undefined,
        cache_salt: options.separateCaches ? request.cacheScope : undefined,
        n: 1,
        stream: true,
        stream_options: { include_usage: true, continuous_usage_stats: true },
      }),
    })
    if (response.status === 200 && response.body) return response
    throw await refusal(response, request)
  } finally {
    cancel()
  }
}

/** A refusal as an error: the status, never the text, which may quote the prompt. */
async function refusal(response: Response, request: BackendRequest): Promise<MarketError> {
  const { status } = response
  const text = await firstText(response)
  if (status === 404) return new MarketError('no-model', { model: request.model, status })
  if (status === 429 || status === 503) return new MarketError('busy', { status })
  const long = /context[ _]length|maximum context|context size|too long/i.test(text)
  if ((status === 400 || status === 413) && long)
    return new MarketError('prompt-too-long', { status })
  return new MarketError('backend-failed', { status })
}

async function firstText(response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > 16_384) break
  }
  return text
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

function estimatePrompt(request: BackendRequest): number {
  const bytes = request.messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)
  return Math.ceil(bytes / BYTES_PER_TOKEN)
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
