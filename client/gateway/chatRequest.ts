/**
 * `POST /v1/chat/completions`: what an OpenAI client sends, as what the market's SDK takes.
 *
 * Pure. Options that would change the answer and cannot be honoured are refused by name; options
 * that only label a request are ignored. Source: OpenAI API reference, "Create chat completion".
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { type Secret, secret } from '../../contracts/base/secret.ts'
import { TIERS, type Tier } from '../../contracts/base/tier.ts'
import type { ChatMessage } from '../../contracts/wire/request.ts'

/** One chat completion as asked for. */
export interface ChatRequest {
  readonly model: string
  readonly messages: Secret<readonly ChatMessage[]>
  readonly stream: boolean
  /** Whether the last chunk of a stream carries the usage. */
  readonly includeUsage: boolean
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly seed?: number
  readonly stop?: readonly string[]
  /** Extension of this gateway: `{"chrysalis": {"maxTick", "minTier"}}`. */
  readonly maxTick?: number
  readonly minTier?: Tier
}

const TAKEN = [
  'model',
  'messages',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'seed',
  'stop',
  'chrysalis',
]

/** Labels, and options whose other values are refused below. */
const HARMLESS: Readonly<Record<string, (value: unknown) => boolean>> = {
  user: () => true,
  metadata: () => true,
  store: () => true,
  safety_identifier: () => true,
  prompt_cache_key: () => true,
  service_tier: () => true,
  parallel_tool_calls: () => true,
  n: (value) => value === 1,
  logprobs: (value) => value === false,
  frequency_penalty: (value) => value === 0,
  presence_penalty: (value) => value === 0,
  tools: (value) => Array.isArray(value) && value.length === 0,
  tool_choice: (value) => value === 'none',
  response_format: (value) => isRecord(value) && value.type === 'text',
  modalities: (value) => Array.isArray(value) && value.every((each) => each === 'text'),
}

/** Parses a request body. Throws `bad-input` whose fact `field` is the parameter at fault. */
export function parseChatRequest(body: unknown): ChatRequest {
  if (!isRecord(body)) throw refuse('body', 'a JSON object')
  for (const [key, value] of Object.entries(body)) {
    if (TAKEN.includes(key) || value === null) continue
    const harmless = Object.hasOwn(HARMLESS, key) && HARMLESS[key]?.(value)
    if (!harmless) throw refuse(key.slice(0, 64), 'nothing: not supported here')
  }
  const { model, stream } = body
  if (typeof model !== 'string' || model.length === 0) throw refuse('model', 'the name of a model')
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') {
    throw refuse('stream', 'true or false')
  }
  return {
    model,
    messages: secret('prompt', parseMessages(body.messages)),
    stream: stream === true,
    includeUsage: isRecord(body.stream_options) && body.stream_options.include_usage === true,
    maxTokens:
      number('max_completion_tokens', body.max_completion_tokens, 1, LIMITS.maxTokens) ??
      number('max_tokens', body.max_tokens, 1, LIMITS.maxTokens),
    temperature: number('temperature', body.temperature, 0, 2),
    topP: number('top_p', body.top_p, 0, 1),
    seed: number('seed', body.seed, 0, 2 ** 32 - 1),
    stop: parseStop(body.stop),
    ...parseExtension(body.chrysalis),
  }
}

function parseMessages(value: unknown): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > LIMITS.messages) {
    throw refuse('messages', `1 to ${LIMITS.messages} messages`)
  }
  return value.map((message, at) => {
    const field = `messages[${at}]`
    if (!isRecord(message)) throw refuse(field, 'an object')
    const role = message.role === 'developer' ? 'system' : message.role
    if (role !== 'system' && role !== 'user' && role !== 'assistant') {
      throw refuse(`${field}.role`, 'system, developer, user or assistant')
    }
    return { role, content: parseContent(`${field}.content`, message.content) }
  })
}

function parseContent(field: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) throw refuse(field, 'text')
  const parts = value.map((part) => {
    if (!isRecord(part) || part.type !== 'text' || typeof part.text !== 'string') {
      throw refuse(field, 'text parts only: images and files are not fetched')
    }
    return part.text
  })
  return parts.join('')
}

function parseStop(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const texts: unknown[] = Array.isArray(value) ? value : [value]
  const good = texts.every((text) => typeof text === 'string' && text.length > 0)
  if (!good || texts.length > 4) throw refuse('stop', '1 to 4 texts')
  return texts as string[]
}

function parseExtension(value: unknown): Pick<ChatRequest, 'maxTick' | 'minTier'> {
  if (value === undefined || value === null) return {}
  if (!isRecord(value)) throw refuse('chrysalis', 'an object')
  const unknown = Object.keys(value).find((key) => key !== 'maxTick' && key !== 'minTier')
  if (unknown !== undefined) throw refuse('chrysalis', 'maxTick and minTier only')
  const minTier = TIERS.find((tier) => tier === value.minTier)
  if (value.minTier !== undefined && !minTier) throw refuse('chrysalis.minTier', TIERS.join(', '))
  return { maxTick: number('chrysalis.maxTick', value.maxTick, 0, 95), minTier }
}

function number(field: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw refuse(field, `${least} to ${most}`)
  }
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(field: string, expected: string): MarketError {
  return new MarketError('bad-input', { field, expected })
}
