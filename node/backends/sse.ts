/**
 * Server-sent events (WHATWG HTML, section 9.2) as model servers send them: the data of each event.
 *
 * Strict where it protects and lenient where servers differ: lines end with LF or CRLF, comments
 * and other fields are skipped, one line is bounded, and bytes must be UTF-8.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'

/**
 * Data of the events in a body. Reads on only when asked for the next one, so that a slow reader
 * holds the server back. Throws `backend-failed` on a line above `LIMITS.sseLineBytes` and on bytes
 * that are not UTF-8. An event that the body cuts short is dropped.
 */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  let data: string[] = []
  let length = 0 // of an event's data, with the line ends: empty lines of data are bounded too
  for await (const chunk of body) {
    rest += decode(decoder, chunk)
    let from = 0
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n', from)) {
      const line = rest.slice(from, rest[at - 1] === '\r' ? at - 1 : at)
      from = at + 1
      if (line === '') {
        if (data.length > 0) yield data.join('\n')
        data = []
        length = 0
      } else if (line.startsWith('data:')) {
        const part = line.slice(line[5] === ' ' ? 6 : 5)
        data.push(part)
        length += part.length + 1
        bound(length - 1)
      }
    }
    rest = rest.slice(from)
    bound(rest.length)
  }
}

function decode(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: true })
  } catch (thrown) {
    throw new MarketError('backend-failed', { detail: 'not UTF-8' }, { cause: thrown })
  }
}

function bound(length: number): void {
  if (length <= LIMITS.sseLineBytes) return
  throw new MarketError('backend-failed', {
    detail: 'a line is too long',
    most: LIMITS.sseLineBytes,
  })
}
