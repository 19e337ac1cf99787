/**
 * A model server whose pace the test decides: silent, word by word, or at once.
 *
 * It runs no model: it counts, one word a token, up to `max_tokens`.
 * @module
 */
import { once } from 'node:events'
import { begin, chunkOf, event, type ModelServer, startModelServer } from './modelServer.ts'

export type Pace = 'silent' | 'slow' | 'fast'

export interface PacedServer extends ModelServer {
  pace: Pace
}

/** Words of a whole answer; a slow one takes 20 ms a word. */
export const WORDS = 150
const SLOW_MS = 20

/** The answer of `words` words. */
export function wordsOf(words: number): string {
  return Array.from({ length: words }, (_, at) => word(at)).join('')
}

/** Starts a server on loopback. */
export async function startPacedServer(): Promise<PacedServer> {
  const state: { pace: Pace } = { pace: 'fast' }
  const server = await startModelServer(async (response, body) => {
    const { pace } = state
    begin(response)
    response.write(chunkOf({ role: 'assistant', content: '' }, 0))
    if (pace === 'silent') return void (await once(response, 'close'))
    const most = Math.min(Number(body.max_tokens), WORDS)
    for (let at = 0; at < most; at++) {
      if (response.destroyed) return
      response.write(chunkOf({ content: word(at) }, at + 1))
      await new Promise((resolve) => setTimeout(resolve, pace === 'slow' ? SLOW_MS : 0))
    }
    const finish_reason = most < WORDS ? 'length' : 'stop'
    response.write(event({ choices: [{ index: 0, delta: {}, finish_reason }] }))
    response.end('data: [DONE]\n\n')
  })
  return Object.defineProperties(
    { ...server, pace: 'fast' },
    {
      cut: { get: () => server.cut },
      pace: { get: () => state.pace, set: (pace: Pace) => (state.pace = pace) },
    },
  )
}

/** Arguments that make a provider serve a model server, under the name `words`. */
export function servedBy(server: ModelServer): string[] {
  const weights = '5a'.repeat(32)
  const model = ['--model', 'words', '--weights-hash', weights, '--context-tokens', '4096']
  return ['--backend-url', server.baseUrl, ...model]
}

function word(at: number): string {
  return at === 0 ? 'one' : ` more${at}`
}
