/**
 * The port between a provider and whatever generates its tokens.
 *
 * A backend serves one or more models, each on a number of places. The provider opens a sealed
 * request, turns it into a `BackendRequest`, and reads pieces until `end`. What a backend counts is
 * what the provider bills, so counts are part of the port: see `BackendPiece`.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { type Secret, secret } from '../../contracts/base/secret.ts'

/** A model as its backend serves it. */
export interface BackendModel {
  readonly id: string
  /** SHA-256 of the weights file, 32 bytes: measured by `startEmbedded`, stated elsewhere. */
  readonly weightsHash: Bytes
  readonly contextTokens: number
  /** Jobs that run at once; more of them wait inside the backend. */
  readonly places: number
  /** A model or a backend for demonstrations: surfaces must label it so. */
  readonly demo: boolean
  /** Id of the tokenizer (`contracts/money/tokenizer.ts`) whose counts equal this backend's. */
  readonly tokenizer?: string
}

export interface BackendMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** What a job asks, which only its backend reveals. */
export type Prompt = Secret<readonly BackendMessage[]>

/** Messages as a prompt. */
export function prompt(messages: readonly BackendMessage[]): Prompt {
  return secret('prompt', messages)
}

export interface BackendRequest {
  readonly model: string
  readonly messages: Prompt
  /** Completion and reasoning tokens together, at least 1. */
  readonly maxTokens: number
  /** 0 to 2. The embedded engine and the simulation take 0 (greedy) where it is absent. */
  readonly temperature?: number
  /** Above 0, up to 1. */
  readonly topP?: number
  readonly seed?: number
  /**
   * So many likely tokens are named with each one, 1 to `LIMITS.topLogprobs`, where a backend can:
   * for probes (`node/audit/`). The market does not carry them.
   */
  readonly topLogprobs?: number
  /** The text ends before the first of these. */
  readonly stop?: readonly string[]
  /**
   * Secret of one client (or of its prefix tag): prompt evaluation may be reused within it, never
   * across. Where absent, nothing is reported as cached.
   */
  readonly cacheScope?: string
  /**
   * Pay ahead: asked with the tokens (completion and reasoning) delivered so far, before one more
   * is delivered. `true` lets it pass; a promise pauses the job until it settles; `false` ends it
   * as `unpaid`. Where absent, nothing is asked. A rejection ends the run with that error.
   */
  readonly mayContinue?: (tokensSoFar: number) => true | Promise<boolean>
}

/** A token and the natural logarithm of its probability, as the model gave it. */
export interface TokenChance {
  readonly token: string
  readonly logprob: number
}

/** A token of an answer, and the most likely ones at its place, likeliest first. */
export interface TokenLogprob extends TokenChance {
  readonly top: readonly TokenChance[]
}

/** Token counts of one run; classes do not overlap. */
export interface BackendUsage {
  /** Prompt tokens that were evaluated: without the cached ones. */
  readonly prompt: number
  /** Prompt tokens whose evaluation was reused from an earlier job of the same client. */
  readonly cachedPrompt: number
  readonly completion: number
  /** Reasoning tokens whose text was delivered; hidden ones are not billed. */
  readonly reasoning: number
}

export type FinishReason = 'stop' | 'length' | 'aborted' | 'unpaid'

/**
 * What a run yields: one `prompt` before any text, text and reasoning with their counts so far, one
 * `end`. A run that is aborted before the model saw it yields `end` alone. `estimated` marks a
 * prompt count that the server did not give; `end` has the true one where the server said it.
 */
export type BackendPiece =
  | { type: 'prompt'; prompt: number; cachedPrompt: number; estimated?: true }
  | {
      type: 'text'
      text: string
      completionTokens: number
      /** Of the tokens since the last piece; where they were asked for and the backend has them. */
      logprobs?: readonly TokenLogprob[]
    }
  | { type: 'reasoning'; text: string; reasoningTokens: number }
  | { type: 'end'; finishReason: FinishReason; usage: BackendUsage }

/** The one piece of a run that was aborted before it had a place. */
export const neverStarted: BackendPiece = {
  type: 'end',
  finishReason: 'aborted',
  usage: { prompt: 0, cachedPrompt: 0, completion: 0, reasoning: 0 },
}

export interface Backend {
  readonly models: readonly BackendModel[]
  /**
   * Runs one request. Aborting the signal, or leaving the loop, stops generation within 100 ms;
   * the signal also gives a last `end` piece. Throws `no-model`, `bad-input`, `prompt-too-long`,
   * `busy` (queue full), `backend-failed` (died or broke off), `engine-failed` (is not up).
   *
   * @example
   * for await (const piece of backend.run(request, signal)) {
   *   if (piece.type === 'text') process.stdout.write(piece.text)
   * }
   */
  run(request: BackendRequest, signal: AbortSignal): AsyncIterable<BackendPiece>
  /** One line for the owner about what runs the models, where there is something to say. */
  about?(): string
  /** Ends every run with `backend-failed` and frees processes and sockets. */
  stop(): Promise<void>
}

/** The model a request names, and the request within its bounds. Throws `no-model`, `bad-input`. */
export function checkRequest(
  request: BackendRequest,
  models: readonly BackendModel[],
): BackendModel {
  const model = models.find((one) => one.id === request.model)
  if (!model) throw new MarketError('no-model', { model: request.model.slice(0, 128) })
  const { maxTokens, temperature, topP, seed, stop, topLogprobs = 1 } = request
  const messages = request.messages.reveal()
  demand(messages.length > 0 && messages.length <= LIMITS.messages, 'messages')
  demand(messages.at(-1)?.role === 'user', 'messages', 'a user message at the end')
  demand(Number.isInteger(maxTokens) && maxTokens > 0 && maxTokens <= LIMITS.maxTokens, 'maxTokens')
  demand(temperature === undefined || (temperature >= 0 && temperature <= 2), 'temperature')
  demand(topP === undefined || (topP > 0 && topP <= 1), 'topP')
  demand(seed === undefined || (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32), 'seed')
  const likely = Number.isInteger(topLogprobs) && topLogprobs > 0
  demand(likely && topLogprobs <= LIMITS.topLogprobs, 'topLogprobs')
  const stops = stop ?? []
  const fits = stops.every((text) => text.length > 0 && text.length <= LIMITS.stopLength)
  demand(stops.length <= LIMITS.stopTexts && fits, 'stop')
  return model
}

/**
 * Whether the token that makes `total` may be delivered; asks the request only where `total` is
 * news. `aborted` where the signal came first.
 */
export async function askToContinue(
  request: BackendRequest,
  total: number,
  delivered: number,
  signal: AbortSignal,
): Promise<'yes' | 'unpaid' | 'aborted'> {
  if (signal.aborted) return 'aborted'
  if (total <= delivered || !request.mayContinue) return 'yes'
  const answer = request.mayContinue(total - 1)
  if (answer === true) return 'yes'
  const settled = await untilAborted(answer, signal)
  if (settled === undefined) return 'aborted'
  return settled ? 'yes' : 'unpaid'
}

/** What `promise` settles to, or undefined where the signal comes first. */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  if (signal.aborted) {
    promise.catch(() => {}) // nobody waits for it any more
    return undefined
  }
  let onAbort = () => {}
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function demand(holds: boolean, field: string, expected?: string): void {
  if (!holds) throw new MarketError('bad-input', { field, expected })
}
