/**
 * Pacing under back-pressure: a reader that stalls, a burst behind it, an end during the stall.
 * What leaves is still whole ticks at the pace, on the clock, and the last frame is final.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { TICK_MS } from '../../../contracts/seal/pacer.ts'
import { decodePieces, type Piece, START_DECODING } from '../../../contracts/seal/pieces.ts'
import { FIRST_FRAME_BYTES, FRAME_BYTES } from '../../../contracts/seal/response.ts'
import { createRunnerWorld, sealFor } from './runnerWorld.ts'

/** Messages that wait in a stalled stream at most: the runner sends no more before they leave. */
const OUTSTANDING = 4

async function begun(options: Parameters<typeof createRunnerWorld>[0]) {
  const world = createRunnerWorld(options)
  const accepted = world.accept('one')
  const { sealed, response } = await sealFor(world, accepted)
  const job = world.job(accepted)
  job.send(sealed)
  await world.clock.advance(0)
  const startMs = world.clock.monotonicMs()
  /** Frames of each message that left, with the tick it left in (the first goes at once). */
  const sent = () =>
    job.left.flatMap(({ atMs, message }) =>
      message.kind.case === 'frames'
        ? [{ afterMs: atMs - startMs, frames: message.kind.value.frames.length }]
        : [],
    )
  const opened = async () => {
    const pieces: Piece[] = []
    let state = START_DECODING
    const finals: boolean[] = []
    for (const frame of job.frames()) {
      const { content, final } = await response.open(frame)
      const decoded = decodePieces(state, content, final)
      state = decoded.state
      finals.push(final)
      pieces.push(...decoded.pieces)
    }
    response.end()
    return { pieces, finals }
  }
  return { world, job, sent, opened }
}

const tokensOf = (pieces: readonly Piece[]) =>
  pieces.reduce((sum, piece) => sum + ('completionTokens' in piece ? piece.completionTokens : 0), 0)

/** Every message on the clock, apart from the first, and of `pace` frames. */
function expectOnTheClock(sent: readonly { afterMs: number; frames: number }[], pace: number) {
  const [first, ...rest] = sent
  expect(first!.frames).toBe(1)
  expect(rest.map(({ afterMs }) => afterMs % TICK_MS)).toEqual(rest.map(() => 0))
  expect(rest.map(({ frames }) => frames)).toEqual(rest.map(() => pace))
}

describe('pacing under back-pressure', () => {
  it('sends on the clock where nothing stalls', async () => {
    const { world, job, sent, opened } = await begun({ tokenMs: 20, answerTokens: 200 })
    await world.clock.settle(job.served, 60_000)
    expectOnTheClock(sent(), 1)
    const { pieces, finals } = await opened()
    expect(tokensOf(pieces)).toBe(200)
    expect(finals.indexOf(true)).toBe(finals.length - 1)
  })

  it('a stalled reader: ticks pass unused, and the clock goes on afterwards', async () => {
    const { world, job, sent, opened } = await begun({ tokenMs: 20, answerTokens: 200 })
    await world.clock.advance(1_000)
    const before = sent().length
    job.stall()
    await world.clock.advance(2_000)
    expect(sent().length).toBe(before)
    const resumedMs = 3_000
    await world.clock.advance(50) // it resumes between two ticks
    job.resume()
    await world.clock.settle(job.served, 60_000)
    // What waited leaves at once, and no more than was allowed to wait; then ticks again.
    const held = sent()
      .filter(({ afterMs }) => afterMs % TICK_MS !== 0)
      .slice(1)
    expect(held.map(({ afterMs }) => afterMs)).toEqual(held.map(() => resumedMs + 50))
    expect(held.length).toBe(OUTSTANDING)
    const after = sent().filter(({ afterMs }) => afterMs > resumedMs + 50)
    expect(after.every(({ afterMs }) => afterMs % TICK_MS === 0)).toBe(true)
    expect(tokensOf((await opened()).pieces)).toBe(200)
  })

  it('a burst behind a stall: the pace rises to whole ticks of it, and never falls', async () => {
    const { world, job, sent, opened } = await begun({ tokenMs: 1, answerTokens: 3_000 })
    await world.clock.advance(150)
    job.stall()
    await world.clock.advance(1_500)
    job.resume()
    await world.clock.settle(job.served, 60_000)
    const paces = sent()
      .slice(1)
      .map(({ frames }) => frames)
    expect(paces).toEqual(paces.toSorted((a, b) => a - b))
    expect(new Set(paces).size).toBeLessThanOrEqual(3)
    expect(Math.max(...paces)).toBeGreaterThan(1)
    expect(tokensOf((await opened()).pieces)).toBe(3_000)
  })

  it('an end during a stall waits for a tick: whole, with the final frame last', async () => {
    const { world, job, sent, opened } = await begun({ tokenMs: 20, answerTokens: 40 })
    await world.clock.advance(300)
    job.stall()
    await world.clock.advance(2_000) // the answer ended at 800
    expect(job.done).toEqual([])
    job.resume()
    await world.clock.settle(job.served, 60_000)
    const last = sent().at(-1)!
    expect(last.afterMs % TICK_MS).toBe(0)
    const { pieces, finals } = await opened()
    expect(tokensOf(pieces)).toBe(40)
    expect(finals.filter(Boolean).length).toBe(1)
    expect(finals.at(-1)).toBe(true)
    expect(job.done).toEqual(['place', 'receipt'])
  })

  it('a reader that never comes back: the engine is paused, what waits is bounded', async () => {
    const text = 'x'.repeat(1_000)
    const { world, job, sent } = await begun({ tokenMs: 1, answerTokens: 4_000, text })
    job.stall()
    await world.clock.advance(3_000)
    const tokens = world.tokens()
    expect(tokens * text.length).toBeLessThan(LIMITS.pacedBytes)
    await world.clock.advance(3_000)
    expect(world.tokens()).toBe(tokens)
    expect(sent().length).toBe(0)
    job.hangUp()
    job.resume()
    await world.clock.settle(job.served, 60_000)
    expect(job.done).toContain('place')
  })

  it('shows two lengths of frames, whatever stalls', async () => {
    const { world, job } = await begun({ tokenMs: 1, answerTokens: 2_000 })
    job.stall()
    await world.clock.advance(700)
    job.resume()
    await world.clock.settle(job.served, 60_000)
    const lengths = new Set(job.frames().map((frame) => frame.length))
    expect([...lengths].sort()).toEqual([FIRST_FRAME_BYTES, FRAME_BYTES].sort())
  })
})
