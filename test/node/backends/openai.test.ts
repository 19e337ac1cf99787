/**
 * An OpenAI-compatible server as a backend, against a real HTTP server on loopback.
 * @module
 */
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Clock } from '../../../contracts/base/ports.ts'
import { secret } from '../../../contracts/base/secret.ts'
import { prompt } from '../../../node/backends/backend.ts'
import { connectOpenAi, type OpenAiOptions } from '../../../node/backends/openai.ts'
import { createClock } from '../../../node/system/clock.ts'
import { backendCompliance, codeOf, collect } from '../../support/backendCompliance.ts'
import {
  ANSWER_WORDS,
  type Answer,
  begin,
  chunkOf,
  event,
  type ModelServer,
  PROMPT_TOKENS,
  startModelServer,
} from '../../support/modelServer.ts'
import { keptLogger } from '../../support/quietLogger.ts'

const realClock = createClock()

const logger = keptLogger()
const models = [
  { id: 'm', weightsHash: new Uint8Array(32).fill(7), contextTokens: 4_096, places: 2 },
]
const asked = [{ role: 'user' as const, content: 'A secret question.' }]
const long = {
  model: 'm',
  messages: prompt(asked),
  maxTokens: 40,
}

backendCompliance('openai', async () => {
  const server = await startModelServer()
  const backend = connectOpenAi({ baseUrl: server.baseUrl, models, clock: realClock, logger })
  return {
    backend,
    long,
    stop: async () => {
      await backend.stop()
      await server.close()
    },
  }
})

describe('openai backend', () => {
  let server: ModelServer
  afterEach(() => server.close())

  async function connect(answer?: Answer, more: Partial<OpenAiOptions> = {}) {
    server = await startModelServer(answer)
    return connectOpenAi({ baseUrl: server.baseUrl, models, clock: realClock, logger, ...more })
  }

  it('asks for continuous usage, and sends what the request says', async () => {
    const backend = await connect(undefined, {
      apiKey: secret('API key', 'k1'),
      models: [{ ...models[0]!, servedAs: 'org/model' }],
    })
    const request = { ...long, temperature: 0.5, topP: 0.9, seed: 3, stop: ['zzz'] }
    const { text, end } = await collect(backend, request)
    expect(text).toBe(ANSWER_WORDS.join(''))
    expect(end.usage).toEqual({
      prompt: PROMPT_TOKENS,
      cachedPrompt: 0,
      completion: 40,
      reasoning: 0,
    })
    expect(server.requests[0]?.authorization).toBe('Bearer k1')
    expect(server.requests[0]?.body).toMatchObject({
      model: 'org/model',
      messages: asked,
      max_tokens: 40,
      temperature: 0.5,
      top_p: 0.9,
      seed: 3,
      stop: ['zzz'],
      stream: true,
      stream_options: { include_usage: true, continuous_usage_stats: true },
    })
    expect(server.requests[0]?.body).not.toHaveProperty('cache_salt')
  })

  it('counts a reader that leaves early by what the chunks said', async () => {
    const backend = await connect(async (response) => {
      begin(response)
      response.write(chunkOf({ content: 'one two' }, 2))
      response.write(chunkOf({ content: ' three four five' }, 5))
    })
    const abort = new AbortController()
    let usage: unknown
    for await (const piece of backend.run(long, abort.signal)) {
      if (piece.type === 'text' && piece.completionTokens === 5) abort.abort()
      if (piece.type === 'end') usage = piece.usage
    }
    expect(usage).toEqual({ prompt: PROMPT_TOKENS, cachedPrompt: 0, completion: 5, reasoning: 0 })
    await expect.poll(() => server.cut).toBe(1)
  })

  it('estimates where the server counts nothing, and says so', async () => {
    const backend = await connect((response) => {
      begin(response)
      for (const content of ['a', 'b', 'c'])
        response.write(event({ choices: [{ delta: { content } }] }))
      response.end(event({ choices: [{ delta: {}, finish_reason: 'stop' }] }))
    })
    const { pieces, end } = await collect(backend, long)
    expect(pieces[0]).toEqual({ type: 'prompt', prompt: 5, cachedPrompt: 0, estimated: true })
    expect(end.usage).toEqual({ prompt: 5, cachedPrompt: 0, completion: 3, reasoning: 0 })
  })

  it('takes the last word of a server that counts at the end only', async () => {
    const answer: Answer = (response) => {
      begin(response)
      response.write(event({ choices: [{ delta: { content: 'one two three' } }], usage: null }))
      response.write(event({ choices: [{ delta: {}, finish_reason: 'stop' }], usage: null }))
      response.write(event({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 4 } }))
      response.end('data: [DONE]\n\n')
    }
    const { end } = await collect(await connect(answer), long)
    expect(end.usage).toEqual({ prompt: 11, cachedPrompt: 0, completion: 4, reasoning: 0 })
    await server.close()
    // Unpaid, that last word is not billed.
    const mayContinue = (tokens: number) => (tokens < 1 ? true : Promise.resolve(false))
    const unpaid = await collect(await connect(answer), { ...long, mayContinue })
    expect(unpaid.end.usage.completion).toBe(1)
  })

  it('keeps reasoning apart, and does not count what it never delivered', async () => {
    const seen = await connect((response) => {
      begin(response)
      response.write(chunkOf({ reasoning_content: 'hm' }, 2))
      response.write(chunkOf({ reasoning: ' so' }, 3))
      response.write(chunkOf({ content: 'yes' }, 4))
      response.end(event({ choices: [{ delta: {}, finish_reason: 'stop' }] }))
    })
    const { pieces, end } = await collect(seen, long)
    expect(pieces.filter(({ type }) => type === 'reasoning')).toEqual([
      { type: 'reasoning', text: 'hm', reasoningTokens: 2 },
      { type: 'reasoning', text: ' so', reasoningTokens: 3 },
    ])
    expect(end.usage).toMatchObject({ completion: 1, reasoning: 3 })
    await server.close()
    const hidden = await connect((response) => {
      begin(response)
      response.write(event({ choices: [{ delta: { content: 'yes' }, finish_reason: 'stop' }] }))
      const completion_tokens_details = { reasoning_tokens: 30 }
      response.end(
        event({
          choices: [],
          usage: { prompt_tokens: 9, completion_tokens: 31, completion_tokens_details },
        }),
      )
    })
    expect((await collect(hidden, long)).end.usage).toMatchObject({ completion: 1, reasoning: 0 })
  })

  it('reports cached tokens only where caches are kept apart', async () => {
    const answer: Answer = (response) => {
      begin(response)
      response.write(event({ choices: [{ delta: { content: 'x' }, finish_reason: 'stop' }] }))
      const prompt_tokens_details = { cached_tokens: 6 }
      response.end(
        event({
          choices: [],
          usage: { prompt_tokens: 9, completion_tokens: 1, prompt_tokens_details },
        }),
      )
    }
    const scoped = { ...long, cacheScope: 'client-1' }
    const shared = await collect(await connect(answer), scoped)
    expect(shared.end.usage).toMatchObject({ prompt: 9, cachedPrompt: 0 })
    await server.close()
    const backend = await connect(answer, { separateCaches: true })
    expect((await collect(backend, scoped)).end.usage).toMatchObject({ prompt: 3, cachedPrompt: 6 })
    expect(server.requests[0]?.body.cache_salt).toBe('client-1')
    expect((await collect(backend, long)).end.usage).toMatchObject({ prompt: 9, cachedPrompt: 0 })
  })

  it('reads nothing while a window is unpaid, so that the server has to wait', async () => {
    const block = 'x'.repeat(16_384)
    let written = 0
    let blocked = false
    const backend = await connect(async (response) => {
      begin(response)
      const closed = once(response, 'close')
      for (let i = 1; i <= 4_000 && !response.destroyed; i++) {
        written = i
        if (response.write(chunkOf({ content: block }, i))) continue
        blocked = true
        await Promise.race([once(response, 'drain'), closed])
        blocked = false
      }
      response.end()
    })
    const abort = new AbortController()
    const mayContinue = (tokens: number) => (tokens < 2 ? true : new Promise<boolean>(() => {}))
    const run = collect(backend, { ...long, mayContinue }, abort.signal)
    await expect.poll(() => blocked, { timeout: 5_000 }).toBe(true)
    const atRest = written
    await realClock.sleep(50)
    expect(written - atRest).toBeLessThan(200)
    expect(written).toBeLessThan(2_000)
    abort.abort()
    expect((await run).end.usage.completion).toBe(2)
  })

  const says =
    (body: string | Uint8Array): Answer =>
    (response) => {
      begin(response)
      response.end(body)
    }
  const replies =
    (status: number, text: string, headers = {}): Answer =>
    (response) => {
      response.writeHead(status, headers)
      response.end(text)
    }
  const broken: [string, Answer][] = [
    ['a stream that is cut short', says(chunkOf({ content: 'a' }, 1))],
    ['an event that is no JSON', says('data: {nonsense\n\n')],
    ['an event that is no object', says('data: 7\n\n')],
    ['an error in the stream', says(event({ error: { message: 'A secret question.' } }))],
    ['bytes that are not UTF-8', says(Buffer.from([0x64, 0xff, 0xfe]))],
    ['a line without end', says('x'.repeat(LIMITS.sseLineBytes + 1))],
    ['a tool call', says(event({ choices: [{ delta: {}, finish_reason: 'tool_calls' }] }))],
    ['a redirect', replies(307, '', { location: 'http://127.0.0.1:9/' })],
    ['an internal error', replies(500, 'A secret question.')],
    [
      'a connection that breaks',
      async (response) => {
        begin(response)
        response.write(chunkOf({ content: 'a' }, 1))
        await realClock.sleep(10)
        response.destroy()
      },
    ],
  ]
  it.each(broken)('fails on %s, and quotes nothing', async (_, answer) => {
    const error = await collect(await connect(answer), long).catch((thrown) => thrown)
    expect(error.code).toBe('backend-failed')
    expect(JSON.stringify(error.report())).not.toMatch(/secret|nonsense/)
  })

  const statuses: [number, string, string][] = [
    [404, 'no such model', 'no-model'],
    [429, 'slow down', 'busy'],
    [503, 'loading', 'busy'],
    [400, 'This model has a maximum context length of 10 tokens', 'prompt-too-long'],
    [400, 'bad temperature', 'backend-failed'],
    [401, 'who are you', 'backend-failed'],
  ]
  it.each(statuses)('takes status %i (%s) as %s', async (status, text, code) => {
    const backend = await connect(replies(status, text))
    expect(await codeOf(collect(backend, long))).toBe(code)
  })

  it('gives up on a server that never answers, or falls silent', async () => {
    const hurried: Clock = { ...realClock, after: (_, task) => realClock.after(30, task) }
    const mute = await connect(() => {}, { clock: hurried })
    const error = await collect(mute, long).catch((thrown) => thrown)
    expect(error).toMatchObject({
      code: 'backend-failed',
      facts: { waitedMs: LIMITS.firstFrameMs },
    })
    await server.close()
    const silent = await connect(
      (response) => {
        begin(response)
        response.write(chunkOf({ content: 'a' }, 1))
      },
      { clock: hurried },
    )
    const later = await collect(silent, long).catch((thrown) => thrown)
    expect(later).toMatchObject({ code: 'backend-failed', facts: { silentMs: LIMITS.frameGapMs } })
  })

  it('says that nobody is there', async () => {
    const backend = await connect()
    await server.close()
    const error = await collect(backend, long).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'backend-failed', facts: { code: 'ECONNREFUSED' } })
  })

  it.each(['ftp://127.0.0.1/v1', 'no url', 'http://user:word@127.0.0.1/v1'])(
    'refuses %s as a base URL',
    async (baseUrl) => {
      await expect(connect(undefined, { baseUrl })).rejects.toMatchObject({ code: 'bad-config' })
    },
  )
})
