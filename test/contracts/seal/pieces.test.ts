/**
 * Pieces come out of frames as they went in, however they are cut, and hostile bytes are refused.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, utf8 } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import {
  type DecoderState,
  decodePieces,
  encodePiece,
  FINISH_REASONS,
  fillContent,
  type Piece,
  START_DECODING,
  USED_BYTES,
} from '../../../contracts/seal/pieces.ts'
import { readVarint, varint } from '../../../contracts/seal/varint.ts'

const END: Piece = { type: 'end', finishReason: 'stop' }
const badFrame = expect.objectContaining({ code: 'bad-frame' })

/** Cuts a stream into contents of the given sizes (the last repeated) and decodes them all. */
function through(stream: Bytes, sizes: readonly number[] = [USED_BYTES]): Piece[] {
  let state: DecoderState = START_DECODING
  const out: Piece[] = []
  for (let at = 0, i = 0; at < stream.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)]!
    const content = fillContent(stream.subarray(at, at + size))
    at += size
    const step = decodePieces(state, content, at >= stream.length)
    state = step.state
    out.push(...step.pieces)
  }
  return out
}

const counted = { completionTokens: 3, reasoningTokens: 300 }
const EVERY: Piece[] = [
  { type: 'text', text: 'Grüße, 🦋', ...counted },
  { type: 'reasoning', text: '', completionTokens: 0, reasoningTokens: 1 },
  { type: 'delta', json: '{"tool_calls":[{"index":0}]}', ...counted },
  { type: 'usage', usage: { prompt: 1, cachedPrompt: 2 ** 32 - 1, completion: 200, reasoning: 0 } },
  END,
]

const count = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const arbitraryPiece: fc.Arbitrary<Piece> = fc.oneof(
  fc.record({
    type: fc.constantFrom('text' as const, 'reasoning' as const),
    text: fc.string({ unit: 'grapheme', maxLength: 600 }),
    completionTokens: count,
    reasoningTokens: count,
  }),
  fc.record({
    type: fc.constant('usage' as const),
    usage: fc.record({ prompt: count, cachedPrompt: count, completion: count, reasoning: count }),
  }),
)

describe('pieces', () => {
  it('of every type come out as they went in', () => {
    expect(through(concat(...EVERY.map(encodePiece)))).toEqual(EVERY)
    const error: Piece = { type: 'error', code: 'unpaid', facts: { most: 3, ok: true, who: 'x' } }
    expect(through(encodePiece(error))).toEqual([error])
    for (const finishReason of FINISH_REASONS) {
      expect(through(encodePiece({ type: 'end', finishReason }))).toEqual([
        { type: 'end', finishReason },
      ])
    }
  })

  it('survive any cutting into frames', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: USED_BYTES }), { minLength: 1 })
    fc.assert(
      fc.property(fc.array(arbitraryPiece, { maxLength: 12 }), sizes, (pieces, cuts) => {
        const all = [...pieces, END]
        expect(through(concat(...all.map(encodePiece)), cuts)).toEqual(all)
      }),
    )
  })

  it('are split at code points where text is long, the counts on the last part', () => {
    const text = '🦋'.repeat(10_000)
    const parts = through(concat(encodePiece({ type: 'text', text, ...counted }), encodePiece(END)))
    const texts = parts.filter((piece) => piece.type === 'text')
    expect(texts.length).toBe(3)
    expect(texts.map((piece) => piece.text).join('')).toBe(text)
    expect(texts.map((piece) => piece.completionTokens)).toEqual([0, 0, 3])
  })

  it('that cannot be split are bounded', () => {
    const limit = expect.objectContaining({ code: 'limit-exceeded' })
    const json = JSON.stringify({ a: 'x'.repeat(LIMITS.pieceBytes) })
    const facts = { a: 'x'.repeat(2_000) }
    expect(() => encodePiece({ type: 'delta', json, ...counted })).toThrow(limit)
    expect(() => encodePiece({ type: 'error', code: 'unpaid', facts })).toThrow(limit)
  })

  it('cannot count with anything but unsigned 32-bit integers', () => {
    const badInput = expect.objectContaining({ code: 'bad-input' })
    for (const completionTokens of [-1, 0.5, 2 ** 32, Number.NaN]) {
      const piece: Piece = { type: 'text', text: '', completionTokens, reasoningTokens: 0 }
      expect(() => encodePiece(piece)).toThrow(badInput)
    }
  })

  it('take no more than 254 bytes of a content, and nothing is an empty one', () => {
    expect(() => fillContent(new Uint8Array(255))).toThrow(
      expect.objectContaining({ code: 'bad-input' }),
    )
    const empty = fillContent(new Uint8Array(0))
    expect(empty).toEqual(new Uint8Array(256))
    expect(decodePieces(START_DECODING, empty, false).pieces).toEqual([])
  })
})

describe('a decoder refuses', () => {
  const raw = (...bytes: number[]) => fillContent(Uint8Array.from(bytes))
  const final = true
  it.each([
    ['an unknown type', raw(9, 0), false],
    ['type 0', raw(0, 0), false],
    ['a piece above the limit', raw(1, 0xff, 0xff, 0xff, 0x0f), false],
    ['a length in a longer form', raw(5, 0x81, 0x00, 0), false],
    ['a length of six bytes', raw(1, 0x80, 0x80, 0x80, 0x80, 0x80, 1), false],
    ['a length of 2^32', raw(1, 0x80, 0x80, 0x80, 0x80, 0x10), false],
    ['text that is not UTF-8', raw(1, 3, 0, 0, 0xff), false],
    ['text without counts', raw(1, 1, 0), false],
    ['a usage that is longer', raw(4, 5, 0, 0, 0, 0, 0), false],
    ['a usage that is shorter', raw(4, 3, 0, 0, 0), false],
    ['an unknown finish reason', raw(5, 1, 99), false],
    ['an end without a reason', raw(5, 0), false],
    ['a delta that is no JSON', raw(3, 3, 0, 0, 0x7b), false],
    ['a delta that is an array', raw(3, 4, 0, 0, 0x5b, 0x5d), false],
    ['an unknown error code', fillContent(concat(Uint8Array.of(6, 4, 1, 120), utf8('{}'))), false],
    ['a piece after the end', raw(5, 1, 0, 5, 1, 0), false],
    ['half a piece after the end', raw(5, 1, 0, 5), false],
    ['a final frame without an end', raw(), final],
    ['a final frame with half a piece', raw(5), final],
    ['more used bytes than fit', new Uint8Array(256).fill(1), false],
    ['another length', new Uint8Array(255), false],
    [
      'filling that is not zero',
      Uint8Array.from({ length: 256 }, (_, i) => Number(i === 200)),
      false,
    ],
  ])('%s', (_, content, isFinal) => {
    expect(() => decodePieces(START_DECODING, content, isFinal)).toThrow(badFrame)
  })

  it('facts that are not plain', () => {
    for (const json of ['{"a":{}}', '{"a":null}', '{"__proto__":1}', '[]', '1']) {
      const body = concat(Uint8Array.of(6), utf8('unpaid'), utf8(json))
      const content = fillContent(concat(Uint8Array.of(6), varint(body.length), body))
      expect(() => decodePieces(START_DECODING, content, true)).toThrow(badFrame)
    }
  })

  it('any bytes with an error of its own, and never holds more than a piece', () => {
    const stream = fc.array(fc.uint8Array({ maxLength: USED_BYTES }), { maxLength: 80 })
    fc.assert(
      fc.property(stream, fc.boolean(), (contents, aligned) => {
        let state: DecoderState = START_DECODING
        try {
          for (const bytes of contents) {
            // Half the runs begin like a text piece, to get past the first byte.
            const used = aligned ? concat(Uint8Array.of(1, 20, 0, 0), bytes.subarray(4)) : bytes
            state = decodePieces(state, fillContent(used), false).state
            expect(state.rest.length).toBeLessThanOrEqual(LIMITS.pieceBytes + 6)
          }
        } catch (error) {
          if (!(error instanceof MarketError)) throw error
          expect(error.code).toBe('bad-frame')
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('varints', () => {
  it('come back, in the shortest form', () => {
    fc.assert(
      fc.property(count, (value) => {
        const bytes = varint(value)
        expect(readVarint(bytes, 0)).toEqual({ value, end: bytes.length })
        expect(readVarint(bytes.subarray(0, -1), 0)).toBeUndefined()
      }),
    )
    expect(varint(127).length).toBe(1)
    expect(varint(128).length).toBe(2)
  })
})
