/**
 * The gateway as its users meet it: the stock `openai` package against `chrysalis gateway start`,
 * each role a process of its own; and what a web page in the user's browser may not do.
 * @module
 */
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  openProcesses,
  type Processes,
  type Role,
  records,
  startMarket,
  statusOf,
  until,
} from '../support/marketProcesses.ts'
import {
  type PacedServer,
  servedBy,
  startPacedServer,
  WORDS,
  wordsOf,
} from '../support/pacedServer.ts'

const PROMPT = [{ role: 'user' as const, content: 'What is the capital of Peru?' }]
const COUNT = [{ role: 'user' as const, content: 'Count.' }]
const ANSWER = 'The capital of Peru is Lima.'
const SHORT = 40

let processes: Processes
let words: Role
let gateway: Role
let server: PacedServer
let url: string
let openai: OpenAI

beforeAll(async () => {
  processes = await openProcesses()
  server = await startPacedServer()
  const market = await startMarket(processes, [
    ['--role', 'provider-1', '--tick', '40'],
    ['--role', 'provider-2', '--tick', '41', ...servedBy(server)],
  ])
  words = market.providers[1]!
  gateway = await processes.start(['gateway', 'start', '--port', '0'])
  url = String(gateway.first.url)
  openai = new OpenAI({ baseURL: url, apiKey: String(gateway.first.apiKey), maxRetries: 0 })
})
afterAll(async () => {
  await processes?.end()
  await server?.close()
})

/** The error that a call ends with, as the openai package gives it. */
async function failure(call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof OpenAI.APIError)) throw new Error(`no API error: ${error}`)
  return error
}

describe('the stock openai client', () => {
  it('lists the models, and one of them', async () => {
    const { data } = await openai.models.list()
    expect(data.map(({ id }) => id).toSorted()).toEqual(['tiny-chat', 'words'])
    expect(await openai.models.retrieve('tiny-chat')).toMatchObject({
      object: 'model',
      owned_by: 'chrysalis-demo',
    })
  })

  it('gets a whole answer with usage, price, provider and receipt', async () => {
    const { data, response } = await openai.chat.completions
      .create({ model: 'tiny-chat', messages: PROMPT, temperature: 0, max_tokens: SHORT })
      .withResponse()
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: 'tiny-chat',
      choices: [
        { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: ANSWER } },
      ],
    })
    const { prompt_tokens, completion_tokens, total_tokens } = data.usage!
    expect(prompt_tokens).toBeGreaterThan(0)
    expect(total_tokens).toBe(prompt_tokens + completion_tokens)
    expect(response.headers.get('x-chrysalis-receipt')).toMatch(/^[0-9a-f]{64}$/)
    expect(response.headers.get('x-chrysalis-cost-nano')).toMatch(/^[1-9]\d*$/)
    expect(response.headers.get('x-chrysalis-tier')).toBe('open')
  })

  it('streams, with the usage in the last chunk where it asks for it', async () => {
    const body = { model: 'tiny-chat', messages: PROMPT, temperature: 0, max_tokens: SHORT }
    const stream = await openai.chat.completions.create({
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await all(stream)
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')
    expect(text).toBe(ANSWER)
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant')
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    const [finish, last] = chunks.slice(-2)
    expect(finish?.choices[0]?.finish_reason).toBe('stop')
    expect(last).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } })

    const plain = await all(await openai.chat.completions.create({ ...body, stream: true }))
    expect(plain.every(({ usage }) => !usage)).toBe(true)
  })

  it('is served twice at once', async () => {
    const startMs = performance.now()
    const ask = () =>
      openai.chat.completions.create({ model: 'tiny-chat', messages: PROMPT, temperature: 0 })
    const both = await Promise.all([ask(), ask()])
    expect(both.map(({ choices }) => choices[0]?.message.content)).toEqual([ANSWER, ANSWER])
    expect(both[0]?.id).not.toBe(both[1]?.id)
    console.info(`gateway: two at once in ${Math.round(performance.now() - startMs)} ms`)
  })

  it('may ask often over one connection: nothing is left behind on it', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const path = '/chat/completions'
    const body = { model: 'words', messages: COUNT, max_tokens: 4 }
    for (let i = 0; i < 16; i++) {
      const stream = i < 2
      expect((await raw({}, { agent, path, body: { ...body, stream } })).status).toBe(200)
    }
    agent.destroy()
    expect(gateway.log()).not.toContain('MaxListenersExceededWarning')
  })

  it('stops the job by leaving the stream', async () => {
    server.pace = 'slow'
    const cut = server.cut
    const stream = await openai.chat.completions.create({
      model: 'words',
      messages: COUNT,
      stream: true,
    })
    let text = ''
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? ''
      if (text.length > 20) break
    }
    const tookMs = await until('the model server is cut off', () => server.cut > cut, 2_000)
    console.info(`gateway: a left stream stopped the model in ${Math.round(tookMs)} ms`)
    server.pace = 'fast'
    expect(wordsOf(WORDS).startsWith(text)).toBe(true)
    await until('the place is free', async () => {
      const { slots } = await statusOf(words)
      return records(slots).every(({ running }) => running === 0)
    })
  })

  it('stops the job of a whole answer by cancelling the request', async () => {
    server.pace = 'slow'
    const [cut, asked] = [server.cut, server.requests.length]
    const controller = new AbortController()
    const { signal } = controller
    const call = openai.chat.completions.create({ model: 'words', messages: COUNT }, { signal })
    const ended = call.then(
      () => 'answered',
      (error: Error) => error.constructor.name,
    )
    await until('the model works', () => server.requests.length > asked)
    controller.abort()
    expect(await ended).toBe('APIUserAbortError')
    await until('the model server is cut off', () => server.cut > cut, 2_000)
    server.pace = 'fast'
  })

  it('may go on with a connection whose last request was aborted', async () => {
    const messages = COUNT
    const { choices } = await openai.chat.completions.create({ model: 'words', messages })
    expect(choices[0]?.message.content).toBe(wordsOf(WORDS))
  })
})

describe('refusals', () => {
  it('a wrong key is 401', async () => {
    const wrong = new OpenAI({ baseURL: url, apiKey: 'sk-wrong', maxRetries: 0 })
    const error = await failure(wrong.models.list())
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(error).toMatchObject({ status: 401, code: 'bad-key', type: 'authentication_error' })
  })

  it('a missing key is 401, in the error envelope', async () => {
    const response = await fetch(`${url}/models`)
    expect(response.status).toBe(401)
    expect(await response.json()).toStrictEqual({
      error: {
        message: expect.stringMatching(/API key is missing or wrong.*Authorization: Bearer/),
        type: 'authentication_error',
        param: null,
        code: 'bad-key',
      },
    })
  })

  it('an unknown model is 404, listed or asked', async () => {
    const asked = openai.chat.completions.create({ model: 'gpt-9', messages: PROMPT })
    for (const call of [openai.models.retrieve('gpt-9'), asked]) {
      const error = await failure(call)
      expect(error).toBeInstanceOf(OpenAI.NotFoundError)
      expect(error).toMatchObject({ status: 404, code: 'no-model' })
    }
  })

  it.each([
    ['n', 2],
    ['logprobs', true],
    ['frequency_penalty', 1],
    ['logit_bias', { 1: 1 }],
    ['temperature', 3],
    ['max_tokens', 0],
    ['surprise', 'x'],
  ])('an option that cannot be honoured is 400 and named: %s', async (param, value) => {
    const body = { model: 'tiny-chat', messages: PROMPT, [param]: value }
    const error = await failure(openai.chat.completions.create(body))
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error).toMatchObject({
      status: 400,
      code: 'bad-input',
      type: 'invalid_request_error',
      param,
    })
  })

  it('a price cap too low is 402 and tells the lowest tick', async () => {
    const body = { model: 'tiny-chat', messages: PROMPT, chrysalis: { maxTick: 1 } }
    const error = await failure(openai.chat.completions.create(body))
    expect(error).toMatchObject({ status: 402, code: 'price', type: 'insufficient_quota' })
    expect(error.message).toContain('lowestTick 40')
  })

  it('what is no JSON, or no path, has the same envelope', async () => {
    const headers = {
      authorization: `Bearer ${gateway.first.apiKey}`,
      'content-type': 'application/json',
    }
    const broken = await fetch(`${url}/chat/completions`, { method: 'POST', headers, body: '{' })
    expect(broken.status).toBe(400)
    const lost = await fetch(`${url}/nothing`, { headers })
    expect(lost.status).toBe(404)
    for (const response of [broken, lost]) {
      expect(Object.keys(((await response.json()) as { error: object }).error).toSorted()).toEqual([
        'code',
        'message',
        'param',
        'type',
      ])
    }
  })

  it('a name that is not this machine, and another origin, are 403', async () => {
    expect((await raw({ host: 'evil.test' })).status).toBe(403)
    const crossed = await raw({ origin: 'https://evil.test' })
    expect(crossed.status).toBe(403)
    expect(crossed.headers['access-control-allow-origin']).toBeUndefined()
    expect((await raw({})).status).toBe(200)
  })
})

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

interface Raw {
  readonly path?: string
  readonly agent?: Agent
  readonly body?: object
}

/** A request over a connection, and with headers, that fetch would not take. */
function raw(
  headers: Record<string, string>,
  { path = '/models', agent, body }: Raw = {},
): Promise<{ status?: number; headers: IncomingHttpHeaders }> {
  const key = { authorization: `Bearer ${gateway.first.apiKey}` }
  const options = {
    agent,
    method: body ? 'POST' : 'GET',
    headers: { ...key, 'content-type': 'application/json', ...headers },
  }
  return new Promise((resolve, reject) => {
    const call = request(`${url}${path}`, options, (response) => {
      response.resume()
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers }))
    })
    call.on('error', reject)
    call.end(body && JSON.stringify(body))
  })
}
