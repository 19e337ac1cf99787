/**
 * A toncenter endpoint that takes one request a second of whoever has no key, as the public ones
 * do, in front of a localnet. Time is the caller's.
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Clock } from '../../contracts/base/ports.ts'

export interface LimitedEndpoint {
  /** To be used in place of the localnet's root. */
  readonly url: string
  /** Requests with a key, taken without one, and refused. */
  readonly counts: { keyed: number; taken: number; refused: number }
  stop(): void
}

const SECOND_MS = 1_000
const REFUSAL = '{"ok":false,"result":"Ratelimit exceed","code":429}'

/** Starts it on loopback; `key` is the one key that lifts the limit. */
export async function startLimitedEndpoint(
  target: string,
  key: string,
  clock: Pick<Clock, 'monotonicMs'>,
): Promise<LimitedEndpoint> {
  const counts = { keyed: 0, taken: 0, refused: 0 }
  let nextMs = 0
  const isTaken = (given: unknown): boolean => {
    if (given === key) {
      counts.keyed++
      return true
    }
    const nowMs = clock.monotonicMs()
    if (nowMs < nextMs) {
      counts.refused++
      return false
    }
    nextMs = nowMs + SECOND_MS
    counts.taken++
    return true
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (!isTaken(request.headers['x-api-key'])) return void response.writeHead(429).end(REFUSAL)
    const answer = await fetch(target + request.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.concat(chunks).toString(),
    })
    response.writeHead(answer.status).end(await answer.text())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    counts,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}
