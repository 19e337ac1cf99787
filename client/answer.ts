/**
 * The answer of one attempt: sealed frames in, what they add to the answer out.
 * @module
 */
import { type Bytes, utf8 } from '../contracts/base/bytes.ts'
import { MarketError } from '../contracts/base/errors.ts'
import { secret } from '../contracts/base/secret.ts'
import { NO_USAGE, type Steps } from '../contracts/money/price.ts'
import { decodePieces, type Piece, START_DECODING } from '../contracts/seal/pieces.ts'
import type { ResponseOpener } from '../contracts/seal/response.ts'
import type { Content } from './jobTypes.ts'
import { isImplausible } from './recount.ts'

/** Opens the frames of one attempt, in order. */
export interface Answer {
  /** Throws `seal-broken` on any frame that is not exactly the next, `bad-frame` on its content. */
  read(frames: readonly Bytes[]): Promise<Content>
  /** Over the sealed request and every frame so far. */
  transcriptHash(): Bytes
  /** The attempt is over: wipes keys that no frame has come for. */
  close(): void
}

/** The answer behind `opener`. `promptTokens` is the bound that was paid for. */
export function openAnswer(opener: ResponseOpener, promptTokens: number, steps: Steps): Answer {
  let decoder = START_DECODING
  let usage = NO_USAGE
  let bytes = 0

  const gather = (pieces: readonly Piece[]): Content => {
    const gathered = { text: '', reasoning: '' }
    let finishReason: string | undefined
    let error: MarketError | undefined
    for (const piece of pieces) {
      if (piece.type === 'usage') usage = piece.usage
      else if (piece.type === 'end') finishReason = piece.finishReason
      else if (piece.type === 'error') error = new MarketError(piece.code, piece.facts)
      else {
        const completion = usage.completion + piece.completionTokens
        usage = { ...usage, completion, reasoning: usage.reasoning + piece.reasoningTokens }
        bytes += utf8(piece.type === 'delta' ? piece.json : piece.text).length
        if (piece.type !== 'delta') gathered[piece.type] += piece.text
      }
    }
    const implausible = isImplausible({ bytes, usage, promptTokens }, steps)
    const text = secret('answer', gathered.text)
    const reasoning = secret('answer', gathered.reasoning)
    return { text, reasoning, usage, finishReason, error, implausible }
  }

  return {
    async read(frames) {
      const pieces: Piece[] = []
      for (const frame of frames) {
        const { content, final } = await opener.open(frame)
        const decoded = decodePieces(decoder, content, final)
        decoder = decoded.state
        pieces.push(...decoded.pieces)
      }
      return gather(pieces)
    },
    transcriptHash: () => opener.transcriptHash(),
    close: () => opener.close(),
  }
}
