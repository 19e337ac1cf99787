/**
 * The market's results and errors in the shapes of the OpenAI API.
 *
 * Pure: chunk, completion, model list, error envelope. What the market knows beyond that API
 * (price, provider, tier, receipt) stands in `x-chrysalis-*` headers and in a `chrysalis` object,
 * which OpenAI clients ignore.
 * @module
 */
import type { ErrorCode, MarketError } from '../../contracts/base/errors.ts'
import type { TokenUsage } from '../../contracts/money/price.ts'
import type { ServedBy } from '../servedBy.ts'
import type { JobResult, OfferedModel } from '../types.ts'

/** What every chunk of one answer repeats. */
export interface Completion {
  readonly id: string
  readonly model: string
  /** Unix seconds. */
  readonly created: number
}

/** OpenAI's error types by the family of our code. */
function typeOf(code: ErrorCode, status: number): string {
  if (code === 'bad-key') return 'authentication_error'
  if (code === 'bad-host') return 'permission_error'
  if (code === 'queue-full' || code === 'too-many-jobs') return 'rate_limit_error'
  if (code === 'no-funds' || code === 'price') return 'insufficient_quota'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/**
 * An error in OpenAI's envelope: the action is part of the message, because clients show only that.
 */
export function errorEnvelope(error: MarketError): { status: number; body: object } {
  const { field } = error.facts
  const body = {
    error: {
      message: `${error.message} ${error.action}`,
      type: typeOf(error.code, error.status),
      param: typeof field === 'string' ? field : null,
      code: error.code,
    },
  }
  return { status: error.status === 499 ? 400 : error.status, body }
}

/** `GET /v1/models`. */
export function modelList(models: readonly OfferedModel[], created: number): object {
  return { object: 'list', data: models.map((model) => modelObject(model, created)) }
}

/** One model; demo models say so in `owned_by`. */
export function modelObject(model: OfferedModel, created: number): object {
  return {
    id: model.model,
    object: 'model',
    created,
    owned_by: model.demo ? 'chrysalis-demo' : 'chrysalis',
    chrysalis: {
      demo: model.demo,
      lowestTick: model.lowestTick,
      pricePerMillionTokensNano: model.price.toString(),
      providers: model.providers,
      places: model.places,
      tiers: model.tiers,
      contextTokens: model.contextTokens,
      weightsHash: model.modelHash,
    },
  }
}

/** The first chunk: the role, and what the provider proved, before any text. */
export function firstChunk(about: Completion, served: ServedBy | undefined): object {
  const opening = chunk(about, { role: 'assistant', content: '' }, null)
  return served ? { ...opening, chrysalis: proof(served) } : opening
}

/** A chunk of a stream. */
export function chunk(about: Completion, delta: object, finishReason: string | null): object {
  return {
    id: about.id,
    object: 'chat.completion.chunk',
    created: about.created,
    model: about.model,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
  }
}

/** The last chunk of a stream that asked for usage. */
export function usageChunk(about: Completion, result: JobResult): object {
  return {
    id: about.id,
    object: 'chat.completion.chunk',
    created: about.created,
    model: about.model,
    choices: [],
    usage: usage(result.usage),
    chrysalis: extras(result),
  }
}

/** A whole answer. */
export function completion(about: Completion, result: JobResult): object {
  const message = {
    role: 'assistant',
    content: result.text,
    refusal: null,
    ...(result.reasoning ? { reasoning_content: result.reasoning } : {}),
  }
  return {
    id: about.id,
    object: 'chat.completion',
    created: about.created,
    model: about.model,
    choices: [
      { index: 0, message, logprobs: null, finish_reason: finishReason(result.finishReason) },
    ],
    usage: usage(result.usage),
    chrysalis: extras(result),
  }
}

/** Our reasons as OpenAI's two. */
export function finishReason(reason: string): 'stop' | 'length' {
  return reason === 'stop' ? 'stop' : 'length'
}

/** What only the market knows of an answer, as headers and as the `chrysalis` object. */
export function extras(result: JobResult): Record<string, string | boolean> {
  return {
    ...proof(result),
    costNano: result.cost.toString(),
    feeNano: result.fee.toString(),
    receipt: result.receiptHash,
    verified: result.verified,
  }
}

/** What is known of the provider as soon as it is verified. */
export function proof({ tier, tierMeaning, demo, provider }: ServedBy) {
  return { tier, tierMeaning, demo, provider }
}

function usage(tokens: TokenUsage): object {
  const prompt = tokens.prompt + tokens.cachedPrompt
  const answer = tokens.completion + tokens.reasoning
  return {
    prompt_tokens: prompt,
    completion_tokens: answer,
    total_tokens: prompt + answer,
    prompt_tokens_details: { cached_tokens: tokens.cachedPrompt },
    completion_tokens_details: { reasoning_tokens: tokens.reasoning },
  }
}
