/**
 * The OpenAI-compatible gateway: any OpenAI client on this machine, served by the market.
 *
 * Composition root of the gateway. Loopback only, an API key required even there (a web page in the
 * user's browser can reach loopback too), `Host` checked by the shared HTTP server.
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import type { Secret } from '../../contracts/base/secret.ts'
import { createHttpServer } from '../../node/http/server.ts'
import type { ServedBy } from '../servedBy.ts'
import type { Job, JobRequest, JobResult, Market } from '../types.ts'
import { type ChatRequest, parseChatRequest } from './chatRequest.ts'
import {
  type Completion,
  chunk,
  completion,
  errorEnvelope,
  extras,
  finishReason,
  firstChunk,
  modelList,
  modelObject,
  usageChunk,
} from './openai.ts'

export interface GatewayOptions {
  readonly market: Market
  readonly clock: Clock
  readonly logger: Logger
  /** 10000 by default; 0 for any. */
  readonly port: number
  /** The API key that requests must carry. */
  readonly apiKey: Secret<string>
}

export interface Gateway {
  /** `http://127.0.0.1:PORT/v1`: what `OPENAI_BASE_URL` wants. */
  readonly url: string
  stop(): Promise<void>
}

/** Starts the gateway. Throws `port-in-use`. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { market, clock, logger } = options
  const server = await createHttpServer({ clock, logger, shape: errorEnvelope })
  const nowS = () => Math.floor(clock.nowMs() / 1000)
  const keyHash = digest(options.apiKey.reveal())

  server.app.addHook('onRequest', async (request) => {
    if (request.url === '/health') return
    const given = /^Bearer (.{1,256})$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    if (!timingSafeEqual(digest(given), keyHash)) throw new MarketError('bad-key')
  })
  server.app.get('/health', async () => ({ ok: true }))
  server.app.get('/v1/models', async () => modelList(await market.models(), nowS()))
  server.app.get<{ Params: { '*': string } }>('/v1/models/*', async (request) => {
    const wanted = request.params['*']
    const model = (await market.models()).find((each) => each.model === wanted)
    if (!model) throw new MarketError('no-model', { model: wanted.slice(0, 128) })
    return modelObject(model, nowS())
  })
  server.app.post('/v1/chat/completions', async (request, reply) => {
    const chat = parseChatRequest(request.body)
    const job = market.submit(toJobRequest(chat))
    const about = { id: `chatcmpl-${job.id}`, model: chat.model, created: nowS() }
    if (chat.stream) {
      return whileOpen(request, server.stopping, job, () => stream(job, about, chat, reply))
    }
    const result = await whileOpen(request, server.stopping, job, () => job.result())
    for (const [name, value] of headers(result)) reply.header(name, value)
    return completion(about, result)
  })

  const { url } = await server.listen(options.port)
  return { url: `${url}/v1`, stop: () => server.stop() }
}

/** Stops the job when its caller leaves or the gateway stops, and leaves nothing on the socket. */
async function whileOpen<T>(
  request: FastifyRequest,
  stopping: AbortSignal,
  job: Job,
  work: () => Promise<T>,
): Promise<T> {
  const { socket } = request.raw
  const abort = () => job.abort()
  socket.once('close', abort)
  stopping.addEventListener('abort', abort, { once: true })
  try {
    return await work()
  } finally {
    socket.off('close', abort)
    stopping.removeEventListener('abort', abort)
  }
}

/**
 * Server-sent events. The first piece is awaited before headers are sent, so that a refusal is
 * still a plain HTTP error; a failure after that is an `error` event and an end without `[DONE]`.
 */
async function stream(job: Job, about: Completion, chat: ChatRequest, reply: FastifyReply) {
  const pieces = job[Symbol.asyncIterator]()
  let next = await pieces.next() // throws: the error handler answers
  const served = Object.fromEntries(proofHeaders(job.servedBy()))
  reply.hijack()
  const out = reply.raw
  out.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-chrysalis-job': job.id,
    ...served,
  })
  const send = async (event: object | string) => {
    const data = typeof event === 'string' ? event : JSON.stringify(event)
    if (!out.write(`data: ${data}\n\n`)) await drained(out)
  }
  try {
    await send(firstChunk(about, job.servedBy()))
    while (!next.done) {
      const { text, reasoning } = next.value
      const delta = reasoning ? { content: text, reasoning_content: reasoning } : { content: text }
      await send(chunk(about, delta, null))
      next = await pieces.next()
    }
    const result = await job.result()
    await send(chunk(about, {}, finishReason(result.finishReason)))
    if (chat.includeUsage) await send(usageChunk(about, result))
    await send('[DONE]')
  } catch (error) {
    await send(errorEnvelope(asMarketError(error)).body).catch(() => undefined)
  } finally {
    out.end()
  }
}

/** Resolves when the socket takes more, or has closed. */
function drained(out: FastifyReply['raw']): Promise<void> {
  if (out.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    out.once('drain', resolve)
    out.once('close', resolve)
  })
}

function toJobRequest(chat: ChatRequest): JobRequest {
  const { model, maxTokens, temperature, topP, seed, stop, maxTick, minTier } = chat
  const messages = chat.messages.reveal()
  return { model, messages, maxTokens, temperature, topP, seed, stop, maxTick, minTier }
}

/** What the provider proved to this client: on a stream it stands before the first text. */
function proofHeaders(served: ServedBy | undefined): [string, string][] {
  if (!served) return []
  return [
    ['x-chrysalis-tier', served.tier],
    ['x-chrysalis-tier-meaning', served.tierMeaning],
    ['x-chrysalis-demo', String(served.demo)],
    ['x-chrysalis-provider', served.provider],
  ]
}

function headers(result: JobResult): [string, string][] {
  const { costNano, receipt } = extras(result)
  return [
    ...proofHeaders(result),
    ['x-chrysalis-cost-nano', String(costNano)],
    ['x-chrysalis-receipt', String(receipt)],
  ]
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
