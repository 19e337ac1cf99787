/**
 * JSON that others write, broken in its bytes and in its values: receipt files, network.json,
 * matching events, gateway requests, sealed requests once open, a model server's stream.
 * @module
 */
import { describe, it } from 'vitest'
import { parseChatRequest } from '../../client/gateway/chatRequest.ts'
import { type Bytes, utf8 } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { parseNetwork } from '../../contracts/base/network.ts'
import { parseReceiptFile, verifyReceipt } from '../../contracts/money/receipt.ts'
import { parseRequest } from '../../contracts/wire/request.ts'
import { readChunk } from '../../node/backends/openaiChunk.ts'
import { readEvents } from '../../node/backends/sse.ts'
import { blockBySeqno } from '../../node/chain/blocks.ts'
import { checkEvent } from '../../node/matching/check.ts'
import { createMatcher } from '../../node/matching/matcher.ts'
import { signedJob } from '../contracts/money/receiptWorld.ts'
import { PRICES } from '../node/matching/harness.ts'
import { brokenJson, fuzz, fuzzAsync, tell } from './awkward.ts'

/** Recipes for `brokenJson`: the fuzzer breaks these, and they break documents. */
const RECIPES = [...'0123456789'].map((_, i) =>
  Uint8Array.from({ length: 13 }, (_, at) => (i * 53 + at * 37) & 0xff),
)

/** Parses text as whoever calls `parse` does: what is no JSON never reaches it. */
const ofText = (parse: (json: unknown) => unknown) => (input: Bytes) => {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(input))
  } catch {
    throw new MarketError('bad-input', { expected: 'JSON' })
  }
  return parse(json)
}

const NETWORK = {
  id: 77,
  name: 'localnet',
  toncenter: 'http://127.0.0.1:18081/api/v2/jsonRPC',
  schedulers: [{ identity: 'ab'.repeat(32), addresses: ['/ip4/127.0.0.1/tcp/4001'] }],
  providers: ['cd'.repeat(32)],
  measurements: { version: 1, list: ['ef'.repeat(32)], leastTcb: { Milan: { snp: 8 } } },
  faucet: 'http://127.0.0.1:18081/faucet',
  development: true,
}
const EVENTS = [
  {
    ...{ type: 'offer', slot: 'p1', provider: 'p', model: 'm', tick: 40, capacity: 2, at: 1 },
    ...{ serviceMs: 900, tier: 'open', region: 'eu', gpu: 'h100', memoryGiB: 80 },
  },
  {
    ...{ type: 'job', id: 'j1', model: 'm', maxTick: 60, minTier: 'open', regions: ['eu'] },
    ...{ gpus: [], exclude: ['p9'], speedWeight: 5, priority: -1, expectedTokens: 100, at: 2 },
  },
  { type: 'done', id: 'j1', at: 3 },
  { type: 'leave', slot: 'p1' },
]
const CHAT = {
  ...{ model: 'tiny-chat', messages: [{ role: 'user', content: 'hi' }], stream: true },
  ...{ stream_options: { include_usage: true }, max_tokens: 9, temperature: 0.5, top_p: 1 },
  ...{ seed: 1, stop: ['x'], n: 1, tools: [], response_format: { type: 'text' }, user: 'u' },
  chrysalis: { maxTick: 60, minTier: 'open' },
}
const PARTS = {
  model: 'm',
  messages: [
    { role: 'developer', content: [{ type: 'text', text: 'be brief' }] },
    { role: 'assistant', content: 'yes' },
    { role: 'user', content: 'and?' },
  ],
}
const REQUEST = {
  messages: [{ role: 'user', content: 'hi' }],
  ...{ maxTokens: 9, temperature: 0.5, topP: 0.5, seed: 3, stop: ['.'] },
}
const CHUNK = {
  choices: [{ index: 0, delta: { content: 'hi', reasoning: 'hm' }, finish_reason: 'stop' }],
  usage: {
    ...{ prompt_tokens: 5, completion_tokens: 2 },
    ...{ prompt_tokens_details: { cached_tokens: null }, completion_tokens_details: {} },
  },
}

const targets: [string, readonly unknown[], (json: unknown) => unknown][] = [
  ['receipt file', [signedJob()], parseReceiptFile],
  ['receipt', [signedJob()], (json) => verifyReceipt(parseReceiptFile(json))],
  ['network.json', [NETWORK], parseNetwork],
  ['matching event', EVENTS, checkEvent],
  ['gateway request', [CHAT, PARTS], parseChatRequest],
]

describe('fuzzing JSON', () => {
  it.each(targets)('%s, bytes', (name, documents, parse) => {
    const corpus = documents.map((each) => utf8(JSON.stringify(each)))
    for (const each of documents) parse(structuredClone(each))
    tell(fuzz({ name: `${name}, bytes`, corpus, decode: ofText(parse), inputs: 500 }))
  })

  it.each(targets)('%s, values', (name, documents, parse) => {
    const decode = (recipe: Bytes) => parse(brokenJson(documents, recipe))
    tell(fuzz({ name: `${name}, values`, corpus: RECIPES, decode, inputs: 500 }))
  })

  it('matching events through the matcher: only MarketError, and it goes on', () => {
    const matcher = createMatcher({ prices: PRICES })
    const decode = (recipe: Bytes) => matcher.apply(brokenJson(EVENTS, recipe) as never, [])
    tell(fuzz({ name: 'matcher', corpus: RECIPES, decode, inputs: 500 }))
  })

  it('sealed requests once open', () => {
    const corpus = [utf8(JSON.stringify(REQUEST))]
    tell(
      fuzz({
        name: 'job request, bytes',
        corpus,
        decode: (input) => parseRequest(input),
        inputs: 500,
      }),
    )
    const values = (recipe: Bytes) =>
      parseRequest(utf8(JSON.stringify(brokenJson([REQUEST], recipe))))
    tell(fuzz({ name: 'job request, values', corpus: RECIPES, decode: values, inputs: 500 }))
  })

  it('blocks of a chain endpoint', async () => {
    const id = { workchain: -1, seqno: 9, root_hash: `${'A'.repeat(43)}=` }
    const corpus = [{ ok: true, result: { id, gen_utime: 1_800_000_000 } }]
    const read = async (input: Bytes) => {
      const text = JSON.stringify(brokenJson(corpus, input))
      await blockBySeqno(async () => text, 9)
    }
    await blockBySeqno(async () => JSON.stringify(corpus[0]), 9)
    tell(await fuzzAsync({ name: 'block, values', corpus: RECIPES, decode: read, inputs: 500 }))
  })

  it('events of a model server, and the chunks in them', async () => {
    const stream = utf8(
      `: hi\r\ndata: ${JSON.stringify(CHUNK)}\n\ndata: a\ndata: b\n\ndata: [DONE]\n\n`,
    )
    const read = async (input: Bytes) => {
      const cut = input.length >> 1
      const body = (async function* () {
        yield input.subarray(0, cut)
        yield input.subarray(cut)
      })()
      for await (const data of readEvents(body)) readChunk(data)
    }
    tell(
      await fuzzAsync({
        name: 'server-sent events',
        corpus: [stream],
        decode: read,
        inputs: 1_000,
      }),
    )
    const values = (recipe: Bytes) => readChunk(JSON.stringify(brokenJson([CHUNK], recipe)))
    tell(fuzz({ name: 'chunk, values', corpus: RECIPES, decode: values, inputs: 500 }))
  })
})
