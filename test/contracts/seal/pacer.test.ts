/**
 * The pacer: one frame at once, then a fixed number a tick, whatever the tokens do.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import {
  PACES,
  type PacedFrame,
  type PacerEvent,
  type PacerState,
  pace,
  startPacer,
} from '../../../contracts/seal/pacer.ts'
import { USED_BYTES } from '../../../contracts/seal/pieces.ts'

const TICK: PacerEvent = { type: 'tick' }
const END: PacerEvent = { type: 'end' }
const bytes = (length: number, value = 1): PacerEvent => ({
  type: 'content',
  bytes: new Uint8Array(length).fill(value),
})

/** Runs events and gives the state, and the frames of each event. */
function run(start: PacerState, events: readonly PacerEvent[]) {
  let state = start
  const frames: PacedFrame[][] = events.map((event) => {
    const step = pace(state, event)
    state = step.state
    return step.frames
  })
  return { state, frames, counts: frames.map((list) => list.length) }
}

const carried = ({ content }: PacedFrame): Bytes => content.subarray(2, 2 + content[1]!)

describe('the pacer', () => {
  it('sends nothing before there is content', () => {
    expect(run(startPacer(1), [TICK, TICK, bytes(0), TICK]).counts).toEqual([0, 0, 0, 0])
  })

  it('sends the first frame at once and alone, also at a higher pace', () => {
    for (const start of PACES) {
      expect(run(startPacer(start), [bytes(5), bytes(5), bytes(5)]).counts).toEqual([1, 0, 0])
    }
  })

  it.each(PACES)('sends %i frames at each tick, with or without content', (start) => {
    const events = [bytes(5), TICK, bytes(20), TICK, TICK, bytes(3), bytes(3), TICK]
    const { counts } = run(startPacer(start), events)
    expect(counts).toEqual([1, start, 0, start, start, 0, 0, start])
  })

  it('lets the end wait for the tick, and marks the last frame of its batch final', () => {
    const { frames, counts, state } = run(startPacer(4), [bytes(5), bytes(9), END, TICK, TICK])
    expect(counts).toEqual([1, 0, 0, 4, 0])
    expect(frames[3]!.map(({ final }) => final)).toEqual([false, false, false, true])
    expect(state.phase).toBe('done')
  })

  it('ends in one final frame where there was never content', () => {
    const { frames, state } = run(startPacer(4), [END, TICK])
    expect(frames[0]!.map(({ final }) => final)).toEqual([true])
    expect(frames[1]).toEqual([])
    expect(state.phase).toBe('done')
  })

  it('shows the same frames for one token a tick and for forty', () => {
    const few = [bytes(9), TICK, bytes(9), TICK, bytes(9), TICK, END, TICK]
    const many = [bytes(9), TICK, bytes(150), TICK, bytes(200), TICK, END, TICK]
    expect(run(startPacer(1), few).counts).toEqual(run(startPacer(1), many).counts)
  })

  it('raises its pace for a long backlog, never lowers it, and stops at 16', () => {
    const at = (length: number) => run(startPacer(1), [bytes(USED_BYTES + length), TICK]).counts[1]
    expect(at(4 * USED_BYTES)).toBe(1)
    expect(at(4 * USED_BYTES + 1)).toBe(4)
    expect(at(16 * USED_BYTES + 1)).toBe(16)
    expect(at(500 * USED_BYTES)).toBe(16)
    const events = [bytes(10 * USED_BYTES), TICK, TICK, TICK, TICK, TICK]
    expect(run(startPacer(1), events).counts).toEqual([1, 4, 4, 4, 4, 4])
  })

  it('bounds its backlog and takes nothing after the end', () => {
    const limit = expect.objectContaining({ code: 'limit-exceeded' })
    const internal = expect.objectContaining({ code: 'internal' })
    const full = bytes(LIMITS.pacedBytes)
    const { state } = run(startPacer(1), [full])
    expect(() => pace(state, full)).toThrow(limit)
    expect(() => run(startPacer(1), [bytes(1), END, bytes(1)])).toThrow(internal)
    expect(() => run(startPacer(1), [END, bytes(1)])).toThrow(internal)
  })

  it('loses, adds and reorders nothing, and has one final frame, the last', () => {
    const event = fc.oneof(
      fc.constant(TICK),
      fc.uint8Array({ maxLength: 3_000 }).map((b): PacerEvent => ({ type: 'content', bytes: b })),
    )
    const paces = fc.constantFrom(...PACES)
    fc.assert(
      fc.property(paces, fc.array(event, { maxLength: 40 }), (start, events) => {
        const ticks: PacerEvent[] = Array.from({ length: 600 }, () => TICK)
        const { frames, state } = run(startPacer(start), [...events, END, ...ticks])
        const all = frames.flat()
        const put = events.flatMap((e) => (e.type === 'content' ? [e.bytes] : []))
        expect(concat(...all.map(carried))).toEqual(concat(...put))
        expect(all.findIndex(({ final }) => final)).toBe(all.length - 1)
        expect(state).toMatchObject({ phase: 'done', backlog: [], backlogBytes: 0 })
      }),
    )
  })
})
