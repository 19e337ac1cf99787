/**
 * How a toncenter endpoint is asked: retries, bounds, and what its failures become.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Clock } from '../../../contracts/base/ports.ts'
import { secret } from '../../../contracts/base/secret.ts'
import { connectChain } from '../../../node/chain/tonClient.ts'
import { jsonRpcUrl, toncenter } from '../../../node/chain/toncenter.ts'
import { createClock } from '../../../node/system/clock.ts'

const READ = '{"id":"1","jsonrpc":"2.0","method":"getMasterchainInfo","params":{}}'
const SEND = '{"id":"1","jsonrpc":"2.0","method":"sendBoc","params":{"boc":""}}'

type Reply = (request: IncomingMessage, response: ServerResponse) => void

let replies: Reply[]
let asked: { method: string; apiKey: unknown }[]
let slept: number[]
let endpoint: string
let stop: () => void

/** Waits are noted and over at once; the time limit of a request is noted and never comes. */
const clock: Clock = {
  ...createClock(),
  after: () => () => {},
  sleep: async (delayMs, signal) => {
    signal?.throwIfAborted()
    slept.push(delayMs)
  },
}

beforeEach(async () => {
  replies = []
  asked = []
  slept = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      asked.push({ method: JSON.parse(body).method, apiKey: request.headers['x-api-key'] })
      const reply = replies.shift() ?? answer(200, '{"ok":true,"result":1}')
      reply(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/api/v2/jsonRPC`
  stop = () => {
    server.closeAllConnections()
    server.close()
  }
})
afterEach(() => stop())

const answer =
  (status: number, body: string, headers: Record<string, string> = {}): Reply =>
  (_request, response) => {
    response.writeHead(status, headers).end(body)
  }
const hangUp: Reply = (request) => {
  request.socket.destroy()
}
const ask = (body: string, signal?: AbortSignal) =>
  toncenter({ endpoint, apiKey: secret('API key', 'key'), clock })(body, signal)

describe('a read', () => {
  it.each<[string, Reply]>([
    ['a lost connection', hangUp],
    ['a server error', answer(500, '{"ok":false,"error":"LITE_SERVER_NOTREADY","code":500}')],
    ['a gateway error', answer(504, 'timeout')],
  ])('is tried again after %s', async (_name, failure) => {
    replies = [failure, failure]
    expect(await ask(READ)).toContain('"ok":true')
    expect(slept).toEqual([LIMITS.chainRetryMs, 2 * LIMITS.chainRetryMs])
    expect(asked.every(({ apiKey }) => apiKey === 'key')).toBe(true)
  })

  it('is given up after a bounded number of tries', async () => {
    replies = Array(10).fill(answer(503, 'no'))
    await expect(ask(READ)).rejects.toMatchObject({
      code: 'chain-unavailable',
      facts: { status: 503 },
    })
    expect(asked).toHaveLength(LIMITS.chainTries)
  })

  it('is not tried again where the endpoint refuses what was asked', async () => {
    replies = [answer(422, '{"ok":false,"error":"bad address","code":422}')]
    await expect(ask(READ)).rejects.toMatchObject({ code: 'bad-input' })
    expect(asked).toHaveLength(1)
  })

  it('is not tried again where a node has no such block', async () => {
    const error = 'LITE_SERVER_NOTREADY: cannot find block (-1,8000000000000000) seqno=2399: '
    replies = [answer(500, JSON.stringify({ ok: false, error: `${error}seqno not in db` }))]
    await expect(ask(READ)).rejects.toMatchObject({ code: 'not-found' })
    expect(asked).toHaveLength(1)
  })

  it('does not follow a redirect with its key', async () => {
    replies = Array(10).fill(answer(307, '', { location: endpoint }))
    await expect(ask(READ)).rejects.toMatchObject({ code: 'chain-unavailable' })
    expect(asked).toHaveLength(LIMITS.chainTries)
  })

  it('stops at an answer that is too large', async () => {
    replies = [answer(200, 'x'.repeat(LIMITS.chainAnswerBytes + 1))]
    await expect(ask(READ)).rejects.toMatchObject({
      code: 'chain-unavailable',
      facts: { limit: 'chainAnswerBytes' },
    })
  })

  it('ends when aborted, also while it waits', async () => {
    const stopper = new AbortController()
    replies = [() => stopper.abort(new Error('enough'))]
    await expect(ask(READ, stopper.signal)).rejects.toThrow('enough')
    await expect(ask(READ, stopper.signal)).rejects.toThrow('enough')
    expect(asked).toHaveLength(1)
  })

  it('ends at its time limit', async () => {
    const impatient = { ...clock, after: createClock().after }
    const limited = {
      ...impatient,
      after: (_ms: number, task: () => void) => impatient.after(5, task),
    }
    replies = Array(10).fill(() => {})
    const asking = toncenter({ endpoint, clock: limited })(READ)
    await expect(asking).rejects.toMatchObject({ code: 'chain-unavailable' })
  })
})

describe('a message', () => {
  it('is not sent twice where the first may have arrived', async () => {
    for (const failure of [hangUp, answer(500, 'odd'), answer(504, 'late')]) {
      asked = []
      replies = [failure]
      await expect(ask(SEND)).rejects.toMatchObject({ code: 'chain-unavailable' })
      expect(asked).toHaveLength(1)
    }
  })

  it('is sent again where it was not taken', async () => {
    replies = [answer(429, 'slow down'), answer(503, 'not yet')]
    await ask(SEND)
    expect(asked).toHaveLength(3)
  })

  it('that a contract refuses gives its exit code', async () => {
    const error = 'LITE_SERVER_UNKNOWN: cannot apply external message to current state : External'
    replies = [answer(500, JSON.stringify({ ok: false, error: `${error}, exitcode=33, steps=1` }))]
    await expect(ask(SEND)).rejects.toMatchObject({
      code: 'contract-failed',
      facts: { exitCode: 33 },
    })
  })
})

describe('connecting', () => {
  const connecting = () => connectChain({ endpoint, networkId: -3, clock })
  const config = (boc: string) =>
    answer(200, JSON.stringify({ ok: true, result: { config: { bytes: boc } } }))

  it('fails where the endpoint tells another network', async () => {
    // One cell that holds -239 as 32 bits.
    replies = [config('te6cckEBAQEABgAACP///xHmo3/3')]
    const failing = connecting()
    await expect(failing).rejects.toMatchObject({
      code: 'wrong-network',
      facts: { expected: -3, found: -239 },
    })
  })

  it('fails where the answer makes no sense', async () => {
    replies = [config('nonsense')]
    await expect(connecting()).rejects.toMatchObject({ code: 'chain-unavailable' })
    replies = [answer(200, 'not json')]
    await expect(connecting()).rejects.toMatchObject({ code: 'chain-unavailable' })
  })

  it('fails where nobody answers', async () => {
    replies = Array(10).fill(hangUp)
    await expect(connecting()).rejects.toMatchObject({ code: 'chain-unavailable' })
  })

  it('goes on where the endpoint does not know the method', async () => {
    replies = [answer(404, '{"ok":false,"error":"no such method","code":404}')]
    expect((await connecting()).networkId).toBe(-3)
  })

  it('turns nonsense of later answers into one code', async () => {
    replies = [answer(404, '{}'), answer(200, '{"ok":true,"result":{"balance":true}}')]
    const chain = await connecting()
    await expect(chain.now()).rejects.toMatchObject({ code: 'chain-unavailable' })
  })
})

describe('an endpoint', () => {
  it.each([
    ['http://127.0.0.1:18081', 'http://127.0.0.1:18081/api/v2/jsonRPC'],
    ['https://toncenter.com/api/v2/', 'https://toncenter.com/api/v2/jsonRPC'],
    ['https://toncenter.com/api/v2/jsonRPC', 'https://toncenter.com/api/v2/jsonRPC'],
    ['https://host/prefix', 'https://host/prefix/api/v2/jsonRPC'],
  ])('%s is asked at %s', (given, url) => {
    expect(jsonRpcUrl(given)).toBe(url)
  })

  it.each([['localhost:18081'], ['file:///etc/passwd'], ['']])('%j is none', (given) => {
    expect(() => jsonRpcUrl(given)).toThrow(expect.objectContaining({ code: 'bad-config' }))
  })
})
