/**
 * Token counts: the bound, a slow obvious twin, and the demo model's own tokenizer in llama.cpp.
 * @module
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { getLlama, LlamaLogLevel, type LlamaModel } from 'node-llama-cpp'
import { beforeAll, describe, expect, it } from 'vitest'
import { tinyChatTokenizer } from '../../../contracts/money/tinyChatTokenizer.ts'
import { bytesTokenizer, sentencePieceTokenizer } from '../../../contracts/money/tokenizer.ts'
import vocabulary from '../../../contracts/money/vocabularies/tinyChat.json' with { type: 'json' }
import { TINY_CHAT } from '../../../node/backends/tinyChat.ts'
import { exportVocabulary } from '../../../scripts/model/exportVocabulary.ts'

const SEED = 20_261_122
const card = readFileSync(new URL('MODEL_CARD.md', `file://${TINY_CHAT.modelPath}`), 'utf8')

/** The same merging by scanning all pairs again and again. */
function slowCount(text: string, pieces: readonly string[]): number {
  const symbols = Array.from(text.toWellFormed().replaceAll(' ', '\u2581'))
  for (;;) {
    const ranks = symbols.slice(1).map((right, at) => {
      const rank = pieces.indexOf(`${symbols[at]}${right}`)
      return rank < 0 ? Number.POSITIVE_INFINITY : rank
    })
    const best = Math.min(...ranks)
    if (best === Number.POSITIVE_INFINITY) break
    const at = ranks.indexOf(best)
    symbols.splice(at, 2, `${symbols[at]}${symbols[at + 1]}`)
  }
  return symbols.reduce((n, one) => n + (pieces.includes(one) ? 1 : Buffer.byteLength(one)), 0)
}

describe('bytes tokenizer', () => {
  it('counts UTF-8 bytes, and says that it is a bound', () => {
    expect(bytesTokenizer.count('')).toBe(0)
    expect(bytesTokenizer.count('книга 😀')).toBe(15)
    expect(bytesTokenizer).toMatchObject({ id: 'utf8-bytes', kind: 'bound' })
    expect(bytesTokenizer.hash).toHaveLength(32)
  })
})

describe('SentencePiece tokenizer', () => {
  it('merges the earliest piece first, the leftmost of equals', () => {
    const count = (pieces: string, text: string) =>
      sentencePieceTokenizer({ id: 'x', pieces }).count(text)
    expect(count('bc ab a b c', 'abc')).toBe(2) // a, bc
    expect(count('aa aaa a', 'aaaa')).toBe(2) // aa, aa
    expect(count('aa aaa a', 'aaaaa')).toBe(2) // aa, aaa
    expect(count('a b', 'ab é')).toBe(7) // no space: three bytes, and é is two
    expect(count('a b', '')).toBe(0)
  })

  it('is named by what it counts by', () => {
    const one = sentencePieceTokenizer({ id: 'x', pieces: 'a b' })
    const other = sentencePieceTokenizer({ id: 'x', pieces: 'b a' })
    expect(one.hash).not.toEqual(other.hash)
    expect(() => sentencePieceTokenizer({ id: 'x', pieces: 'a a' })).toThrow('pieces')
  })

  it('counts as its slow twin does', () => {
    const pieces = 'ab bc ca aab abc \u2581a cab \u2581 a b c bcab aa'.split(' ')
    const { count } = sentencePieceTokenizer({ id: 'x', pieces: pieces.join(' ') })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', 'é'), maxLength: 40 })
    fc.assert(
      fc.property(text, (sample) => {
        expect(count(sample)).toBe(slowCount(sample, pieces))
      }),
      { seed: SEED, numRuns: 500 },
    )
  })

  it('stays below the bound, and takes a long text in reasonable time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        // A space is one byte and U+2581 three, but it is a piece of its own.
        expect(tinyChatTokenizer.count(text)).toBeLessThanOrEqual(bytesTokenizer.count(text))
      }),
      { seed: SEED },
    )
    const beganMs = performance.now()
    expect(tinyChatTokenizer.count('There was once a fox. '.repeat(12_000))).toBeGreaterThan(50_000)
    expect(performance.now() - beganMs).toBeLessThan(5_000)
  })
})

describe('the vocabulary of the demo model', () => {
  let model: LlamaModel
  beforeAll(async () => {
    const options = { build: 'never', skipDownload: true, gpu: false, maxThreads: 1 } as const
    const llama = await getLlama({ ...options, logLevel: LlamaLogLevel.disabled })
    model = await llama.loadModel({ modelPath: TINY_CHAT.modelPath, vocabOnly: true })
  }, 60_000)
  const exact = (text: string) => expect(tinyChatTokenizer.count(text)).toBe(reference(text))
  const reference = (text: string) => model.tokenize(text, false, 'trimLeadingSpace').length

  it('is the one in the model file', async () => {
    const exported = await exportVocabulary(TINY_CHAT.modelPath, TINY_CHAT.tokenizer)
    expect(JSON.parse(exported)).toEqual(vocabulary)
  })

  it('counts every line of the card, and all of it, as llama.cpp does', () => {
    for (const line of [...card.split('\n'), card]) exact(line)
  })

  it('counts what looks like special tokens as llama.cpp does', () => {
    for (const text of ['<s>', '<|end|>', '<|user|>\n', '<0x0A>', '<unk>', '\u2581', ' ', '  a']) {
      exact(text)
    }
  })

  it('counts any text as llama.cpp does', () => {
    const word = fc.constantFrom(...card.split(/\s+/), ' ', '\n', 'é', 'ж', '😀', '漢', '7')
    const words = fc.array(word, { maxLength: 30 }).map((parts) => parts.join(' '))
    const any = fc.string({ unit: 'binary', maxLength: 60 })
    fc.assert(
      fc.property(fc.oneof(words, any), (text) => {
        exact(text.replaceAll('\0', ''))
      }),
      { seed: SEED, numRuns: 1_000 },
    )
  })
})
