/**
 * The HTTP server that every surface of Chrysalis uses: gateway, localnet, status pages.
 *
 * Loopback only. A page in the owner's browser can reach loopback too, so a request must name this
 * machine in `Host` (against DNS rebinding) and, where a browser names the page it comes from, in
 * `Origin`; only JSON bodies are read, which no page can send across origins unasked. Sizes, times
 * and sockets are bounded; a failure leaves as the surface's own JSON, never as a stack.
 * @module
 */
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'

/** How a surface tells a failure: OpenAI's envelope, toncenter's, or its own. */
export type ErrorShape = (error: MarketError) => { readonly status: number; readonly body: object }

export interface HttpServerOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly shape: ErrorShape
  /** Largest body; `LIMITS.bodyBytes` unless told. */
  readonly bodyBytes?: number
  /** Lets pages of this machine read the answers (CORS). Pages of elsewhere never can. */
  readonly localPages?: boolean
}

export interface HttpServer {
  /** Routes are added here, before `listen`. */
  readonly app: FastifyInstance
  /** Aborted when the server begins to stop: streams end themselves on it. */
  readonly stopping: AbortSignal
  /** Binds 127.0.0.1; port 0 takes any. Throws `port-in-use`. */
  listen(port: number): Promise<{ readonly url: string; readonly port: number }>
  /** Takes no more requests, lets open ones end for `LIMITS.httpStopMs`, then cuts them. */
  stop(): Promise<void>
}

/**
 * A server without routes.
 *
 * @example
 * const shape = (error) => ({ status: error.status, body: { error: error.report() } })
 * const server = await createHttpServer({ clock, logger, shape })
 * server.app.get('/health', () => ({ ok: true }))
 * const { url } = await server.listen(0)
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const app = await createApp(options)
  guardCallers(app)
  if (options.localPages) allowLocalPages(app)
  shapeErrors(app, options)
  const stopping = new AbortController()
  return {
    app,
    stopping: stopping.signal,
    listen: (port) => listen(app, port),
    stop: async () => {
      stopping.abort()
      const cut = options.clock.after(LIMITS.httpStopMs, () => app.server.closeAllConnections())
      await app.close()
      cut()
    },
  }
}

async function createApp(options: HttpServerOptions): Promise<FastifyInstance> {
  const { fastify } = await import('fastify')
  const app = fastify({
    logger: false, // a request log would hold query strings; surfaces log what they mean to
    bodyLimit: options.bodyBytes ?? LIMITS.bodyBytes,
    connectionTimeout: LIMITS.httpIdleMs,
    requestTimeout: LIMITS.httpMs,
    http: { headersTimeout: LIMITS.httpHeadersMs },
    forceCloseConnections: 'idle',
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    exposeHeadRoutes: false,
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      const { status, body } = options.shape(toMarketError(error))
      reply.code(status).send(body)
    },
  })
  app.removeContentTypeParser('text/plain') // the one type a page may post to another origin
  app.server.maxConnections = LIMITS.httpConnections
  return app
}

function guardCallers(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    if (!isLoopback(request.headers.host)) throw new MarketError('bad-host')
    const { origin } = request.headers
    if (origin === undefined) return
    const host = /^https?:\/\/(.+)$/.exec(origin)?.[1]
    if (!isLoopback(host)) throw new MarketError('bad-host', { header: 'origin' })
  })
}

/** After `guardCallers`: an `Origin` that is still here is a page of this machine. */
function allowLocalPages(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ method, headers }, reply) => {
    if (headers.origin === undefined) return
    reply.header('access-control-allow-origin', headers.origin).header('vary', 'origin')
    const asked = headers['access-control-request-headers']
    if (method !== 'OPTIONS') return
    reply.header('access-control-allow-methods', 'GET, POST, DELETE')
    if (typeof asked === 'string') reply.header('access-control-allow-headers', asked)
    return reply.code(204).send()
  })
}

function shapeErrors(app: FastifyInstance, { shape, logger }: HttpServerOptions): void {
  app.setErrorHandler<FastifyError | MarketError>((thrown, request, reply) => {
    const error = toMarketError(thrown)
    if (error.code === 'internal') {
      logger.error({ route: request.routeOptions.url, ...whereOf(thrown) }, 'request failed')
    }
    const { status, body } = shape(error)
    reply.code(status).send(body)
  })
  app.setNotFoundHandler((_request, reply) => {
    const { status, body } = shape(new MarketError('not-found'))
    reply.code(status).send(body)
  })
}

async function listen(app: FastifyInstance, port: number): Promise<{ url: string; port: number }> {
  try {
    await app.listen({ host: '127.0.0.1', port })
  } catch (cause) {
    if (errorCode(cause) === 'EADDRINUSE') throw new MarketError('port-in-use', { port }, { cause })
    if (errorCode(cause) === 'EACCES' || errorCode(cause) === 'ERR_SOCKET_BAD_PORT') {
      throw new MarketError('bad-config', { field: 'port', port }, { cause })
    }
    throw cause
  }
  const bound = app.server.address()
  if (bound === null || typeof bound === 'string') throw new MarketError('internal')
  return { url: `http://127.0.0.1:${bound.port}`, port: bound.port }
}

/** What fastify refuses before a handler runs is the caller's input; anything else is ours. */
function toMarketError(thrown: FastifyError | MarketError): MarketError {
  if (thrown instanceof MarketError) return thrown
  const status = thrown.statusCode ?? 500
  if (status === 413) return new MarketError('too-large', {}, { cause: thrown })
  if (status >= 400 && status < 500) {
    return new MarketError('bad-input', { detail: thrown.message.slice(0, 200) }, { cause: thrown })
  }
  return new MarketError('internal', {}, { cause: thrown })
}

/** True for `127.0.0.1`, `localhost` and `[::1]`, with any port or none. */
function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i.test(host)
}

/** Name and place of an unexpected error. Its message may quote what a caller sent. */
function whereOf({ name, stack }: Error): object {
  const frames = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return { name, at: frames.slice(0, 3).map((line) => line.trim()) }
}

function errorCode(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
}
