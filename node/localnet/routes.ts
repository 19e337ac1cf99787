/**
 * The HTTP surface of a localnet: toncenter's paths and `/control/`.
 *
 * `POST /api/v2/jsonRPC` with `{id, jsonrpc, method, params}`; `/api/v2/METHOD` by GET (query
 * strings) or POST (JSON). Answers are `{ok: true, result}` or `{ok: false, error, code}`.
 * @module
 */
import type { FastifyError, FastifyInstance } from 'fastify'
import { MarketError } from '../../contracts/base/errors.ts'
import type { ErrorShape } from '../http/server.ts'
import { EXTRA, methodNotFound, toncenterFailure, wrongVerb } from './failures.ts'
import type { Methods, MethodTable } from './methods.ts'
import * as read from './params.ts'
import type { Writer } from './writer.ts'

/** A control verb: parameters of the body in, result out; takes its turn by itself. */
export type Controls = Readonly<Record<string, (params: read.Params) => unknown>>

export interface RouteOptions {
  readonly methods: Methods
  readonly controls: Controls
  /** Told by GET, by `/control/NAME`. */
  readonly views: Readonly<Record<string, () => unknown>>
  readonly writer: Writer
}

export function addRoutes(app: FastifyInstance, options: RouteOptions): void {
  app.register(async (api) => addMethods(api, options), { prefix: '/api/v2' })
  addControls(app, options)
}

/** A failure of a control verb, and of whatever is no method of toncenter's. */
export const controlShape: ErrorShape = ({ status, message }) => ({
  status,
  body: { ok: false, error: message, code: status },
})

function addMethods(api: FastifyInstance, { methods, writer }: RouteOptions): void {
  const all: MethodTable = { ...methods.anyVerb, ...methods.postOnly }
  const call = async (name: string, params: read.Params) => {
    const method = Object.hasOwn(all, name) ? all[name] : undefined
    if (!method) throw methodNotFound()
    return { ok: true, result: await writer.run(() => method(params)), ...EXTRA }
  }

  api.setErrorHandler<FastifyError | MarketError>((thrown, _request, reply) => {
    const error = asRefusal(thrown)
    if (!error) throw thrown // for the server to log
    const { status, body } = toncenterFailure(error)
    reply.code(status).send(body)
  })
  api.post('/jsonRPC', async (request, reply) => {
    const { id, method, params } = read.asParams(request.body, 'body')
    if (typeof method !== 'string') throw read.wrong('method', 'the name of a method')
    const answer = {
      jsonrpc: '2.0',
      id: typeof id === 'number' ? id : typeof id === 'string' ? id.slice(0, 64) : '',
    }
    try {
      return { ...(await call(method, rpcParams(params))), ...answer }
    } catch (thrown) {
      if (!(thrown instanceof MarketError)) throw thrown
      const { status, body } = toncenterFailure(thrown)
      return reply.code(status).send({ ...body, ...answer })
    }
  })
  api.get<{ Params: { '*': string } }>('/*', ({ params, query }) => {
    const method = params['*']
    if (method === 'jsonRPC' || Object.hasOwn(methods.postOnly, method)) throw wrongVerb('GET')
    return call(method, read.asParams(query, 'query'))
  })
  api.post<{ Params: { '*': string } }>('/*', ({ params, body }) =>
    call(params['*'], read.asParams(body, 'body')),
  )
}

/** As toncenter: what is no object counts as none, but for a list with something in it. */
function rpcParams(params: unknown): read.Params {
  const isNone = typeof params !== 'object' || (Array.isArray(params) && params.length === 0)
  return isNone ? {} : read.asParams(params, 'params')
}

/** What a caller can mend; undefined for a fault of our own. */
function asRefusal(thrown: FastifyError | MarketError): MarketError | undefined {
  if (thrown instanceof MarketError) return thrown.code === 'internal' ? undefined : thrown
  const status = thrown.statusCode ?? 500
  const isInput = status >= 400 && status < 500 && status !== 413
  const facts = { detail: thrown.message.slice(0, 200) }
  return isInput ? new MarketError('bad-input', facts, { cause: thrown }) : undefined
}

function addControls(app: FastifyInstance, { controls, views, writer }: RouteOptions): void {
  for (const [name, control] of Object.entries(controls)) {
    app.post(`/control/${name}`, async ({ body }) => {
      const params = read.asParams(body, 'body')
      return { ok: true, result: await control(params) }
    })
  }
  for (const [name, view] of Object.entries(views)) {
    app.get(`/control/${name}`, async () => ({ ok: true, result: await writer.run(view) }))
  }
}
