/**
 * A model server on loopback that speaks the OpenAI streaming protocol, with faults on request.
 *
 * It runs no model: its answer is a fixed list of words, one token each.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ModelServer {
  readonly baseUrl: string
  /** Bodies and headers of the requests so far. */
  readonly requests: { body: Record<string, unknown>; authorization?: string }[]
  /** Answers that the client cut off before their end. */
  readonly cut: number
  close(): Promise<void>
}

/** Writes an answer. `body` is the parsed request. */
export type Answer = (
  response: ServerResponse,
  body: Record<string, unknown>,
) => Promise<void> | void

export const ANSWER_WORDS = Array.from({ length: 40 }, (_, i) => `${i ? ' ' : ''}word${i}`)
export const PROMPT_TOKENS = 9

/** Starts a server; `answer` replaces the usual well-behaved one. */
export async function startModelServer(answer: Answer = answerInWords): Promise<ModelServer> {
  const requests: ModelServer['requests'] = []
  let cut = 0
  const server = createServer((request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) cut++
    })
    void readJson(request).then(async (body) => {
      requests.push({ body, authorization: request.headers.authorization })
      await answer(response, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    get cut() {
      return cut
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** One chunk as vLLM writes it, with usage so far. */
export function chunkOf(delta: object, completion: number, more: object = {}): string {
  return event({
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: null }],
    usage: {
      prompt_tokens: PROMPT_TOKENS,
      completion_tokens: completion,
      prompt_tokens_details: { cached_tokens: null },
    },
    ...more,
  })
}

export function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

export function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
}

async function answerInWords(
  response: ServerResponse,
  body: Record<string, unknown>,
): Promise<void> {
  begin(response)
  const stops = Array.isArray(body.stop) ? body.stop.map(String) : []
  const most = Math.min(Number(body.max_tokens), ANSWER_WORDS.length)
  response.write(chunkOf({ role: 'assistant', content: '' }, 0))
  let finish = most < ANSWER_WORDS.length ? 'length' : 'stop'
  const whole = ANSWER_WORDS.join('')
  let said = ''
  let tokens = 0
  for (const word of ANSWER_WORDS.slice(0, most)) {
    if (response.destroyed) return
    tokens++
    const at = stops.map((text) => whole.indexOf(text)).filter((index) => index >= 0)
    const end = Math.min(Number.POSITIVE_INFINITY, ...at)
    const stopped = end < said.length + word.length
    response.write(chunkOf({ content: word.slice(0, Math.max(0, end - said.length)) }, tokens))
    said += word
    if (stopped) {
      finish = 'stop'
      break
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: finish }] }))
  const usage = { prompt_tokens: PROMPT_TOKENS, completion_tokens: tokens }
  response.write(event({ choices: [], usage }))
  response.end('data: [DONE]\n\n')
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const chunk of request) text += chunk
  return JSON.parse(text)
}
