/**
 * The scheduler's job machine keeps its promises in any order of events: no effect after the end,
 * every matched place freed once, three attempts at most, nothing forwarded before the request.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { NO_USAGE } from '../../../contracts/money/price.ts'
import { startJob, stepJob } from '../../../node/scheduler/job.ts'
import {
  type JobEffect,
  type JobEvent,
  type JobState,
  TIMERS,
} from '../../../node/scheduler/jobTypes.ts'

const place = (provider: string) => ({ slot: `${provider}/s`, provider })
const bytes = new Uint8Array(1)
const frames: JobEvent = { type: 'frames', frames: [bytes], billed: NO_USAGE }
const finished: JobEvent = { type: 'finished', receipt: bytes, signature: bytes }
const request: JobEvent = { type: 'request', bytes }

const anyEvent: fc.Arbitrary<JobEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 9 }).map(matched) },
  { weight: 6, arbitrary: fc.constantFrom<JobEvent>({ type: 'accepted' }, request, frames) },
  fc.constantFrom<JobEvent>(
    { type: 'queued' },
    { type: 'forwarded' },
    finished,
    { type: 'again' },
    { type: 'abort' },
    { type: 'clientGone' },
    { type: 'refused', code: 'price', facts: {} },
  ),
  fc
    .constantFrom('busy', 'provider-lost', 'cannot-open', 'no-funds', 'stalled')
    .map((code): JobEvent => ({ type: 'attemptFailed', code: code as 'busy' })),
  fc.constantFrom(...TIMERS).map((name): JobEvent => ({ type: 'timer', name })),
)

function matched(n: number): JobEvent {
  return { type: 'matched', place: place(`p${n}`) }
}

/** Plays events; gives each step's effects. */
function play(events: readonly JobEvent[]): { state: JobState; effects: JobEffect[][] } {
  const first = startJob([])
  let { state } = first
  const effects: JobEffect[][] = [[...first.effects]]
  for (const event of events) {
    const step = stepJob(state, event)
    state = step.state
    effects.push([...step.effects])
  }
  return { state, effects }
}

const types = (effects: readonly JobEffect[]) => effects.map(({ type }) => type)
const running: JobEvent[] = [matched(1), { type: 'accepted' }, request]

describe('in any order of events', () => {
  const check = (rule: (events: readonly JobEvent[]) => void) =>
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 40 }), rule), { numRuns: 2_000 })

  it('nothing is done after the end but giving back a place that came too late', () => {
    check((events) => {
      const { effects } = play(events)
      const end = effects.findIndex((step) => types(step).includes('end'))
      const after = end < 0 ? [] : effects.slice(end + 1).flat()
      expect(after.every((effect) => effect.type === 'free' && effect.end === 'unused')).toBe(true)
      expect(effects.flat().filter(({ type }) => type === 'end').length).toBeLessThanOrEqual(1)
    })
  })

  it('every place that was matched is freed once, or still held', () => {
    check((events) => {
      const { state, effects } = play(events)
      const taken = events.filter(({ type }) => type === 'matched').length
      const freed = effects.flat().filter(({ type }) => type === 'free').length
      expect(freed).toBe(taken - (state.place ? 1 : 0))
    })
  })

  it('at most three attempts are made, never on a provider that was lost', () => {
    check((events) => {
      const { effects } = play(events)
      const asked = effects.flat().filter((effect) => effect.type === 'match')
      expect(asked.length).toBeLessThanOrEqual(LIMITS.attempts)
      asked.forEach(({ excluded }, at) => {
        expect(excluded).toHaveLength(at)
      })
    })
  })

  it('nothing is forwarded before the request, and no receipt settled without it', () => {
    check((events) => {
      const flat = play(events).effects.flat()
      const sent = flat.findIndex(({ type }) => type === 'forwardRequest')
      const early = flat.slice(0, sent < 0 ? undefined : sent)
      expect(early.some(({ type }) => type === 'forwardFrames' || type === 'settle')).toBe(false)
    })
  })

  it('a job is settled or forgiven, once, and then it has ended', () => {
    check((events) => {
      const { state, effects } = play(events)
      const closed = effects.flat().filter(({ type }) => type === 'settle' || type === 'forgiveJob')
      expect(closed.length).toBe(state.phase === 'ended' ? 1 : 0)
    })
  })
})

describe('a job', () => {
  it('is placed, forwarded and settled', () => {
    const { state, effects } = play([...running, frames, { type: 'forwarded' }, finished])
    expect(state.phase).toBe('ended')
    expect(effects.at(-1)).toContainEqual(expect.objectContaining({ type: 'free', end: 'served' }))
    expect(types(effects.at(-1)!)).toContain('settle')
  })

  it('fails over before the first frame and not after it', () => {
    const lost: JobEvent = { type: 'attemptFailed', code: 'provider-lost' }
    const early = play([...running, lost])
    expect(early.state.phase).toBe('lost')
    expect(early.effects.at(-1)).toContainEqual(expect.objectContaining({ mayRetry: true }))
    const late = play([...running, frames, lost])
    expect(late.state.phase).toBe('ended')
    expect(late.effects.at(-1)).toContainEqual(expect.objectContaining({ mayRetry: false }))
  })

  it('is charged to the slow client, not to the provider, where a frame is not taken', () => {
    const { state, effects } = play([...running, frames, { type: 'timer', name: 'forward' }])
    expect(state.aborting).toBe('gone')
    expect(types(effects.at(-1)!)).toEqual(expect.arrayContaining(['dropClient', 'abortProvider']))
    const ended = play([...running, frames, { type: 'timer', name: 'forward' }, finished])
    expect(ended.effects.at(-1)).toContainEqual(
      expect.objectContaining({ type: 'free', end: 'unused' }),
    )
    expect(types(ended.effects.at(-1)!)).toContain('settle')
  })

  it('does not let frames extend the deadline of an aborted job', () => {
    const { effects } = play([...running, { type: 'abort' }, frames])
    expect(types(effects.at(-1)!)).toEqual(['forwardFrames'])
    const gone = play([...running, { type: 'clientGone' }, frames])
    expect(gone.effects.at(-1)).toEqual([])
  })

  it('does not blame a provider for what a client or the own leg did', () => {
    const end = (code: 'no-funds' | 'cannot-open' | 'provider-lost') => {
      const { effects } = play([...running, { type: 'attemptFailed', code }])
      return effects.flat().find((effect) => effect.type === 'free')?.end
    }
    expect(end('no-funds')).toBe('unused')
    expect(end('cannot-open')).toBe('suspect')
    expect(end('provider-lost')).toBe('failed')
  })

  it('tells the loss, not the empty pool, when no second provider is found', () => {
    const { effects } = play([
      matched(1),
      { type: 'attemptFailed', code: 'busy' },
      { type: 'refused', code: 'requirements', facts: {} },
    ])
    expect(effects.at(-1)).toContainEqual({
      type: 'tellRefused',
      code: 'no-provider',
      facts: { attempts: 1, last: 'busy' },
    })
  })
})
