/**
 * The sealed request in the clear: what the client asks the model, as JSON inside the seal.
 *
 * Encoded by the client, parsed once by the provider after opening. Unknown keys are refused, so
 * that a client never believes an option was honoured that was not.
 * @module
 */
import { type Bytes, utf8 } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** One inference request. `seed` makes sampling repeatable where the backend can. */
export interface JobRequest {
  readonly messages: readonly ChatMessage[]
  readonly maxTokens: number
  readonly temperature?: number
  readonly topP?: number
  readonly seed?: number
  readonly stop?: readonly string[]
}

const KEYS = new Set(['messages', 'maxTokens', 'temperature', 'topP', 'seed', 'stop'])
const ROLES = new Set(['system', 'user', 'assistant'])

/** The request as bytes. Throws `bad-input` where it is not one, `too-large` beyond the bound. */
export function encodeRequest(request: JobRequest): Bytes {
  const bytes = utf8(JSON.stringify(checked(request)))
  if (bytes.length > LIMITS.requestBytes) {
    throw new MarketError('too-large', { bytes: bytes.length, most: LIMITS.requestBytes })
  }
  return bytes
}

/** Bytes as a request. Throws `bad-input` naming the field. */
export function parseRequest(bytes: Bytes): JobRequest {
  if (bytes.length > LIMITS.requestBytes) throw new MarketError('too-large', {})
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw wrong('request', 'JSON') // the cause would quote the prompt
  }
  return checked(value)
}

function checked(value: unknown): JobRequest {
  if (typeof value !== 'object' || value === null) throw wrong('request', 'an object')
  const raw = value as Record<string, unknown>
  const unknown = Object.keys(raw).find((key) => !KEYS.has(key))
  if (unknown !== undefined) throw wrong('request', 'only known keys')
  const request = {
    messages: messages(raw.messages),
    maxTokens: number('maxTokens', raw.maxTokens, 1, LIMITS.maxTokens, true),
    temperature: optional('temperature', raw.temperature, 0, 2, false),
    topP: optional('topP', raw.topP, 0, 1, false),
    seed: optional('seed', raw.seed, 0, 2 ** 32 - 1, true),
    stop: stops(raw.stop),
  }
  const given = Object.entries(request).filter(([, each]) => each !== undefined)
  return Object.fromEntries(given) as unknown as JobRequest
}

function messages(value: unknown): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > LIMITS.messages) {
    throw wrong('messages', `1 to ${LIMITS.messages} messages`)
  }
  return value.map((each) => {
    const { role, content, ...rest } = (each ?? {}) as Record<string, unknown>
    const known = typeof role === 'string' && ROLES.has(role) && typeof content === 'string'
    if (!known || Object.keys(rest).length > 0) throw wrong('messages', 'role and text content')
    return { role: role as ChatMessage['role'], content: content as string }
  })
}

function stops(value: unknown): string[] | undefined {
  if (value === undefined) return undefined
  const texts = Array.isArray(value) ? value : [value]
  const most = LIMITS.stopLength
  const good = texts.every((t) => typeof t === 'string' && t.length > 0 && t.length <= most)
  if (!good || texts.length > LIMITS.stopTexts)
    throw wrong('stop', `1 to ${LIMITS.stopTexts} texts`)
  return texts
}

function optional(field: string, value: unknown, least: number, most: number, whole: boolean) {
  return value === undefined ? undefined : number(field, value, least, most, whole)
}

function number(
  field: string,
  value: unknown,
  least: number,
  most: number,
  whole: boolean,
): number {
  const good = typeof value === 'number' && value >= least && value <= most
  if (!good || (whole && !Number.isSafeInteger(value))) throw wrong(field, `${least} to ${most}`)
  return value
}

function wrong(field: string, expected: string): MarketError {
  return new MarketError('bad-input', { field, expected })
}
