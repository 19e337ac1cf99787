/**
 * The rules of a frame stream over a pipe that the test plays itself, in virtual time.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { concat } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { frameStream } from '../../../node/net/frameStream.ts'
import { createFrameDecoder, encodeFrames } from '../../../node/net/framing.ts'
import type { BytePipe, PipeEvents } from '../../../node/net/pipe.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'

const codes = (code: string) => expect.objectContaining({ code })

function setUp() {
  const clock = createSimulatedClock({ startMs: 0 })
  const seen = { writes: [] as Uint8Array[], paused: false, aborted: undefined as unknown, ends: 0 }
  const play = {
    writable: true,
    holds: false,
    buffered: 0,
    events: undefined as unknown as PipeEvents,
  }
  const pipe: BytePipe = {
    start: (events) => {
      play.events = events
    },
    get writable() {
      return play.writable
    },
    get bufferedBytes() {
      return play.buffered
    },
    write: (bytes) => {
      seen.writes.push(bytes)
      if (play.holds) play.buffered += bytes.length
    },
    pause: () => {
      seen.paused = true
    },
    resume: () => {
      seen.paused = false
    },
    closeWrite: async () => undefined,
    abort: (reason) => {
      seen.aborted = reason
    },
  }
  const onEnd = () => {
    seen.ends += 1
  }
  const stream = frameStream(pipe, { peer: 'p', protocol: '/x/1', clock, limits: LIMITS, onEnd })
  const reader = stream.frames[Symbol.asyncIterator]()
  return { clock, stream, reader, seen, play }
}

describe('frame stream, sending', () => {
  it('joins the frames of one turn into one write', async () => {
    const { clock, stream, seen } = setUp()
    for (let i = 1; i <= 20; i++) void stream.send(new Uint8Array(i))
    expect(seen.writes).toHaveLength(0)
    expect(stream.queuedBytes).toBe(20 * 21 * 0.5 + 20)
    await clock.advance(0)
    expect(seen.writes).toHaveLength(1)
    const frames: Uint8Array[] = []
    createFrameDecoder().push(seen.writes[0]!, frames)
    expect(frames.map(({ length }) => length)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(stream.queuedBytes).toBe(0)
  })

  it('joins no more than its bound, and sends then without waiting for the turn', async () => {
    const { stream, seen } = setUp()
    for (let i = 0; i < LIMITS.coalesceFrames; i++) void stream.send(new Uint8Array(1))
    expect(seen.writes).toHaveLength(1)
  })

  it('send waits above the high-water mark and goes on below it', async () => {
    const { clock, stream, play } = setUp()
    play.writable = false
    let resolved = 0
    const done = () => {
      resolved += 1
    }
    void stream.send(new Uint8Array(LIMITS.sendHighWaterBytes - 10)).then(done)
    await clock.advance(1)
    expect(resolved).toBe(1)
    void stream.send(new Uint8Array(100)).then(done)
    await clock.advance(1)
    expect(resolved).toBe(1)
    play.writable = true
    play.events.drained()
    await clock.advance(1)
    expect([resolved, stream.queuedBytes]).toEqual([2, 0])
  })

  it('progress of any size puts off the stall, standing still does not', async () => {
    const { clock, stream, seen, play } = setUp()
    play.holds = true
    const sent = stream.send(new Uint8Array(100_000))
    const failed = expect(sent).rejects.toEqual(codes('stalled'))
    for (let i = 0; i < 5; i++) {
      await clock.advance(LIMITS.stallMs - 1)
      play.buffered -= 1
      play.events.drained()
    }
    expect(seen.aborted).toBeUndefined()
    // More frames in the queue, or a drain that took nothing, are no progress.
    await clock.advance(LIMITS.stallMs - 1)
    void stream.send(new Uint8Array(1)).catch(() => undefined)
    play.events.drained()
    await clock.advance(2)
    await failed
    expect(seen.aborted).toEqual(codes('stalled'))
    expect(seen.ends).toBe(1)
  })

  it('an idle stream never stalls, and leaves no timer behind', async () => {
    const { clock, stream, seen } = setUp()
    await stream.send(new Uint8Array(10))
    await clock.advance(100 * LIMITS.stallMs)
    expect([seen.aborted, clock.pending]).toEqual([undefined, 0])
  })

  it('close sends what is queued first', async () => {
    const { clock, stream, seen, play } = setUp()
    play.writable = false
    void stream.send(new Uint8Array(10))
    let closed = false
    const closing = stream.close().then(() => {
      closed = true
    })
    await clock.advance(5)
    expect(closed).toBe(false)
    play.writable = true
    play.events.drained()
    await closing
    expect(seen.writes).toHaveLength(1)
    expect(seen.ends).toBe(0)
    play.events.ended()
    expect(seen.ends).toBe(1)
  })
})

describe('frame stream, receiving', () => {
  const frame = (length: number) => encodeFrames([new Uint8Array(length)])

  it('pauses above the high-water mark, resumes below the low one', async () => {
    const { reader, seen, play } = setUp()
    const size = 32 * 1024
    let held = 0
    while (!seen.paused) {
      play.events.data(frame(size))
      held += size
    }
    expect(held).toBeGreaterThan(LIMITS.readHighWaterBytes)
    expect(held).toBeLessThanOrEqual(LIMITS.readHighWaterBytes + size)
    while (held > LIMITS.readLowWaterBytes) {
      expect(seen.paused).toBe(true)
      await reader.next()
      held -= size
    }
    expect(seen.paused).toBe(false)
  })

  it('a frame that drips in is cut off at its deadline, however steady the drip', async () => {
    const { clock, reader, seen, play } = setUp()
    const reading = expect(reader.next()).rejects.toEqual(codes('timeout'))
    const bytes = frame(1_000)
    let at = 0
    while (!seen.aborted && at < 100) {
      play.events.data(bytes.subarray(at, ++at))
      await clock.advance(500)
    }
    await reading
    expect(clock.monotonicMs()).toBe(LIMITS.frameDeadlineMs)
  })

  it('every frame has its own deadline, none runs between frames or while paused', async () => {
    const { clock, seen, play } = setUp()
    for (let i = 0; i < 5; i++) {
      const bytes = frame(100)
      play.events.data(bytes.subarray(0, 50))
      await clock.advance(LIMITS.frameDeadlineMs - 1)
      play.events.data(bytes.subarray(50))
      await clock.advance(3 * LIMITS.frameDeadlineMs)
    }
    // The next frame begins in the same bytes that complete this one: a new deadline.
    play.events.data(frame(100).subarray(0, 50))
    await clock.advance(LIMITS.frameDeadlineMs - 1)
    play.events.data(concat(frame(100).subarray(50), frame(100).subarray(0, 5)))
    await clock.advance(LIMITS.frameDeadlineMs - 1)
    expect(seen.aborted).toBeUndefined()
    play.events.data(frame(100).subarray(5))
    play.events.data(concat(frame(LIMITS.readHighWaterBytes + 1), frame(9).subarray(0, 3)))
    expect(seen.paused).toBe(true)
    await clock.advance(5 * LIMITS.frameDeadlineMs)
    expect(seen.aborted).toBeUndefined()
  })

  it('a bad frame and an end inside a frame abort the stream', async () => {
    for (const spoil of [
      (play: { events: PipeEvents }) => play.events.data(new Uint8Array([0])),
      (play: { events: PipeEvents }) => {
        play.events.data(new Uint8Array([5, 1]))
        play.events.ended()
      },
    ]) {
      const { reader, stream, seen, play } = setUp()
      const reading = expect(reader.next()).rejects.toEqual(codes('bad-frame'))
      spoil(play)
      await reading
      expect(seen.aborted).toEqual(codes('bad-frame'))
      expect(seen.ends).toBe(1)
      await expect(stream.send(new Uint8Array(1))).rejects.toEqual(codes('bad-frame'))
    }
  })

  it('frames that came whole before a break are read before it is told', async () => {
    const { reader, play } = setUp()
    play.events.data(concat(frame(1), frame(2), frame(9).subarray(0, 4)))
    play.events.broken(new Error('reset'))
    expect((await reader.next()).value).toHaveLength(1)
    expect((await reader.next()).value).toHaveLength(2)
    await expect(reader.next()).rejects.toEqual(codes('unreachable'))
    await expect(reader.next()).rejects.toEqual(codes('unreachable'))
  })

  it('leaving a loop ends nothing: the next one goes on', async () => {
    const { stream, play } = setUp()
    play.events.data(concat(frame(1), frame(2), frame(3)))
    play.events.ended()
    const lengths: number[] = []
    for await (const { length } of stream.frames) {
      lengths.push(length)
      break
    }
    for await (const { length } of stream.frames) lengths.push(length)
    expect(lengths).toEqual([1, 2, 3])
  })
})
