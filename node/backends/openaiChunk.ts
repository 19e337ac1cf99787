/**
 * Chunks of a streamed chat completion, as OpenAI, vLLM, SGLang, llama.cpp and Ollama send them,
 * and the counting of tokens from them.
 *
 * Servers differ: usage may come with every chunk, with the last one, or never; its details may be
 * null; reasoning is `reasoning_content` or `reasoning`. Everything else in a chunk is ignored.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { TokenChance, TokenLogprob } from './backend.ts'

/** What one chunk says. */
export interface Chunk {
  readonly text: string
  readonly reasoning: string
  readonly finish?: 'stop' | 'length'
  readonly usage?: ServerUsage
  readonly logprobs?: readonly TokenLogprob[]
}

/** Usage so far, as the server counts: its completion includes the reasoning. */
export interface ServerUsage {
  readonly prompt: number
  readonly cached: number
  readonly completion: number
  /** Where the server tells it apart. */
  readonly reasoning?: number
}

/** One event's data as a chunk. Throws `backend-failed`. */
export function readChunk(data: string): Chunk {
  const root = parse(data)
  if (root.error !== undefined && root.error !== null) {
    throw new MarketError('backend-failed', { detail: 'the server reported an error' })
  }
  const choices = Array.isArray(root.choices) ? root.choices : []
  const choice = record(choices[0])
  const delta = record(choice.delta)
  const reason = choice.finish_reason
  if (reason === 'tool_calls' || reason === 'content_filter') {
    throw new MarketError('backend-failed', { finishReason: reason })
  }
  return {
    text: text(delta.content),
    reasoning: text(delta.reasoning_content) || text(delta.reasoning),
    finish: reason === 'length' ? 'length' : typeof reason === 'string' ? 'stop' : undefined,
    usage: readUsage(root.usage),
    logprobs: readLogprobs(record(choice.logprobs).content),
  }
}

/** Counts of a run, from chunks. */
export interface Meter {
  add(chunk: Chunk): void
  /** Figures so far. `prompt` is undefined until the server said it. */
  readonly prompt: { tokens: number; cached: number } | undefined
  readonly completion: number
  readonly reasoning: number
}

/**
 * A chunk with text is one token at least, and that is what it counts for until the server says
 * more. Reasoning that was never delivered is not counted, whatever the server says.
 */
export function createMeter(): Meter {
  let prompt: Meter['prompt']
  let completion = 0
  let reasoning = 0
  let shown = false
  return {
    add(chunk) {
      const { usage } = chunk
      if (chunk.reasoning) shown = true
      if (!usage) {
        if (chunk.reasoning) reasoning++
        if (chunk.text) completion++
        return
      }
      prompt = { tokens: usage.prompt, cached: Math.min(usage.cached, usage.prompt) }
      const all = usage.completion
      if (usage.reasoning !== undefined) {
        reasoning = shown ? Math.min(usage.reasoning, all) : 0
        completion = Math.max(0, all - usage.reasoning)
      } else if (chunk.reasoning && !chunk.text) reasoning = Math.max(0, all - completion)
      else completion = Math.max(0, all - reasoning)
    },
    get prompt() {
      return prompt
    },
    get completion() {
      return completion
    },
    get reasoning() {
      return reasoning
    },
  }
}

/** `logprobs.content` of a choice; what is not of its form is as good as absent. */
function readLogprobs(raw: unknown): TokenLogprob[] | undefined {
  if (!Array.isArray(raw)) return undefined
  return raw.map(record).map((each) => {
    const top = Array.isArray(each.top_logprobs) ? each.top_logprobs : []
    return {
      ...readChance(each),
      top: top.slice(0, LIMITS.topLogprobs).map(record).map(readChance),
    }
  })
}

function readChance(each: Record<string, unknown>): TokenChance {
  const known = typeof each.logprob === 'number' && Number.isFinite(each.logprob)
  return {
    token: text(each.token),
    logprob: known ? Number(each.logprob) : Number.NEGATIVE_INFINITY,
  }
}

function readUsage(raw: unknown): ServerUsage | undefined {
  if (raw === null || raw === undefined) return undefined
  const usage = record(raw)
  const prompt = count(usage.prompt_tokens)
  const completion = count(usage.completion_tokens)
  if (prompt === undefined || completion === undefined) return undefined
  return {
    prompt,
    completion,
    cached: count(record(usage.prompt_tokens_details).cached_tokens) ?? 0, // null on vLLM
    reasoning: count(record(usage.completion_tokens_details).reasoning_tokens),
  }
}

function parse(data: string): Record<string, unknown> {
  let raw: unknown
  try {
    raw = JSON.parse(data)
  } catch {
    raw = undefined // the cause would quote the text
  }
  if (typeof raw === 'object' && raw !== null) return record(raw)
  throw new MarketError('backend-failed', { detail: 'an event is no JSON object' })
}

function record(raw: unknown): Record<string, unknown> {
  return typeof raw === 'object' && raw !== null ? { ...raw } : {}
}

function text(raw: unknown): string {
  return typeof raw === 'string' ? raw : ''
}

function count(raw: unknown): number | undefined {
  return typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0 ? raw : undefined
}
