/**
 * What a hostile peer can seal properly: broken plaintexts of requests, signed and unsigned, and
 * broken answers in authentic frames. Behind a seal that holds, decoders meet every byte of it.
 *
 * Key agreement is not what is tried here (`seal.test.ts` does) and would be most of the cost: the
 * epoch key's half is agreed once and its secret handed out again.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { openAnswer } from '../../client/answer.ts'
import { type Bytes, concat, utf8 } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Kem } from '../../contracts/base/ports.ts'
import { DEFAULT_PARAMETERS } from '../../contracts/money/price.ts'
import { clientStatement, requestInfo } from '../../contracts/seal/binding.ts'
import { KEM_PUBLIC_BYTES, nativeKem } from '../../contracts/seal/kem.ts'
import { pad } from '../../contracts/seal/padding.ts'
import { encodePiece, fillContent, type Piece, USED_BYTES } from '../../contracts/seal/pieces.ts'
import { CHUNK_BYTES, openRequest } from '../../contracts/seal/request.ts'
import { CONTENT_BYTES, type ResponseOpener } from '../../contracts/seal/response.ts'
import { hpkeSuite, publicKeyOf } from '../../contracts/seal/suite.ts'
import { parseRequest } from '../../contracts/wire/request.ts'
import { BINDING, CLIENT_JOB_KEY } from '../contracts/seal/world.ts'
import { fuzzAsync, tell } from './awkward.ts'

const native = nativeKem()
const epoch = native.generateKeyPair()
const agreed = native.encapsulate(epoch.publicKey)
/** The agreement of one encapsulation, again and again; the response key's half is real. */
const kem: Kem = {
  ...native,
  encapsulate: (key) => (key === epoch.publicKey ? agreed : native.encapsulate(key)),
  decapsulate: () => agreed.sharedSecret,
}
const suite = hpkeSuite(kem)
const info = requestInfo(BINDING)
const responseKey = native.generateKeyPair().publicKey
const REQUEST = utf8('{"messages":[{"role":"user","content":"hi"}],"maxTokens":9}')

/** Seals any plaintext as `sealRequest` would seal its own. */
async function sealed(plaintext: Bytes): Promise<Bytes> {
  const { encapsulatedSecret, ctx } = await suite.SetupSender(publicKeyOf(epoch.publicKey), {
    info,
  })
  const parts: Bytes[] = [encapsulatedSecret]
  for (let at = 0; at === 0 || at < plaintext.length; at += CHUNK_BYTES) {
    const flag = Uint8Array.of(at + CHUNK_BYTES >= plaintext.length ? 1 : 0)
    parts.push(flag, await ctx.Seal(plaintext.subarray(at, at + CHUNK_BYTES), flag))
  }
  return concat(...parts)
}

function signature(responsePublicKey: Bytes, padded: Bytes): Bytes {
  const { network } = BINDING
  const parts = { enc: agreed.enc, info, responsePublicKey, padded }
  return CLIENT_JOB_KEY.sign(clientStatement(network, parts))
}

/** Opens and parses as a provider does. Before it is open there is one code for every failure. */
async function opened(bytes: Bytes): Promise<void> {
  const { request } = await openRequest({
    kem,
    epochSecretKey: epoch.secretKey,
    binding: BINDING,
    clientJobPublicKey: CLIENT_JOB_KEY.publicKey,
    sealed: bytes,
  }).catch((thrown: unknown) => {
    if (thrown instanceof MarketError && thrown.code === 'cannot-open') throw thrown
    throw new Error('another error', { cause: thrown })
  })
  parseRequest(request)
}

describe('fuzzing what is sealed', () => {
  it('plaintexts of requests', async () => {
    const padded = pad(REQUEST)
    const plain = concat(responseKey, signature(responseKey, padded), padded)
    await opened(await sealed(plain)) // the whole way, once
    const long = pad(new Uint8Array(20_000))
    const corpus = [plain, concat(responseKey, signature(responseKey, long), long)]
    const report = await fuzzAsync({
      ...{ name: 'sealed plaintext', corpus, inputs: 200 },
      decode: async (input) => opened(await sealed(input)),
    })
    expect(tell(report).refused).toBeGreaterThan(0.9 * report.inputs)
  })

  it('response keys and padded requests, signed by the client', async () => {
    const report = await fuzzAsync({
      ...{ name: 'signed plaintext', corpus: [concat(responseKey, pad(REQUEST))], inputs: 200 },
      decode: async (input) => {
        const [key, padded] = [input.slice(0, KEM_PUBLIC_BYTES), input.slice(KEM_PUBLIC_BYTES)]
        await opened(await sealed(concat(key, signature(key, padded), padded)))
      },
    })
    expect(tell(report).refused).toBeGreaterThan(0.5 * report.inputs)
  })

  it('answers in authentic frames, as the client reads them', async () => {
    const report = await fuzzAsync({
      ...{ name: 'answer', corpus: [contentsOf(PIECES), contentsOf(PIECES.slice(2))], inputs: 500 },
      decode: async (input) => {
        const answer = openAnswer(authentic(input), 64, DEFAULT_PARAMETERS.steps)
        for (let at = 0; at < input.length; at += CONTENT_BYTES) {
          const { text } = await answer.read([input.subarray(at, at + 1)])
          if (text.reveal().length > input.length) throw new Error('more text than bytes')
        }
      },
    })
    expect(tell(report).refused).toBeGreaterThan(0.5 * report.inputs)
  })
})

const PIECES: readonly Piece[] = [
  { type: 'usage', usage: { prompt: 20, cachedPrompt: 0, completion: 0, reasoning: 0 } },
  { type: 'text', text: 'What a chrysalis is: ünï', completionTokens: 9, reasoningTokens: 0 },
  { type: 'delta', json: '{"tool_calls":[]}', completionTokens: 1, reasoningTokens: 0 },
  { type: 'reasoning', text: 'x'.repeat(300), completionTokens: 0, reasoningTokens: 80 },
  { type: 'error', code: 'prompt-too-long', facts: { contextTokens: 512 } },
]

function contentsOf(pieces: readonly Piece[]): Bytes {
  const stream = concat(...pieces.map(encodePiece))
  const contents: Bytes[] = []
  for (let at = 0; at < stream.length; at += USED_BYTES) {
    contents.push(fillContent(stream.subarray(at, at + USED_BYTES)))
  }
  return concat(...contents)
}

/** An opener of frames that hold these contents, one after the other; the last one is final. */
function authentic(input: Bytes): ResponseOpener {
  let at = 0
  return {
    async open() {
      const content = input.slice(at, at + CONTENT_BYTES)
      at += CONTENT_BYTES
      return { content, final: at >= input.length }
    },
    end: () => undefined,
    close: () => undefined,
    frames: 0,
    transcriptHash: () => new Uint8Array(32),
  }
}
