/**
 * What sizes and times of a sealed answer tell about its topic: answers of the demo model on two
 * topics, and two classifiers that may look at everything a network observer or a scheduler sees.
 * The control shows that they can find the topic where tokens are sealed one by one.
 *
 * `LEAKS_ANSWERS=500` takes all recorded answers of each topic, `LEAKS_SEED` another seed.
 * @module
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { mulberry32 } from '../../support/fuzz.ts'
import { classify } from './classifier.ts'
import { bySize, byTime } from './features.ts'
import { type Answer, readAnswers } from './record.ts'
import { type Capture, ENGINE, nakedTraffic, sealedTraffic } from './traffic.ts'

const SEED = Number(process.env.LEAKS_SEED ?? 20261126)
const COUNT = Number(process.env.LEAKS_ANSWERS ?? 150)
const recorded = readAnswers()
const trade = recorded.filter(({ topic }) => topic === 'trade').slice(0, COUNT)
const tales = recorded.filter(({ topic }) => topic === 'tales').slice(0, COUNT)
const answers = [...trade, ...tales]
/** Answers whose lengths tell nothing: a tale ends at a token limit, where a trade answer did. */
const matched: Answer[] = [
  ...trade,
  ...tales.map((tale, i) => ({
    ...tale,
    tokenBytes: tale.tokenBytes.slice(0, trade[i]!.tokenBytes.length),
  })),
]

type Look = (capture: Capture) => number[]
const bySizeAndTime: Look = (capture) => [...bySize(capture), ...byTime(capture)]

/** The better classifier's AUC, printed. */
function found(what: string, from: readonly Answer[], captures: readonly Capture[], look: Look) {
  const samples = captures.map((capture, i) => ({
    features: look(capture),
    label: from[i]!.topic === 'tales',
    group: i % COUNT, // a trade answer and the tale that was cut to its length
  }))
  const { logistic, stumps } = classify(samples, mulberry32(SEED))
  console.log(`${what}: AUC ${logistic.toFixed(3)} logistic, ${stumps.toFixed(3)} stumps`)
  return Math.max(logistic, stumps)
}

describe(`sizes and times of ${2 * COUNT} answers on two topics, seed ${SEED}`, () => {
  const sealed: Record<'matched' | 'unmatched', Capture[]> = { matched: [], unmatched: [] }
  const naked: Capture[] = []
  beforeAll(async () => {
    const draw = mulberry32(SEED)
    for (const answer of matched) sealed.matched.push(await sealedTraffic(answer, draw))
    for (const answer of answers) sealed.unmatched.push(await sealedTraffic(answer, draw))
    for (const answer of matched) naked.push(nakedTraffic(answer, draw))
  })

  it('control: sealed one by one, tokens tell the topic at equal length', () => {
    expect(trade.length).toBe(COUNT)
    expect(tales.length).toBe(COUNT)
    const value = found('tokens one by one, matched, by size', matched, naked, bySize)
    expect(value).toBeGreaterThan(0.9)
  })

  it('frames do not, by their sizes, where lengths match', () => {
    const value = found('frames, matched, by size', matched, sealed.matched, bySize)
    expect(value).toBeLessThanOrEqual(0.6)
  })

  it('time shows a little: the wait for the first frame grows with the prompt', () => {
    const value = found('frames, matched, by time', matched, sealed.matched, bySizeAndTime)
    expect(value).toBeLessThanOrEqual(0.7) // measured 0.56 to 0.59 over 1,000: more is news
  })

  // If lengths told nothing, SECURITY.md would be wrong.
  it('length shows: where answers differ in it, so does the number of frames', () => {
    const bySizes = found('frames, unmatched, by size', answers, sealed.unmatched, bySize)
    const byBoth = found('frames, unmatched, by time', answers, sealed.unmatched, bySizeAndTime)
    expect(Math.min(bySizes, byBoth)).toBeGreaterThan(0.6)
  })

  it('have at most four lengths of ciphertext in all', () => {
    const all = [...sealed.matched, ...sealed.unmatched]
    const frames = new Set(all.flatMap(({ ciphertexts }) => ciphertexts))
    const requests = new Set(all.map(({ request }) => request))
    const writes = new Set(all.flatMap(({ writes }) => writes.map(({ bytes }) => bytes)))
    console.log(`lengths: frames ${[...frames]}, requests ${[...requests]}, writes ${[...writes]}`)
    expect(frames.size + requests.size).toBeLessThanOrEqual(4)
  })

  it('cost at most 60 bytes a token at 50 tokens a second', async () => {
    const tokenBytes = Array.from({ length: 512 }, (_, i) => recorded[600]!.tokenBytes[i % 40]!)
    const answer: Answer = { topic: 'tales', promptTokens: 20, tokenBytes }
    const { writes, ciphertexts } = await sealedTraffic(answer, mulberry32(SEED))
    const perToken = (sizes: readonly number[]) =>
      sizes.reduce((a, b) => a + b, 0) / tokenBytes.length
    const sealedBytes = perToken(ciphertexts)
    const wire = perToken(writes.map(({ bytes }) => bytes))
    expect(1000 / ENGINE.tokenMs).toBe(50)
    console.log(`${sealedBytes.toFixed(1)} sealed bytes a token, ${wire.toFixed(1)} with messages`)
    expect(sealedBytes).toBeLessThanOrEqual(60)
  })
})
