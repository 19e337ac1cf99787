/**
 * The request to a model server: where it goes, what it says, and what a refusal means.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import type { Secret } from '../../contracts/base/secret.ts'
import type { BackendRequest } from './backend.ts'

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
  readonly apiKey?: Secret<string>
  readonly models: readonly OpenAiModel[]
  /**
   * The server keeps its prefix cache apart by `cache_salt` (vLLM does): cached prompt tokens are
   * reported for requests with a `cacheScope`. Default: false, and all of a prompt counts in full.
   */
  readonly separateCaches?: boolean
  readonly clock: Clock
  readonly logger: Logger
}

/** Where completions are asked for. Throws `bad-config`. */
export function completionsUrl(baseUrl: string): URL {
  const bad = (expected: string) => new MarketError('bad-config', { setting: 'baseUrl', expected })
  if (!URL.canParse(baseUrl)) throw bad('an http or https URL')
  const url = new URL(baseUrl)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw bad('an http or https URL')
  if (url.username || url.password) throw bad('no password in the URL: use apiKey')
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/chat/completions`
  return url
}

/** Sends a request; gives a response that streams. Throws what the server refused. */
export async function post(
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
        ...(options.apiKey ? { authorization: `Bearer ${options.apiKey.reveal()}` } : {}),
      },
      body: JSON.stringify({
        model: model?.servedAs ?? request.model,
        messages: request.messages.reveal().map(({ role, content }) => ({ role, content })),
        max_tokens: request.maxTokens,
        temperature: request.temperature,
        top_p: request.topP,
        seed: request.seed,
        stop: request.stop?.length ? request.stop : undefined,
        cache_salt: options.separateCaches ? request.cacheScope : undefined,
        logprobs: request.topLogprobs ? true : undefined,
        top_logprobs: request.topLogprobs,
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
