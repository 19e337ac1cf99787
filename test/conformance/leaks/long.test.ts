/**
 * What sizes of frames tell where answers are long and engines fast: at equal length in tokens, one
 * topic's tokens have more bytes, which shows once they outrun the first pace.
 *
 * Answers of 200 tokens, put together from the recorded ones; speeds of the engine are simulated,
 * as is the clock (`traffic.ts`). By default only that the first pace is kept or left is checked;
 * `LEAKS_LONG=100` has a hundred answers of each topic at four speeds told apart.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { FRAME_BYTES } from '../../../contracts/seal/response.ts'
import { mulberry32 } from '../../support/fuzz.ts'
import { classify } from './classifier.ts'
import { bySize } from './features.ts'
import { type Answer, readAnswers } from './record.ts'
import { ENGINE, sealedTraffic } from './traffic.ts'

const SEED = Number(process.env.LEAKS_SEED ?? 20261126)
const FULL = Number(process.env.LEAKS_LONG ?? 0)
const TOKENS = 200
const TOPICS = ['trade', 'tales'] as const
const recorded = readAnswers()

/** The `i`th answer of `TOKENS` tokens on a topic: recorded ones after each other. */
function longAnswer(topic: Answer['topic'], i: number): Answer {
  const from = recorded.filter((answer) => answer.topic === topic)
  const tokenBytes: number[] = []
  for (let k = 0; tokenBytes.length < TOKENS; k++) {
    tokenBytes.push(...from[(i * 7 + k * 13) % from.length]!.tokenBytes)
  }
  return { topic, promptTokens: 12, tokenBytes: tokenBytes.slice(0, TOKENS) }
}

/** Most frames of a tick: the pace that a job came to. */
async function topPace(topic: Answer['topic'], perSecond: number): Promise<number> {
  const engine = { ...ENGINE, tokenMs: 1_000 / perSecond }
  const { writes } = await sealedTraffic(longAnswer(topic, 0), mulberry32(SEED), engine)
  const later = writes.slice(1, -1) // the first frame is larger
  return Math.round(Math.max(...later.map(({ bytes }) => bytes)) / FRAME_BYTES)
}

describe('an answer of 200 tokens', () => {
  it.each(TOPICS)(
    'keeps the first pace at 50 a second, and leaves it at 1,000: %s',
    async (topic) => {
      expect(await topPace(topic, 50)).toBe(1)
      expect(await topPace(topic, 1_000)).toBeGreaterThan(1)
    },
  )
})

describe.skipIf(FULL === 0)(`${FULL} such answers on each of two topics, seed ${SEED}`, () => {
  it.each([50, 250, 500, 1_000])(
    'at %i tokens a second',
    async (perSecond) => {
      const engine = { ...ENGINE, tokenMs: 1_000 / perSecond }
      const draw = mulberry32(SEED)
      const samples = []
      for (let group = 0; group < FULL; group++) {
        for (const topic of TOPICS) {
          const capture = await sealedTraffic(longAnswer(topic, group), draw, engine)
          samples.push({ features: bySize(capture), label: topic === 'tales', group })
        }
      }
      const { logistic, stumps } = classify(samples, mulberry32(SEED))
      const auc = `AUC ${logistic.toFixed(2)} logistic, ${stumps.toFixed(2)} stumps`
      console.log(`${TOKENS} tokens at ${perSecond} a second, by size: ${auc}`)
      // What SECURITY.md says of engines that the first pace keeps up with, and of faster ones.
      const best = Math.max(logistic, stumps)
      expect(best).toBeLessThanOrEqual(perSecond <= 250 ? 0.65 : 0.9)
    },
    300_000,
  )
})
