/**
 * Lines in and out for commands that stream: bounded, with back-pressure both ways.
 * @module
 */
import { createReadStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'

/**
 * The lines of a file, or of stdin for `-`, without their ends, as they arrive: one array for each
 * piece read, and no reading ahead of the taker. The last line needs no end. Throws `bad-input`
 * (with `line`) on a line above `LIMITS.eventLineBytes`, and where the file cannot be read.
 */
export async function* linesOf(file: string): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let before = 0
  for await (const piece of pieces(file)) {
    const lines = (rest + decoder.write(piece)).split('\n')
    rest = lines.pop() ?? ''
    const long = [...lines, rest].findIndex((line) => line.length > LIMITS.eventLineBytes)
    if (long >= 0) {
      const expected = `at most ${LIMITS.eventLineBytes} bytes`
      throw new MarketError('bad-input', { line: before + long + 1, expected })
    }
    before += lines.length
    yield lines
  }
  rest += decoder.end()
  if (rest !== '') yield [rest]
}

async function* pieces(file: string): AsyncGenerator<Buffer> {
  try {
    yield* file === '-' ? process.stdin : createReadStream(file)
  } catch (cause) {
    throw new MarketError('bad-input', { field: 'events', expected: 'a readable file' }, { cause })
  }
}

export interface LineWriter {
  /** True once the reader has gone; what follows is dropped. */
  readonly closed: boolean
  /** Writes lines; resolves when the stream has taken them: awaiting it is back-pressure. */
  write(lines: readonly string[]): Promise<void>
}

/** A writer of lines. A reader that goes away (`| head`) is no error. */
export function writerTo(stream: Writable): LineWriter {
  let closed = false
  stream.on('error', () => {
    closed = true
  })
  return {
    get closed() {
      return closed
    },
    async write(lines) {
      if (closed || lines.length === 0) return
      await new Promise<void>((resolve) => stream.write(`${lines.join('\n')}\n`, () => resolve()))
    },
  }
}
