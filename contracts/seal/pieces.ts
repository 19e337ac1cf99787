/**
 * Pieces: what the 256-byte contents of frames carry.
 *
 * A content is `u16 used || bytes || zeros`, with 0 to 254 bytes used; the used bytes of all
 * contents, joined, are a stream of pieces `u8 type || varint length || body`, so that a piece may
 * begin in one frame and end in another, and an empty content carries nothing. Integers in bodies
 * are varints (LEB128, shortest form, below 2^32). The provider encodes, the client decodes; both
 * are pure. README.md has the table of bodies.
 * @module
 */
import { type Bytes, concat, utf8 } from '../base/bytes.ts'
import { type ErrorCode, isErrorCode, MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { TokenUsage } from '../money/price.ts'
import { CONTENT_BYTES } from './response.ts'
import { facts, integers, malformed, object, type PieceFacts, text } from './strict.ts'
import { readVarint, varint } from './varint.ts'

/** Bytes of the stream of pieces that one content holds. */
export const USED_BYTES = CONTENT_BYTES - 2

/** Why an answer ended, in the words of the OpenAI API. */
export const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter', 'abort'] as const
export type FinishReason = (typeof FINISH_REASONS)[number]

/** Tokens that a piece stands for; the sums over a job's pieces are what was delivered. */
interface Counted {
  readonly completionTokens: number
  readonly reasoningTokens: number
}

/** One piece of an answer. */
export type Piece =
  | ({ readonly type: 'text'; readonly text: string } & Counted)
  | ({ readonly type: 'reasoning'; readonly text: string } & Counted)
  /** A JSON object with what has no piece of its own (tool calls, log-probabilities). */
  | ({ readonly type: 'delta'; readonly json: string } & Counted)
  /** Exact usage so far, cumulative. */
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  | { readonly type: 'end'; readonly finishReason: FinishReason }
  | { readonly type: 'error'; readonly code: ErrorCode; readonly facts: PieceFacts }

/**
 * What a decoder holds between two contents: an unfinished piece, and whether the last has come.
 */
export interface DecoderState {
  readonly rest: Bytes
  readonly ended: boolean
}

export const START_DECODING: DecoderState = { rest: new Uint8Array(0), ended: false }

const TYPES = ['text', 'reasoning', 'delta', 'usage', 'end', 'error'] as const
const MAX_HEADER = 1 + 5 + 5 + 5
const MAX_TEXT = LIMITS.pieceBytes - MAX_HEADER
const MAX_FACTS_BYTES = 1_024

/**
 * A piece as bytes of the stream. Text above `LIMITS.pieceBytes` becomes several pieces, whose last
 * one carries the counts. Throws `limit-exceeded` where other bodies are too long, `bad-input` on
 * counts that are no unsigned 32-bit integers.
 *
 * @example
 * encodePiece({ type: 'text', text: 'Hi', completionTokens: 1, reasoningTokens: 0 })
 */
export function encodePiece(piece: Piece): Bytes {
  if (piece.type !== 'text' && piece.type !== 'reasoning') return frame(piece.type, body(piece))
  const bytes = utf8(piece.text)
  const parts: Bytes[] = []
  let at = 0
  for (
    let end = boundary(bytes, MAX_TEXT);
    end < bytes.length;
    end = boundary(bytes, at + MAX_TEXT)
  ) {
    parts.push(frame(piece.type, concat(varint(0), varint(0), bytes.subarray(at, end))))
    at = end
  }
  parts.push(frame(piece.type, concat(counts(piece), bytes.subarray(at))))
  return concat(...parts)
}

/** A content of 256 bytes around at most 254 bytes of the stream. Throws `bad-input`. */
export function fillContent(used: Bytes): Bytes {
  if (used.length > USED_BYTES) throw new MarketError('bad-input', { bytes: used.length })
  const content = new Uint8Array(CONTENT_BYTES)
  content[1] = used.length // at most 254: the high byte stays 0
  content.set(used, 2)
  return content
}

/**
 * The pieces that a content completes. Throws `bad-frame` on anything that the encoder does not
 * make: the frame was authentic, so this is the provider's doing. `final` is the frame's own flag:
 * the final content must complete the stream with `end` or `error`, and no other may.
 */
export function decodePieces(
  state: DecoderState,
  content: Bytes,
  final: boolean,
): { state: DecoderState; pieces: Piece[] } {
  const stream = concat(state.rest, usedBytes(content))
  const pieces: Piece[] = []
  let ended = state.ended
  let at = 0
  while (at < stream.length) {
    const next = readPiece(stream, at)
    if (!next) break
    if (ended) throw malformed('a piece after the last')
    ended = next.piece.type === 'end' || next.piece.type === 'error'
    pieces.push(next.piece)
    at = next.end
  }
  const rest = stream.slice(at)
  if (final && (!ended || rest.length > 0)) throw malformed('the answer has no end')
  if (ended && rest.length > 0) throw malformed('bytes after the last piece')
  return { state: { rest, ended }, pieces }
}

function frame(type: Piece['type'], bytes: Bytes): Bytes {
  if (bytes.length > LIMITS.pieceBytes) {
    throw new MarketError('limit-exceeded', { bytes: bytes.length, most: LIMITS.pieceBytes })
  }
  return concat(Uint8Array.of(TYPES.indexOf(type) + 1), varint(bytes.length), bytes)
}

function body(piece: Exclude<Piece, { type: 'text' | 'reasoning' }>): Bytes {
  switch (piece.type) {
    case 'delta':
      return concat(counts(piece), utf8(piece.json))
    case 'usage': {
      const { prompt, cachedPrompt, completion, reasoning } = piece.usage
      return concat(varint(prompt), varint(cachedPrompt), varint(completion), varint(reasoning))
    }
    case 'end':
      return Uint8Array.of(FINISH_REASONS.indexOf(piece.finishReason))
    case 'error': {
      const facts = utf8(JSON.stringify(piece.facts))
      if (facts.length > MAX_FACTS_BYTES) {
        throw new MarketError('limit-exceeded', { bytes: facts.length, most: MAX_FACTS_BYTES })
      }
      return concat(Uint8Array.of(piece.code.length), utf8(piece.code), facts)
    }
  }
}

function counts(piece: Counted): Bytes {
  return concat(varint(piece.completionTokens), varint(piece.reasoningTokens))
}

/** The last code point boundary at or before `end`. */
function boundary(bytes: Bytes, end: number): number {
  let at = Math.min(end, bytes.length)
  while (at < bytes.length && (bytes[at]! & 0xc0) === 0x80) at--
  return at
}

function usedBytes(content: Bytes): Bytes {
  const used = content.length === CONTENT_BYTES ? content[0]! * 256 + content[1]! : -1
  if (used < 0 || used > USED_BYTES) throw malformed('a content of another length')
  let rest = 0
  for (let i = 2 + used; i < CONTENT_BYTES; i++) rest |= content[i]!
  if (rest !== 0) throw malformed('filling that is not zero')
  return content.subarray(2, 2 + used)
}

/** The piece at `at`, or nothing where its last bytes have not come yet. */
function readPiece(stream: Bytes, at: number): { piece: Piece; end: number } | undefined {
  const type = TYPES[stream[at]! - 1]
  if (!type) throw malformed('an unknown piece')
  const length = readVarint(stream, at + 1)
  if (!length) return undefined
  if (length.value > LIMITS.pieceBytes) throw malformed('a piece that is too long')
  const end = length.end + length.value
  if (end > stream.length) return undefined
  return { piece: parse(type, stream.subarray(length.end, end)), end }
}

function parse(type: Piece['type'], bytes: Bytes): Piece {
  switch (type) {
    case 'text':
    case 'reasoning':
    case 'delta': {
      const { values, rest } = integers(bytes, 2)
      const counted = { completionTokens: values[0]!, reasoningTokens: values[1]! }
      if (type !== 'delta') return { type, text: text(rest), ...counted }
      const json = text(rest)
      object(json)
      return { type, json, ...counted }
    }
    case 'usage': {
      const { values, rest } = integers(bytes, 4)
      if (rest.length > 0) throw malformed('a longer usage')
      const [prompt, cachedPrompt, completion, reasoning] = values
      return {
        type,
        usage: {
          prompt: prompt!,
          cachedPrompt: cachedPrompt!,
          completion: completion!,
          reasoning: reasoning!,
        },
      }
    }
    case 'end': {
      const finishReason = bytes.length === 1 ? FINISH_REASONS[bytes[0]!] : undefined
      if (!finishReason) throw malformed('an unknown finish reason')
      return { type, finishReason }
    }
    case 'error': {
      const start = 1 + (bytes[0] ?? 0)
      const code = text(bytes.subarray(1, start))
      if (bytes.length > start + MAX_FACTS_BYTES) throw malformed('facts that are too long')
      if (!isErrorCode(code)) throw malformed('an unknown error code')
      return { type, code, facts: facts(object(text(bytes.subarray(start)))) }
    }
  }
}
