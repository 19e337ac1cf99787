/**
 * The HTTP surface of a localnet: toncenter's paths and `/control/`.
 *
 * `POST /api/v2/jsonRPC` with `{id, jsonrpc, method, params}`; `/api/v2/METHOD` by GET (reads only,
 * query strings) or POST (JSON). Answers are `{ok: true, result}` or `{ok: false, error, code}`.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { MarketError } from '../../contracts/base/errors.ts'
import type { ErrorShape } from '../http/server.ts'
import type { Methods } from './methods.ts'
import * as read from './params.ts'
import type { Writer } from './writer.ts'

/** A control verb: parameters of the body in, result out. */
export type Controls = Readonly<Record<string, (params: read.Params) => unknown>>

export interface RouteOptions {
  readonly methods: Methods
  readonly controls: Controls
  /** Told by GET, by `/control/NAME`. */
  readonly views: Readonly<Record<string, () => unknown>>
  readonly writer: Writer
}

export function addRoutes(app: FastifyInstance, options: RouteOptions): void {
  const { methods, controls, views, writer } = options
  const all = { ...methods.reads, ...methods.writes }
  const call = async (table: typeof all, name: string, params: read.Params) => {
    const method = Object.hasOwn(table, name) ? table[name] : undefined
    if (!method) throw new MarketError('not-found', { method: name.slice(0, 64) })
    return { ok: true, result: await writer.run(() => method(params)) }
  }

  app.post('/api/v2/jsonRPC', async (request, reply) => {
    const { id, method, params } = read.asParams(request.body, 'body')
    const answer = {
      jsonrpc: '2.0',
      id: typeof id === 'number' ? id : String(id ?? '').slice(0, 64),
    }
    try {
      const result = await call(all, String(method), read.asParams(params, 'params'))
      return { ...result, ...answer }
    } catch (thrown) {
      if (!(thrown instanceof MarketError)) throw thrown
      const { status, body } = toncenterShape(thrown)
      return reply.code(status).send({ ...body, ...answer })
    }
  })
  app.get<{ Params: { method: string } }>('/api/v2/:method', ({ params, query }) =>
    call(methods.reads, params.method, read.asParams(query, 'query')),
  )
  app.post<{ Params: { method: string } }>('/api/v2/:method', ({ params, body }) =>
    call(all, params.method, read.asParams(body, 'body')),
  )
  for (const [name, control] of Object.entries(controls)) {
    app.post(`/control/${name}`, async ({ body }) => {
      const params = read.asParams(body, 'body')
      return { ok: true, result: await writer.run(() => control(params)) }
    })
  }
  for (const [name, view] of Object.entries(views)) {
    app.get(`/control/${name}`, async () => ({ ok: true, result: await writer.run(view) }))
  }
}

const NOT_TAKEN = 'LITE_SERVER_UNKNOWN: cannot apply external message to current state'

/** toncenter's failure. A message that no contract takes has the words its clients look for. */
export const toncenterShape: ErrorShape = (error) => {
  if (error.code !== 'contract-failed') {
    return { status: error.status, body: { ok: false, error: error.message, code: error.status } }
  }
  const { detail, exitCode } = error.facts
  const code = exitCode === undefined ? '' : `, exitcode=${exitCode}`
  const text = `${NOT_TAKEN} : ${detail}${code}`
  return { status: 500, body: { ok: false, error: text, code: 500 } }
}
