/**
 * What every backend must do, whatever stands behind it: one suite for all of them.
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import {
  type Backend,
  type BackendPiece,
  type BackendRequest,
  prompt,
} from '../../node/backends/backend.ts'

export interface BackendUnderTest {
  readonly backend: Backend
  /** A request whose answer has at least 24 tokens, among them a space. */
  readonly long: BackendRequest
  stop(): Promise<void>
}

/** The pieces of a run, its text, and its end. */
export interface Collected {
  readonly pieces: BackendPiece[]
  readonly text: string
  readonly end: Extract<BackendPiece, { type: 'end' }>
}

/** Reads a run to its end. */
export async function collect(
  backend: Backend,
  request: BackendRequest,
  signal = new AbortController().signal,
): Promise<Collected> {
  const pieces: BackendPiece[] = []
  for await (const piece of backend.run(request, signal)) pieces.push(piece)
  const end = pieces.at(-1)
  if (end?.type !== 'end') throw new Error('a run ended without an end piece')
  const text = pieces.map((piece) => (piece.type === 'text' ? piece.text : '')).join('')
  return { pieces, text, end }
}

/** The code of the error that a run throws. */
export async function codeOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => 'none',
    (error: MarketError) => error.code,
  )
}

export function backendCompliance(name: string, start: () => Promise<BackendUnderTest>): void {
  describe(`${name}: backend compliance`, () => {
    let under: BackendUnderTest
    beforeAll(async () => {
      under = await start()
    }, 60_000)
    afterAll(() => under.stop())

    it('describes its models', () => {
      for (const model of under.backend.models) {
        expect(model.weightsHash).toHaveLength(32)
        expect(model.contextTokens).toBeGreaterThan(0)
        expect(model.places).toBeGreaterThan(0)
      }
    })

    it('yields the prompt first, growing counts, and one end', async () => {
      const { pieces, end } = await collect(under.backend, { ...under.long, maxTokens: 16 })
      expect(pieces[0]).toMatchObject({ type: 'prompt', cachedPrompt: 0 })
      expect(pieces.filter(({ type }) => type === 'end')).toHaveLength(1)
      const counts = pieces.flatMap((p) => (p.type === 'text' ? [p.completionTokens] : []))
      expect(counts).toEqual([...counts].sort((a, b) => a - b))
      expect(end.finishReason).toBe('length')
      expect(end.usage.completion).toBe(16)
      expect(counts.at(-1)).toBe(16)
      expect(end.usage.prompt).toBeGreaterThan(0)
    })

    it('gives the same answer to the same request', async () => {
      const request = { ...under.long, maxTokens: 24, temperature: 0 }
      const first = await collect(under.backend, request)
      const second = await collect(under.backend, request)
      expect(second.text).toBe(first.text)
      expect(second.end.usage).toEqual(first.end.usage)
      expect(second.end.usage.cachedPrompt).toBe(0)
    })

    it('ends before a stop string', async () => {
      const whole = await collect(under.backend, { ...under.long, maxTokens: 24 })
      const middle = Math.floor(whole.text.length / 2)
      const stop = whole.text.slice(middle, middle + 6)
      const { text, end } = await collect(under.backend, {
        ...under.long,
        maxTokens: 24,
        stop: [stop],
      })
      expect(text).toBe(whole.text.slice(0, whole.text.indexOf(stop)))
      expect(end.finishReason).toBe('stop')
    })

    it('aborts within 100 ms, and counts what was delivered', async () => {
      const abort = new AbortController()
      let delivered = 0
      let abortedMs = 0
      for await (const piece of under.backend.run(under.long, abort.signal)) {
        if (piece.type === 'text') {
          delivered = piece.completionTokens
          if (delivered >= 3 && !abort.signal.aborted) {
            abortedMs = performance.now()
            abort.abort()
          }
        }
        if (piece.type !== 'end') continue
        expect(piece.finishReason).toBe('aborted')
        expect(piece.usage.completion).toBe(delivered)
        expect(performance.now() - abortedMs).toBeLessThan(100)
      }
      expect(delivered).toBeGreaterThanOrEqual(3)
    })

    it('does nothing for a request that is aborted before it begins', async () => {
      const { pieces, end } = await collect(under.backend, under.long, AbortSignal.abort())
      expect(pieces).toHaveLength(1)
      expect(end).toMatchObject({ finishReason: 'aborted', usage: { prompt: 0, completion: 0 } })
    })

    it('delivers nothing that is not paid for', async () => {
      const asked: number[] = []
      const { end, pieces } = await collect(under.backend, {
        ...under.long,
        mayContinue: (tokens) => {
          asked.push(tokens)
          return tokens < 8 ? true : Promise.resolve(false)
        },
      })
      expect(end.finishReason).toBe('unpaid')
      expect(end.usage.completion).toBe(8)
      expect(pieces.filter(({ type }) => type === 'text').length).toBeLessThanOrEqual(8)
      expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    })

    it('waits for the next window and goes on with the same text', async () => {
      const request = { ...under.long, maxTokens: 20, temperature: 0 }
      const whole = await collect(under.backend, request)
      const paid = Promise.withResolvers<boolean>()
      const seen: number[] = []
      let waiting = () => {}
      const atWindow = new Promise<void>((resolve) => {
        waiting = resolve
      })
      const run = (async () => {
        let text = ''
        const mayContinue = (tokens: number) => {
          if (tokens < 5) return true
          waiting()
          return paid.promise
        }
        const pieces = under.backend.run({ ...request, mayContinue }, new AbortController().signal)
        for await (const piece of pieces) {
          if (piece.type !== 'text') continue
          text += piece.text
          seen.push(piece.completionTokens)
        }
        return text
      })()
      await atWindow
      expect(Math.max(...seen)).toBeLessThanOrEqual(5)
      paid.resolve(true)
      expect(await run).toBe(whole.text)
    })

    it('aborts while it waits for payment', async () => {
      const abort = new AbortController()
      const { end } = await collect(
        under.backend,
        {
          ...under.long,
          mayContinue: () => {
            queueMicrotask(() => abort.abort())
            return new Promise<boolean>(() => {})
          },
        },
        abort.signal,
      )
      expect(end).toMatchObject({ finishReason: 'aborted', usage: { completion: 0 } })
    })

    it('serves more jobs than it has places, and frees the place a reader leaves', async () => {
      const places = under.backend.models[0]?.places ?? 1
      for (let left = 0; left <= places; left++) {
        for await (const piece of under.backend.run(under.long, new AbortController().signal)) {
          if (piece.type === 'text') break
        }
      }
      const short = { ...under.long, maxTokens: 8 }
      const all = await Promise.all(
        Array.from({ length: 2 * places + 1 }, () => collect(under.backend, short)),
      )
      for (const { end } of all) expect(end.usage.completion).toBe(8)
    })

    const content = 'Hello!'
    const user = { role: 'user', content } as const
    const refused: [string, Partial<BackendRequest>, string][] = [
      ['a model it does not serve', { model: 'no-such-model' }, 'no-model'],
      ['no messages', { messages: prompt([]) }, 'bad-input'],
      ['an answer at the end', { messages: prompt([{ role: 'assistant', content }]) }, 'bad-input'],
      ['no tokens', { maxTokens: 0 }, 'bad-input'],
      ['a part of a token', { maxTokens: 1.5 }, 'bad-input'],
      ['a temperature above 2', { temperature: 2.1 }, 'bad-input'],
      ['topP of 0', { topP: 0 }, 'bad-input'],
      ['a negative seed', { seed: -1 }, 'bad-input'],
      ['an empty stop string', { stop: [''] }, 'bad-input'],
      ['a stop string too long', { stop: ['x'.repeat(LIMITS.stopLength + 1)] }, 'bad-input'],
      [
        'a message too many',
        { messages: prompt(Array(LIMITS.messages + 1).fill(user)) },
        'bad-input',
      ],
      ['five stop strings', { stop: ['a', 'b', 'c', 'd', 'e'] }, 'bad-input'],
    ]
    it.each(refused)('refuses %s', async (_, change, code) => {
      expect(await codeOf(collect(under.backend, { ...under.long, ...change }))).toBe(code)
    })
  })
}
