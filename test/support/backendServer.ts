/**
 * Any backend as an OpenAI-compatible server, with log-probabilities: for audits over HTTP.
 * @module
 */
import { createServer, type IncomingMessage } from 'node:http'
import { type Backend, type BackendMessage, prompt } from '../../node/backends/backend.ts'

/** A running server. */
export interface BackendServer {
  readonly baseUrl: string
  close(): Promise<void>
}

/** Serves `backend` on loopback; `refuses` log-probabilities with status 400 where that is set. */
export async function serveBackend(backend: Backend, refuses = false): Promise<BackendServer> {
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    if (refuses && body.logprobs === true) return response.writeHead(400).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const asked = {
      model: String(body.model),
      messages: prompt(body.messages as BackendMessage[]),
      maxTokens: Number(body.max_tokens),
      temperature: Number(body.temperature),
      topLogprobs: body.top_logprobs as number | undefined,
    }
    for await (const piece of backend.run(asked, new AbortController().signal)) {
      if (piece.type === 'text') {
        const content = piece.logprobs?.map(({ top, ...own }) => ({ ...own, top_logprobs: top }))
        const choice = { index: 0, delta: { content: piece.text }, logprobs: { content } }
        response.write(`data: ${JSON.stringify({ choices: [choice] })}\n\n`)
      }
      if (piece.type !== 'end') continue
      const last = { index: 0, delta: {}, finish_reason: piece.finishReason }
      response.end(`data: ${JSON.stringify({ choices: [last] })}\n\ndata: [DONE]\n\n`)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const chunk of request) text += chunk
  return JSON.parse(text)
}
