/**
 * What may be logged of a fact: names that hold secrets or text of a job lose their value, bytes
 * show their length only, and everything is bounded.
 *
 * Called for every line that the logger writes. A second fence: callers do not log secrets at all.
 * @module
 */
import { MarketError, plainMessage } from '../../contracts/base/errors.ts'
import { Secret } from '../../contracts/base/secret.ts'

const REDACTED = '[redacted]'
/** Longest string of a log line: an address or an error, never a document. */
const MAX_STRING = 1_000
const MAX_DEPTH = 5
const MAX_ITEMS = 32

/** Names whose value is never written: texts of a job, and anything that gives access. */
const SECRET_NAMES = new RegExp(
  [
    '^(prompt|messages|content|text|answer|delta|body|stop|seed|mnemonic|token|cookie|env|key)$',
    'secret|passphrase|password|private|authorization|api_?key|seed$',
  ].join('|'),
  'i',
)

/** A copy of `facts` that is fit for a log. Never throws. */
export function redact(facts: object): Record<string, unknown> {
  return entries(facts, 0)
}

function entries(value: object, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value).slice(0, MAX_ITEMS)) {
    out[name] = SECRET_NAMES.test(name) ? REDACTED : shown(item, depth)
  }
  return out
}

function shown(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string') {
    return value.length > MAX_STRING ? `${value.slice(0, MAX_STRING)}...` : value
  }
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Secret) return value.toString()
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof Error) return shownError(value, depth)
  if (depth >= MAX_DEPTH) return '[deep]'
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => shown(item, depth + 1))
  return entries(value, depth + 1)
}

function shownError(error: Error, depth: number): unknown {
  const base = { name: error.name, message: plainMessage(error).slice(0, MAX_STRING) }
  const cause = error.cause === undefined || depth >= MAX_DEPTH ? undefined : error.cause
  const rest = cause === undefined ? {} : { cause: shown(cause, depth + 1) }
  if (error instanceof MarketError) {
    return { ...base, code: error.code, facts: entries(error.facts, depth + 1), ...rest }
  }
  return { ...base, ...rest }
}
