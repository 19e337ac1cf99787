/**
 * The pace of requests to an endpoint that limits their rate, alone in virtual time and through
 * HTTP with a clock whose sleeps are over at once.
 * @module
 */
import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Clock } from '../../../contracts/base/ports.ts'
import { createPace, RATE_JITTER_MS, RATE_MEMORY_MS } from '../../../node/chain/pace.ts'
import { toncenter } from '../../../node/chain/toncenter.ts'
import { createSeededRandom } from '../../../node/system/seededRandom.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'

const SECOND_MS = 1_000

describe('the pace', () => {
  const clock = () => createSimulatedClock({ startMs: 1_700_000_000_000 })

  it('is free until the endpoint refuses, and free again a while later', async () => {
    const time = clock()
    const pace = createPace({ clock: time })
    const turns = async (count: number) => {
      const sinceMs = time.monotonicMs()
      const walk = Promise.all(Array.from({ length: count }, () => pace.turn(sinceMs)))
      await time.settle(walk, LIMITS.chainRateWaitMs)
      return time.monotonicMs() - sinceMs
    }
    expect(await turns(20)).toBe(0)
    pace.refused()
    expect(await turns(5)).toBe(5 * LIMITS.chainRateMs)
    await time.advance(LIMITS.chainRateMs + RATE_MEMORY_MS)
    expect(await turns(20)).toBe(0)
  })

  it('brings requests that were refused together back one a second', async () => {
    const time = clock()
    const random = createSeededRandom(7)
    const pace = createPace({ clock: time, random })
    let [lastMs, refused] = [Number.NEGATIVE_INFINITY, 0]
    const asked: number[] = []
    const request = async () => {
      const sinceMs = time.monotonicMs()
      for (;;) {
        await pace.turn(sinceMs)
        const nowMs = time.monotonicMs()
        if (nowMs - lastMs >= SECOND_MS) {
          lastMs = nowMs
          asked.push(nowMs)
          return
        }
        refused++
        pace.refused()
      }
    }
    const all = Promise.all(Array.from({ length: 30 }, request))
    await time.settle(all, LIMITS.chainRateWaitMs)
    expect(asked).toHaveLength(30)
    expect(refused).toBe(29) // each of the burst once, none of them again
    const gaps = asked.slice(1).map((at, i) => at - asked[i]!)
    expect(new Set(gaps).size).toBeGreaterThan(5)
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(LIMITS.chainRateMs)
      // The first place comes after a wait with its own jitter.
      expect(gap).toBeLessThanOrEqual(LIMITS.chainRateMs + RATE_JITTER_MS)
    }
  })

  it('refuses a place too far off, saying what helps, and ends when aborted', async () => {
    const time = clock()
    const pace = createPace({ clock: time })
    pace.refused(LIMITS.chainRateWaitMs + 1)
    const since = time.monotonicMs()
    await expect(pace.turn(since)).rejects.toMatchObject({
      code: 'chain-unavailable',
      facts: { status: 429 },
      action: expect.stringContaining('CHRYSALIS_TONCENTER_KEY'),
    })
    const other = createPace({ clock: time })
    other.refused()
    const stopper = new AbortController()
    const waiting = other.turn(since, stopper.signal)
    stopper.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })
})

describe('a rate-limited endpoint', () => {
  const READ = '{"id":"1","jsonrpc":"2.0","method":"getMasterchainInfo","params":{}}'
  const SEND = '{"id":"1","jsonrpc":"2.0","method":"sendBoc","params":{"boc":""}}'
  let nowMs: number
  let slept: number[]
  /** When the endpoint may be asked again, and what it says of that. */
  let openAtMs: number
  let retryAfter: string | undefined
  let refused: number
  let endpoint: string
  let stop: () => void
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: () => () => {},
    sleep: async (delayMs) => {
      slept.push(delayMs)
      nowMs += delayMs
    },
  }

  beforeEach(async () => {
    ;[nowMs, slept, openAtMs, retryAfter, refused] = [1_700_000_000_000, [], 0, undefined, 0]
    const server = createServer((request, response) => {
      request.resume()
      if (nowMs >= openAtMs) {
        openAtMs = nowMs + SECOND_MS
        response.end('{"ok":true,"result":1}')
        return
      }
      refused++
      if (retryAfter) response.setHeader('retry-after', retryAfter)
      response.writeHead(429).end('{"ok":false,"result":"Ratelimit exceed","code":429}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`
    stop = () => {
      server.closeAllConnections()
      server.close()
    }
  })
  afterEach(() => stop())

  it('is asked a hundred things at its pace, reads and messages alike', async () => {
    const ask = toncenter({ endpoint, clock })
    for (let i = 0; i < 100; i++) expect(await ask(i % 2 ? SEND : READ)).toContain('"ok":true')
    const tookS = (nowMs - 1_700_000_000_000) / SECOND_MS
    expect(tookS).toBeLessThanOrEqual(100 * (LIMITS.chainRateMs / SECOND_MS))
    expect(refused).toBeLessThanOrEqual(100 / (RATE_MEMORY_MS / SECOND_MS))
  })

  it.each([
    ['seconds', '7'],
    ['a date', new Date(1_700_000_007_000).toUTCString()],
  ])('is asked again when it says, in %s', async (_name, text) => {
    ;[openAtMs, retryAfter] = [nowMs + 7 * SECOND_MS, text]
    expect(await toncenter({ endpoint, clock })(READ)).toContain('"ok":true')
    expect(slept).toEqual([7 * SECOND_MS])
  })

  it.each(['0', 'soon', '-3'])('is left its own pace where it says %j', async (text) => {
    ;[openAtMs, retryAfter] = [nowMs + 1, text]
    await toncenter({ endpoint, clock })(READ)
    expect(slept).toEqual([LIMITS.chainRateMs])
  })

  it('is waited for longer than one that fails, and not for ever', async () => {
    openAtMs = Number.POSITIVE_INFINITY
    const startMs = nowMs
    await expect(toncenter({ endpoint, clock })(READ)).rejects.toMatchObject({
      code: 'chain-unavailable',
      facts: { status: 429 },
    })
    expect(refused).toBeGreaterThan(LIMITS.chainTries)
    expect(nowMs - startMs).toBeLessThanOrEqual(LIMITS.chainRateWaitMs)
    expect(nowMs - startMs).toBeGreaterThan(LIMITS.chainRateWaitMs - LIMITS.chainRateMs)
    // One that asks for more than that is believed at once.
    ;[retryAfter, slept] = ['3600', []]
    await expect(toncenter({ endpoint, clock })(READ)).rejects.toMatchObject({
      facts: { status: 429 },
    })
    expect(slept).toEqual([])
  })
})
