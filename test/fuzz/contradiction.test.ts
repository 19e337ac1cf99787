/**
 * Contradiction files, broken in their bytes and in their values. A broken one is refused with a
 * `MarketError`; what still verifies is the very contradiction that was broken, to the letter.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { type Bytes, utf8 } from '../../contracts/base/bytes.ts'
import { verifyContradiction } from '../../contracts/money/contradiction.ts'
import {
  contradictionText,
  parseContradiction,
  readContradiction,
} from '../../contracts/money/contradictionFile.ts'
import { NETWORK, PROVED } from '../contracts/money/contradictionWorld.ts'
import { brokenJson, fuzz, tell } from './awkward.ts'

const FILES = Object.values(PROVED)
const TEXTS = new Set(FILES.map(contradictionText))
const RECIPES = Array.from({ length: 10 }, (_, i) =>
  Uint8Array.from({ length: 13 }, (_, at) => (i * 29 + at * 41) & 0xff),
)

function verify(file: ReturnType<typeof parseContradiction>): void {
  verifyContradiction(file, NETWORK)
  // Not a MarketError: the fuzzer stops.
  if (!TEXTS.has(contradictionText(file))) throw new Error('another contradiction was proved')
}

describe('fuzzing contradictions', () => {
  it('files, bytes', () => {
    const corpus = FILES.map((file) => utf8(contradictionText(file)))
    const decode = (input: Bytes) => verify(readContradiction(new TextDecoder().decode(input)))
    for (const input of corpus) decode(input)
    tell(fuzz({ name: 'contradiction, bytes', corpus, decode, inputs: 1_000 }))
  })

  it('files, values', () => {
    const decode = (recipe: Bytes) => verify(parseContradiction(brokenJson(FILES, recipe)))
    tell(fuzz({ name: 'contradiction, values', corpus: RECIPES, decode, inputs: 1_000 }))
  })

  it('values of one file put into another', () => {
    let refused = 0
    for (const one of FILES) {
      for (const other of FILES) {
        for (const key of Object.keys(other)) {
          const mixed = { ...one, [key]: Reflect.get(other, key) }
          try {
            verify(parseContradiction(mixed))
          } catch {
            refused++
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(30)
  })
})
