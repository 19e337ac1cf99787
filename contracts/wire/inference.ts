/**
 * The plaintext of a sealed request: what the model is asked. Only the client and the provider see it.
 *
 * JSON in UTF-8, version 1, unknown keys refused so that a newer client is told and not half obeyed.
 * The client encodes it before sealing; the provider decodes it after opening.
 * @module
 */
import { type Bytes, utf8 } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'

/** One message of a conversation. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** An inference request. `maxTokens` bounds completion and reasoning tokens together. */
export interface InferenceRequest {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly maxTokens: number
  /** 0 to 2; absent: the model's own default. */
  readonly temperature?: number
  /** Above 0, to 1. */
  readonly topP?: number
  readonly seed?: number
  /** At most 8 strings that end the answer. */
  readonly stop?: readonly string[]
}

const KEYS = ['version', 'model', 'messages', 'maxTokens', 'temperature', 'topP', 'seed', 'stop']
const STOP_STRINGS = 8
const STOP_CHARACTERS = 256

/**
 * A request as bytes. Throws `bad-input` where it is not valid, `too-large` beyond
 * `LIMITS.requestBytes`.
 *
 * @example
 * encodeInference({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], maxTokens: 8 })
 */
export function encodeInference(request: InferenceRequest): Bytes {
  const bytes = utf8(JSON.stringify({ version: 1, ...checkInference({ version: 1, ...request }) }))
  if (bytes.length > LIMITS.requestBytes) {
    throw new MarketError('too-large', { bytes: bytes.length, most: LIMITS.requestBytes })
  }
  return bytes
}

/** Bytes as a request. Throws `bad-input` (never quoting the content) or `too-large`. */
export function decodeInference(bytes: Bytes): InferenceRequest {
  if (bytes.length > LIMITS.requestBytes) {
    throw new MarketError('too-large', { bytes: bytes.length, most: LIMITS.requestBytes })
  }
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // No cause: a parser's message quotes what it read, and that is a prompt.
    throw refuse('request', 'JSON')
  }
  return checkInference(json)
}

function checkInference(json: unknown): InferenceRequest {
  const fields = objectOf('request', json)
  onlyKeys(fields, KEYS)
  if (fields.version !== 1) throw refuse('version', '1')
  const { model, messages, maxTokens, temperature, topP, seed, stop } = fields
  if (typeof model !== 'string' || model.length > LIMITS.nameLength) throw refuse('model', 'a name')
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > LIMITS.messages) {
    throw refuse('messages', `1 to ${LIMITS.messages} messages`)
  }
  return {
    model,
    messages: messages.map(message),
    maxTokens: number('maxTokens', maxTokens, 1, LIMITS.maxTokens, true),
    ...(temperature !== undefined && {
      temperature: number('temperature', temperature, 0, 2, false),
    }),
    ...(topP !== undefined && { topP: number('topP', topP, Number.MIN_VALUE, 1, false) }),
    ...(seed !== undefined && { seed: number('seed', seed, 0, 2 ** 32 - 1, true) }),
    ...(stop !== undefined && { stop: stops(stop) }),
  }
}

function message(json: unknown): ChatMessage {
  const fields = objectOf('messages', json)
  onlyKeys(fields, ['role', 'content'])
  const { role, content } = fields
  if (role !== 'system' && role !== 'user' && role !== 'assistant') {
    throw refuse('role', 'system, user or assistant')
  }
  // A lone surrogate would not survive UTF-8, and the two sides would count different texts.
  if (typeof content !== 'string' || !content.isWellFormed()) {
    throw refuse('content', 'a well-formed string')
  }
  return { role, content }
}

function stops(json: unknown): readonly string[] {
  const valid =
    Array.isArray(json) &&
    json.length <= STOP_STRINGS &&
    json.every((each) => typeof each === 'string' && each.length > 0)
  if (!valid || json.some((each) => each.length > STOP_CHARACTERS)) {
    throw refuse('stop', `at most ${STOP_STRINGS} strings of 1 to ${STOP_CHARACTERS} characters`)
  }
  return [...json]
}

function number(field: string, json: unknown, least: number, most: number, whole: boolean): number {
  const valid = typeof json === 'number' && json >= least && json <= most
  if (!valid || (whole && !Number.isInteger(json))) {
    throw refuse(field, `${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`)
  }
  return json
}

function objectOf(field: string, json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw refuse(field, 'an object')
  }
  return { ...json }
}

function onlyKeys(fields: Record<string, unknown>, known: readonly string[]): void {
  // The key itself is not shown: it may be part of a prompt that was put in the wrong place.
  if (!Object.keys(fields).every((key) => known.includes(key)))
    throw refuse('request', 'known keys')
}

function refuse(field: string, expected: string): MarketError {
  return new MarketError('bad-input', { field, expected })
}
