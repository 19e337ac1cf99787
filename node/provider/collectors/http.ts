/**
 * What vendors publish, over HTTP: a source for the collateral caches beside files.
 *
 * A fetch is bounded in bytes and time and follows no redirect. Nothing of it is believed: a cache
 * adopts only what it has verified to the vendor's pinned root, so that a server, or whoever stands
 * before it, can withhold and nothing more. `fetch` and URLs are handed in.
 * @module
 */
import type { Bytes } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Clock } from '../../../contracts/base/ports.ts'

/** The `fetch` of the platform, as far as it is used. */
export type Fetch = (
  url: string,
  init: { readonly signal: AbortSignal; readonly redirect: 'error' },
) => Promise<Response>

export interface HttpDeps {
  readonly fetch: Fetch
  readonly clock: Pick<Clock, 'after'>
}

export interface Fetched {
  readonly body: Bytes
  readonly headers: Headers
}

/**
 * One GET. Throws `unreachable` with the server's name where there is no answer, another status
 * than 200, a redirect, too many bytes, or none within `LIMITS.httpMs`.
 */
export async function get({ fetch, clock }: HttpDeps, url: string): Promise<Fetched> {
  const limit = new AbortController()
  const disarm = clock.after(LIMITS.httpMs, () => limit.abort(new MarketError('timeout')))
  try {
    const response = await fetch(url, { signal: limit.signal, redirect: 'error' })
    if (response.status !== 200) throw new Error(`status ${response.status}`)
    return { body: await bounded(response), headers: response.headers }
  } catch (cause) {
    const because = cause instanceof Error ? cause.message : 'no answer'
    throw new MarketError('unreachable', { server: serverOf(url), because }, { cause })
  } finally {
    disarm()
  }
}

/** A source for `collateralCache`: one file of a server, as it is. Throws `bad-config`. */
export function httpSource(deps: HttpDeps, url: string): () => Promise<Bytes> {
  checkUrl(url)
  return async () => (await get(deps, url)).body
}

/** Throws `bad-config` unless it is an http or https URL without a password in it. */
export function checkUrl(url: string): void {
  const parsed = URL.parse(url)
  const plain = parsed && /^https?:$/.test(parsed.protocol) && !parsed.username && !parsed.password
  if (!plain) throw new MarketError('bad-config', { field: 'url', expected: 'an http(s) URL' })
}

async function bounded(response: Response): Promise<Bytes> {
  const parts: Bytes[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > LIMITS.collateralBytes) throw new Error('the answer is too long')
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts))
}

function serverOf(url: string): string {
  return URL.parse(url)?.host ?? ''
}
