/**
 * Asking a toncenter endpoint (HTTP API v2, JSON-RPC): bounds, retries, and failures as our codes.
 *
 * Reads are repeated with a doubling wait; a message is repeated only where the endpoint said that
 * it did not take it. A refusal for the rate of requests is no failure: it sets the pace. Redirects
 * are refused, since the API key goes with the request.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Random } from '../../contracts/base/ports.ts'
import type { Secret } from '../../contracts/base/secret.ts'
import { createPace } from './pace.ts'

export interface ToncenterOptions {
  /** JSON-RPC URL. */
  readonly endpoint: string
  readonly apiKey?: Secret<string>
  readonly clock: Clock
  readonly random?: Random
}

/**
 * One request. `body` is JSON-RPC, the result the text of the answer (`{"ok":true,...}`). Throws
 * `contract-failed` where no contract takes the message, `bad-input` where the endpoint refuses the
 * parameters, `not-found` where it has no such block, `chain-unavailable` for the rest, and the
 * signal's reason when aborted.
 */
export type Ask = (body: string, signal?: AbortSignal) => Promise<string>

/** What one try came to: an answer, or a failure and whether another try is harmless. */
type Try =
  | { readonly text: string }
  | { readonly error: MarketError; readonly again: boolean }
  | { readonly tooMany: true; readonly retryAfterMs: number | undefined }

export function toncenter(options: ToncenterOptions): Ask {
  const { clock } = options
  const pace = createPace(options)
  return async (body, signal) => {
    const isSend = body.includes('"method":"sendBoc"')
    const sinceMs = clock.monotonicMs()
    for (let failures = 0; ; ) {
      await pace.turn(sinceMs, signal)
      const outcome = await tryOnce(options, body, isSend, signal)
      if ('text' in outcome) return outcome.text
      if ('tooMany' in outcome) {
        // The endpoint is there and took nothing: `turn` bounds how long it is asked again.
        pace.refused(outcome.retryAfterMs)
        continue
      }
      failures++
      if (!outcome.again || failures >= LIMITS.chainTries) throw outcome.error
      await clock.sleep(LIMITS.chainRetryMs * 2 ** (failures - 1), signal)
    }
  }
}

/**
 * The JSON-RPC URL of an endpoint given as that, as `.../api/v2`, or as the server's root. Throws
 * `bad-config`.
 */
export function jsonRpcUrl(endpoint: string): string {
  const url = URL.parse(endpoint)
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new MarketError('bad-config', { field: 'endpoint', expected: 'an http or https URL' })
  }
  const path = url.pathname.replace(/\/+$/, '')
  if (/\/jsonRPC$/i.test(path)) return url.href
  url.pathname = `${path.endsWith('/api/v2') ? path : `${path}/api/v2`}/jsonRPC`
  return url.href
}

async function tryOnce(
  { endpoint, apiKey, clock }: ToncenterOptions,
  body: string,
  isSend: boolean,
  signal: AbortSignal | undefined,
): Promise<Try> {
  signal?.throwIfAborted()
  const limit = new AbortController()
  const disarm = clock.after(LIMITS.httpMs, () => limit.abort(new Error('no answer in time')))
  try {
    const headers = {
      'content-type': 'application/json',
      ...(apiKey && { 'x-api-key': apiKey.reveal() }),
    }
    const response = await fetch(endpoint, {
      method: 'POST',
      headers,
      body,
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
    })
    const text = await readBounded(response)
    if (response.status === 429) {
      const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), clock.nowMs())
      return { tooMany: true, retryAfterMs }
    }
    return response.ok ? { text } : refusal(response.status, text, isSend)
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof MarketError) return { error: cause, again: false }
    const facts = { endpoint: new URL(endpoint).origin }
    // The network may have taken a message whose answer was lost: the sender must look first.
    return { error: new MarketError('chain-unavailable', facts, { cause }), again: !isSend }
  } finally {
    disarm()
  }
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function parseRetryAfter(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs
  return Number.isFinite(waitMs) ? waitMs : undefined
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > LIMITS.chainAnswerBytes) {
      throw new MarketError('chain-unavailable', { limit: 'chainAnswerBytes' })
    }
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function refusal(status: number, text: string, isSend: boolean): Try {
  const detail = text.slice(0, 300)
  if (text.includes('cannot apply external message')) {
    const exitCode = /exitcode=(-?\d{1,10})/.exec(text)?.[1]
    const facts = { exitCode: exitCode === undefined ? undefined : Number(exitCode) }
    return { error: new MarketError('contract-failed', facts), again: false }
  }
  if (status === 400 || status === 404 || status === 422) {
    return { error: new MarketError('bad-input', { status, detail }), again: false }
  }
  // What toncenter passes on of a node that has no block of the number: asking again is no use.
  if (/seqno not in db|ltdb: block not found/.test(text)) {
    return { error: new MarketError('not-found', { detail }), again: false }
  }
  const again = status === 503 || (status >= 500 && !isSend)
  return { error: new MarketError('chain-unavailable', { status, detail }), again }
}
