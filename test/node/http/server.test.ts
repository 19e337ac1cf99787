/**
 * The server under every HTTP surface: who may call, what is refused, how it ends.
 * @module
 */
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Clock } from '../../../contracts/base/ports.ts'
import { createHttpServer, type HttpServer } from '../../../node/http/server.ts'
import { createClock } from '../../../node/system/clock.ts'
import { type KeptLogger, keptLogger } from '../../support/quietLogger.ts'

/** A real clock whose waiting for the end of requests is over at once. */
const clock: Clock = { ...createClock(), after: (_ms, task) => createClock().after(0, task) }
const SECRET = 'a prompt nobody may log'

let logger: KeptLogger
let server: HttpServer

beforeEach(async () => {
  logger = keptLogger()
  server = await createHttpServer({
    clock,
    logger,
    bodyBytes: 1_000,
    shape: (error) => ({ status: error.status, body: { failed: error.code } }),
  })
  server.app.post('/echo', async ({ body }) => ({ body }))
  server.app.get('/fail', async () => {
    throw new Error(SECRET)
  })
  server.app.get('/typed', async () => {
    throw new MarketError('no-funds', { needed: 3n })
  })
})
afterEach(async () => {
  await server.stop()
})

const post = (payload: string, headers: Record<string, string> = {}) =>
  server.app.inject({
    method: 'POST',
    url: '/echo',
    payload,
    headers: { host: 'localhost', 'content-type': 'application/json', ...headers },
  })
const get = (url: string, headers: Record<string, string> = { host: '127.0.0.1:80' }) =>
  server.app.inject({ url, headers })

describe('callers', () => {
  it.each([['127.0.0.1'], ['127.0.0.1:8080'], ['localhost'], ['LOCALHOST:1'], ['[::1]:99']])(
    'that name this machine as %s are served',
    async (host) => {
      expect((await get('/typed', { host })).statusCode).toBe(402)
    },
  )

  it.each([
    ['example.org'],
    ['127.0.0.1.example.org'],
    ['localhost.example.org:80'],
    ['192.168.1.5'],
    ['127.0.0.1@evil'],
  ])('that name %j are not', async (host) => {
    const answer = await get('/typed', { host })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toEqual({ failed: 'bad-host' })
  })

  it('from a page of elsewhere are not served, from a local page they are', async () => {
    const from = (origin: string) => get('/typed', { host: 'localhost', origin })
    expect((await from('https://example.org')).json()).toEqual({ failed: 'bad-host' })
    expect((await from('null')).json()).toEqual({ failed: 'bad-host' })
    expect((await from('http://localhost:3000')).statusCode).toBe(402)
  })
})

describe('a page of this machine', () => {
  const preflight = (app: HttpServer['app'], origin: string) =>
    app.inject({
      method: 'OPTIONS',
      url: '/echo',
      headers: { host: 'localhost', origin, 'access-control-request-headers': 'content-type' },
    })

  it('may read answers where the surface says so', async () => {
    const shape = (error: MarketError) => ({ status: error.status, body: {} })
    const open = await createHttpServer({ clock, logger, shape, localPages: true })
    open.app.get('/page', async () => ({ ok: true }))
    const origin = 'http://localhost:5173'
    const asked = await preflight(open.app, origin)
    expect(asked.statusCode).toBe(204)
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'content-type',
    })
    const headers = { host: 'localhost', origin }
    const answer = await open.app.inject({ url: '/page', headers })
    expect(answer.headers['access-control-allow-origin']).toBe(origin)
    const foreign = await preflight(open.app, 'https://example.org')
    expect(foreign.statusCode).toBe(403)
    expect(foreign.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('may not where it does not', async () => {
    const asked = await preflight(server.app, 'http://localhost:5173')
    expect(asked.statusCode).toBe(404)
    expect(asked.headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('bodies', () => {
  it('of JSON are read', async () => {
    expect((await post('{"a":1}')).json()).toEqual({ body: { a: 1 } })
  })

  it.each([['{"__proto__":{"a":1}}'], ['{"constructor":{"prototype":{"a":1}}}'], ['{"a":']])(
    'like %s are refused',
    async (payload) => {
      const answer = await post(payload)
      expect(answer.statusCode).toBe(400)
      expect(answer.json()).toEqual({ failed: 'bad-input' })
    },
  )

  it('that a page may send unasked are refused', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const answer = await post('{"a":1}', { 'content-type': type })
      expect(answer.json()).toEqual({ failed: 'bad-input' })
    }
  })

  it('above the bound are refused', async () => {
    const answer = await post(JSON.stringify('x'.repeat(1_000)))
    expect(answer.statusCode).toBe(413)
    expect(answer.json()).toEqual({ failed: 'too-large' })
  })
})

describe('failures', () => {
  it('of ours keep their code and status in the shape of the surface', async () => {
    const answer = await get('/typed')
    expect(answer.statusCode).toBe(402)
    expect(answer.json()).toEqual({ failed: 'no-funds' })
  })

  it('that nobody expected say nothing to the caller', async () => {
    const answer = await get('/fail')
    expect(answer.statusCode).toBe(500)
    expect(answer.body).toBe('{"failed":"internal"}')
    expect(logger.lines).toHaveLength(1)
    expect(JSON.stringify(logger.lines)).not.toContain(SECRET)
    expect(JSON.stringify(logger.lines)).toContain('server.test.ts')
  })

  it('to find a path, or to read one, have the same shape', async () => {
    expect((await get('/nothing')).json()).toEqual({ failed: 'not-found' })
    expect((await get('/%zz')).json()).toEqual({ failed: 'bad-input' })
  })
})

describe('listening', () => {
  it('is on loopback, with every bound set', async () => {
    const { url, port } = await server.listen(0)
    expect(url).toBe(`http://127.0.0.1:${port}`)
    const { address } = server.app.server.address() as { address: string }
    expect(address).toBe('127.0.0.1')
    const { headersTimeout, requestTimeout, timeout, maxConnections } = server.app.server
    expect({ headersTimeout, requestTimeout, timeout, maxConnections }).toEqual({
      headersTimeout: LIMITS.httpHeadersMs,
      requestTimeout: LIMITS.httpMs,
      timeout: LIMITS.httpIdleMs,
      maxConnections: LIMITS.httpConnections,
    })
  })

  it('on a taken or impossible port fails by name', async () => {
    const { port } = await server.listen(0)
    const shape = (error: MarketError) => ({ status: error.status, body: {} })
    const other = await createHttpServer({ clock, logger, shape })
    await expect(other.listen(port)).rejects.toMatchObject({ code: 'port-in-use', facts: { port } })
    await expect(other.listen(70_000)).rejects.toMatchObject({ code: 'bad-config' })
  })
})

describe('stopping', () => {
  it('lets a stream end itself', async () => {
    server.app.get('/stream', (_request, reply) => {
      const stream = new Readable({ read() {} })
      stream.push('begun ')
      server.stopping.addEventListener('abort', () => {
        stream.push('ended')
        stream.push(null)
      })
      return reply.type('text/plain').send(stream)
    })
    const { url } = await server.listen(0)
    const answer = await fetch(`${url}/stream`)
    const stopped = server.stop()
    expect(await answer.text()).toBe('begun ended')
    await stopped
  })

  it('cuts a stream that does not, and a socket that says nothing', async () => {
    server.app.get('/endless', (_request, reply) => {
      const stream = new Readable({ read() {} })
      stream.push('begun')
      return reply.type('text/plain').send(stream)
    })
    const { url, port } = await server.listen(0)
    const answer = await fetch(`${url}/endless`)
    const silent = connect(port, '127.0.0.1')
    const closed = new Promise((resolve) => silent.once('close', resolve))
    silent.on('error', () => {}).write('GET /endless HTTP/1.1\r\nhost: local')
    await server.stop()
    await expect(answer.text()).rejects.toThrow()
    await closed
    await expect(fetch(url)).rejects.toThrow()
  })
})
