/**
 * Messages between a provider and its engine process, both ways, and the check of what comes back.
 *
 * The engine parses prompts in native code, so what it says is taken as from outside: unknown
 * kinds, wrong types and oversized text end it.
 * @module
 */
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { BackendMessage, TokenChance, TokenLogprob } from '../backend.ts'

/** One job for the engine. */
export interface EngineJob {
  readonly job: number
  readonly messages: readonly BackendMessage[]
  readonly maxTokens: number
  readonly temperature: number
  readonly topP: number
  readonly seed?: number
  readonly stop: readonly string[]
  /** Likely tokens to name with each; 0 for none. */
  readonly topLogprobs: number
  /** Tokens it may compute before the first `grant`. */
  readonly upTo: number
}

export type ToEngine =
  | { type: 'load'; modelPath: string; places: number }
  | ({ type: 'run' } & EngineJob)
  | { type: 'grant'; job: number; upTo: number }
  | { type: 'abort'; job: number }

/** What the engine says about one job. Every token has a `text` message, even an empty one. */
export type JobMessage =
  | { type: 'prompt'; job: number; tokens: number }
  | { type: 'text'; job: number; text: string; completion: number; logprobs?: TokenLogprob[] }
  | { type: 'done'; job: number; finish: 'stop' | 'length' | 'aborted'; completion: number }
  | { type: 'too-long'; job: number; prompt: number; context: number }
  | { type: 'broken'; job: number; detail: string }

export type FromEngine =
  | { type: 'ready'; contextTokens: number }
  | { type: 'failed'; detail: string }
  | JobMessage

/** Text of one token; the longest real ones are whitespace runs of some hundred characters. */
const TEXT_LENGTH = 16_384

/** A message of the engine, or undefined where it is none. */
export function readFromEngine(raw: unknown): FromEngine | undefined {
  if (typeof raw !== 'object' || raw === null || !('type' in raw)) return undefined
  const read = raw as Record<string, unknown> // each field is checked below before it is used
  const { type, detail, text, finish } = read
  const job = count(read.job)
  const failure = typeof detail === 'string' ? detail.slice(0, 300) : ''
  if (type === 'failed') return { type, detail: failure }
  if (type === 'ready') {
    const contextTokens = count(read.contextTokens)
    return contextTokens ? { type, contextTokens } : undefined
  }
  if (job === undefined) return undefined
  if (type === 'broken') return { type, job, detail: failure }
  if (type === 'prompt') {
    const tokens = count(read.tokens)
    return tokens === undefined ? undefined : { type, job, tokens }
  }
  if (type === 'too-long') {
    const prompt = count(read.prompt)
    const context = count(read.context)
    return prompt === undefined || context === undefined
      ? undefined
      : { type, job, prompt, context }
  }
  const completion = count(read.completion)
  if (completion === undefined || completion > LIMITS.maxTokens) return undefined
  if (type === 'text' && typeof text === 'string' && text.length <= TEXT_LENGTH) {
    if (read.logprobs === undefined) return { type, job, text, completion }
    const logprobs = readLogprobs(read.logprobs)
    return logprobs && { type, job, text, completion, logprobs }
  }
  const known = finish === 'stop' || finish === 'length' || finish === 'aborted'
  return type === 'done' && known ? { type, job, finish, completion } : undefined
}

/** What a token's message says of its chances, or undefined where it is none. */
function readLogprobs(raw: unknown): TokenLogprob[] | undefined {
  if (!Array.isArray(raw) || raw.length > 1) return undefined
  const read = raw.map((each) => {
    const own = readChance(each)
    const top = Array.isArray(each?.top) && each.top.length <= LIMITS.topLogprobs && each.top
    const chances: (TokenChance | undefined)[] = top ? top.map(readChance) : [undefined]
    return own && chances.every((chance) => chance !== undefined) && { ...own, top: chances }
  })
  return read.every((each) => each !== undefined && each !== false) ? read : undefined
}

function readChance(raw: unknown): TokenChance | undefined {
  if (typeof raw !== 'object' || raw === null || !('token' in raw && 'logprob' in raw)) return
  const { token, logprob } = raw
  if (typeof token !== 'string' || token.length > TEXT_LENGTH) return
  return typeof logprob === 'number' && Number.isFinite(logprob) ? { token, logprob } : undefined
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
