/**
 * The sealed channel's decoders under broken bytes: requests, frames, pieces, varints.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, utf8 } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import { nativeKem } from '../../contracts/seal/kem.ts'
import {
  type DecoderState,
  decodePieces,
  encodePiece,
  fillContent,
  type Piece,
  START_DECODING,
  USED_BYTES,
} from '../../contracts/seal/pieces.ts'
import { openRequest } from '../../contracts/seal/request.ts'
import { CONTENT_BYTES, responseOpener, sealer } from '../../contracts/seal/response.ts'
import { readVarint, varint } from '../../contracts/seal/varint.ts'
import { agree, BINDING, content } from '../contracts/seal/world.ts'
import { fuzz, fuzzAsync, tell } from './awkward.ts'

const kem = nativeKem()
const PIECES: Piece[] = [
  { type: 'text', text: 'What a chrysalis is: ünï', completionTokens: 9, reasoningTokens: 0 },
  { type: 'reasoning', text: 'x'.repeat(700), completionTokens: 0, reasoningTokens: 200 },
  { type: 'delta', json: '{"tool_calls":[]}', completionTokens: 1, reasoningTokens: 0 },
  { type: 'usage', usage: { prompt: 64, cachedPrompt: 0, completion: 300, reasoning: 2 ** 31 } },
  { type: 'error', code: 'prompt-too-long', facts: { contextTokens: 512, ok: true } },
  { type: 'end', finishReason: 'stop' },
]

/** A stream of pieces cut into contents, joined: what the pieces' fuzzer breaks. */
function contentsOf(pieces: readonly Piece[]): Bytes {
  const stream = concat(...pieces.map(encodePiece))
  const contents: Bytes[] = []
  for (let at = 0; at < stream.length; at += USED_BYTES) {
    contents.push(fillContent(stream.subarray(at, at + USED_BYTES)))
  }
  return concat(...contents)
}

describe('fuzzing the sealed channel', () => {
  it('sealed requests: every failure is cannot-open', async () => {
    const epoch = kem.generateKeyPair()
    const jobs = await Promise.all(
      [20, 20_000].map((size) =>
        agree({ kem: { ...kem, generateKeyPair: () => epoch }, request: new Uint8Array(size) }),
      ),
    )
    const opening = { ...jobs[0]!.opening, epochSecretKey: epoch.secretKey }
    const report = await fuzzAsync({
      name: 'sealed request',
      corpus: jobs.map(({ sealed }) => sealed),
      inputs: 200,
      decode: (sealed) =>
        openRequest({ ...opening, sealed }).catch((thrown: unknown) => {
          if (thrown instanceof MarketError && thrown.code === 'cannot-open') throw thrown
          throw new Error('another error', { cause: thrown })
        }),
    })
    expect(tell(report).refused).toBeGreaterThan(0.9 * report.inputs)
  })

  it('response frames: every failure is seal-broken', async () => {
    const job = await agree({ kem })
    const responseKey = kem.generateKeyPair()
    const psk = sha256(utf8('psk'))
    const answer = await sealer({
      kem,
      binding: BINDING,
      sealedHash: sha256(job.sealed),
      responsePublicKey: responseKey.publicKey,
      psk: psk.slice(),
    })
    const first = answer.seal(content(1), false)
    const second = answer.seal(content(2), true)
    const opener = () =>
      responseOpener({
        kem,
        binding: BINDING,
        sealed: job.sealed,
        secretKey: responseKey.secretKey.slice(),
        psk: psk.slice(),
      })
    const report = await fuzzAsync({
      name: 'response frame',
      corpus: [first, second],
      inputs: 200,
      decode: async (frame) => {
        const client = opener()
        try {
          if (frame.length < 1_000) await client.open(first)
          await client.open(frame)
        } catch (thrown) {
          if (thrown instanceof MarketError && thrown.code === 'seal-broken') throw thrown
          throw new Error('another error', { cause: thrown })
        }
      },
    })
    expect(tell(report).refused).toBeGreaterThan(0.9 * report.inputs)
  })

  it('pieces, over several contents', () => {
    const corpus = [contentsOf(PIECES.slice(0, 4)), contentsOf(PIECES), contentsOf([PIECES[4]!])]
    const decode = (input: Bytes) => {
      let state: DecoderState = START_DECODING
      for (let at = 0; at < input.length; at += CONTENT_BYTES) {
        const last = at + CONTENT_BYTES >= input.length
        state = decodePieces(state, input.subarray(at, at + CONTENT_BYTES), last).state
      }
    }
    tell(fuzz({ name: 'pieces', corpus, decode, inputs: 500 }))
    const one = (input: Bytes) =>
      decodePieces(START_DECODING, fillContent(input.slice(0, 254)), true)
    tell(
      fuzz({
        name: 'pieces of one content',
        corpus: PIECES.map(encodePiece),
        decode: one,
        inputs: 500,
      }),
    )
  })

  it('varints', () => {
    const corpus = [0, 1, 127, 128, 16_384, 2 ** 31, 2 ** 32 - 1].map(varint)
    const decode = (input: Bytes) => {
      const read = readVarint(input, 0)
      if (read && read.value !== readVarint(varint(read.value), 0)?.value)
        throw new Error('unequal')
      if (read && varint(read.value).length !== read.end) throw new Error('not the shortest form')
    }
    tell(fuzz({ name: 'varints', corpus, decode, inputs: 500 }))
  })
})
