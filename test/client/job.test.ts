/**
 * The job machine under any order of events: money and seal keep their order, every job ends, and
 * nothing happens after the end.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startJob, stepJob } from '../../client/job.ts'
import type { JobEffect, JobEvent, JobState } from '../../client/jobTypes.ts'
import { worstCase } from '../../client/payAhead.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { secret } from '../../contracts/base/secret.ts'
import { DEFAULT_PARAMETERS, type Terms } from '../../contracts/money/price.ts'

const SEED = 20_261_122
const BOUNDS = { promptTokens: 64, maxTokens: 300 }
const TERMS: Terms = { ...DEFAULT_PARAMETERS, tick: 40, fee: 500 }
const error = new MarketError('unreachable')

const attempt = fc.integer({ min: 1, max: 4 })
const usage = fc.record({
  prompt: fc.integer({ min: 0, max: 64 }),
  cachedPrompt: fc.constant(0),
  completion: fc.integer({ min: 0, max: 300 }),
  reasoning: fc.integer({ min: 0, max: 100 }),
})
const said = (text: string) => secret('answer', text)
const content = fc.record({
  text: fc.constantFrom('', 'a', 'b').map(said),
  reasoning: fc.constantFrom('', 'r').map(said),
  usage,
  finishReason: fc.option(fc.constant('stop'), { nil: undefined, freq: 4 }),
  error: fc.option(fc.constant(error), { nil: undefined, freq: 9 }),
  implausible: fc.boolean(),
})
const event: fc.Arbitrary<JobEvent> = fc.oneof(
  fc.record({ type: fc.constant('queued' as const) }),
  fc.record({ type: fc.constant('placed' as const), attempt }),
  fc.record({ type: fc.constant('verified' as const), attempt, terms: fc.constant(TERMS) }),
  fc.record({ type: fc.constant('granted' as const), attempt }),
  fc.record({ type: fc.constant('sealed' as const), attempt }),
  fc.record({ type: fc.constant('unsent' as const), attempt }),
  fc.record({ type: fc.constant('content' as const), content }),
  fc.record({ type: fc.constant('finished' as const) }),
  fc.record({
    type: fc.constant('receiptChecked' as const),
    receipt: fc.record({ charge: fc.constant(5n), disputed: fc.boolean() }),
  }),
  fc.record({ type: fc.constant('settled' as const) }),
  fc.record({
    type: fc.constant('lost' as const),
    attempt,
    error: fc.constant(error),
    mayRetry: fc.boolean(),
  }),
  fc.record({ type: fc.constant('refused' as const), error: fc.constant(error) }),
  fc.record({ type: fc.constant('ended' as const) }),
  fc.record({ type: fc.constant('broken' as const), error: fc.constant(error) }),
  fc.record({ type: fc.constant('abort' as const) }),
  fc.record({
    type: fc.constant('timer' as const),
    name: fc.constantFrom('place' as const, 'frame' as const, 'receipt' as const),
  }),
)

/** Likely events first, so that long lives are reached too: the next honest one, or any. */
function nextHonest(state: JobState): JobEvent {
  const { attempt } = state
  switch (state.phase) {
    case 'placing':
      return { type: 'placed', attempt: attempt + 1 }
    case 'verifying':
      return { type: 'verified', attempt, terms: TERMS }
    case 'paying':
      return { type: 'granted', attempt }
    case 'sealing':
      return { type: 'sealed', attempt }
    case 'streaming': {
      const completion = state.usage.completion + 20
      const finishReason = completion >= 300 ? 'length' : undefined
      if (state.finishReason) return { type: 'finished' }
      const usage = { ...state.usage, prompt: 20, completion }
      return {
        type: 'content',
        content: { text: said('t'), reasoning: said(''), usage, finishReason },
      }
    }
    case 'checking':
      return { type: 'receiptChecked', receipt: { charge: 1n, disputed: false } }
    default:
      return { type: 'settled' }
  }
}

function run(choices: readonly (JobEvent | undefined)[]) {
  let { state, effects } = startJob(BOUNDS, 1_000)
  const log: JobEffect[] = [...effects]
  const steps: { before: JobState; event: JobEvent; effects: readonly JobEffect[] }[] = []
  for (const choice of choices) {
    const event = choice ?? nextHonest(state)
    const before = state
    ;({ state, effects } = stepJob(state, event))
    steps.push({ before, event, effects })
    log.push(...effects)
  }
  return { state, log, steps }
}

/** Absent: the honest next event. */
const choice = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: event },
)
const lives = fc.array(choice, { maxLength: 60, size: 'max' })

describe('the job machine', () => {
  it('keeps its promises in any order of events', () => {
    const seen = { done: 0, failed: 0, again: 0, settled: 0 }
    fc.assert(
      fc.property(lives, (choices) => {
        const { state, log, steps } = run(choices)
        const at = (type: JobEffect['type']) => log.findIndex((effect) => effect.type === type)
        const ends = log.filter(({ type }) => type === 'finish' || type === 'fail')
        // One end, and nothing after it.
        expect(ends.length).toBeLessThanOrEqual(1)
        if (ends.length === 1) expect(log.at(-1)).toBe(ends[0])
        expect(ends.length === 1).toBe(state.phase === 'done' || state.phase === 'failed')
        // Verified before paid, paid before sealed.
        if (at('grant') >= 0) expect(at('verify')).toBeLessThan(at('grant'))
        if (at('seal') >= 0) expect(at('grant')).toBeLessThan(at('seal'))
        // Grants add up to what the state says, never beyond the worst case.
        const granted = log.reduce((sum, e) => (e.type === 'grant' ? sum + e.amount : sum), 0n)
        expect(granted).toBe(state.paid.granted)
        expect(granted).toBeLessThanOrEqual(worstCase(BOUNDS, TERMS))
        // Settled or released at most once, and never both.
        const closed = log.filter(({ type }) => type === 'settle' || type === 'release')
        expect(closed.length).toBeLessThanOrEqual(1)
        if (state.phase === 'done') expect(closed[0]?.type).toBe('settle')
        // Another attempt only before the first frame, and at most two of them.
        const again = log.filter(({ type }) => type === 'again').length
        expect(again).toBeLessThan(LIMITS.attempts)
        for (const step of steps) {
          const retried = step.effects.some(({ type }) => type === 'again')
          if (retried) expect(step.before.begun).toBe(false)
          const emitted = step.effects.some(({ type }) => type === 'emit')
          if (emitted) expect(step.before.ending).toBeUndefined()
        }
        // What was emitted is the answer.
        const text = log
          .map((effect) => (effect.type === 'emit' ? effect.text.reveal() : ''))
          .join('')
        expect(state.text.reveal().startsWith(text)).toBe(true)
        if (state.phase === 'done') expect(text).toBe(state.text.reveal())
        seen.done += Number(state.phase === 'done')
        seen.failed += Number(state.phase === 'failed')
        seen.again += Number(again > 0)
        seen.settled += Number(at('settle') >= 0)
      }),
      { seed: SEED, numRuns: 3_000 },
    )
    // The generator reaches every kind of life, or the above says little.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20)
  })

  it('pays nothing more once the tokens claimed are implausible', () => {
    const claimed = { prompt: 20, cachedPrompt: 0, completion: 200, reasoning: 0 }
    const lie: JobEvent = {
      type: 'content',
      content: { text: said('x'), reasoning: said(''), usage: claimed, implausible: true },
    }
    const honest = [undefined, undefined, undefined, undefined]
    const { steps } = run([...honest, lie, undefined, undefined, undefined])
    const later = steps.slice(4).flatMap(({ effects }) => effects)
    expect(later.some(({ type }) => type === 'grant')).toBe(false)
    const { steps: paid } = run([...honest, undefined, undefined])
    expect(paid.slice(4).flatMap(({ effects }) => effects.map(({ type }) => type))).toContain(
      'grant',
    )
  })

  it('releases the grant where the job is stopped before the request is out', () => {
    const { log } = run([
      undefined,
      undefined,
      undefined,
      { type: 'abort' },
      { type: 'unsent', attempt: 1 },
    ])
    expect(log.slice(-2).map(({ type }) => type)).toEqual(['release', 'fail'])
  })
})

describe('an answer that stops growing', () => {
  const streaming = (): JobState =>
    [
      { type: 'placed', attempt: 1 } as const,
      { type: 'verified', attempt: 1, terms: TERMS } as const,
      { type: 'granted', attempt: 1 } as const,
      { type: 'sealed', attempt: 1 } as const,
    ].reduce((state, each) => stepJob(state, each).state, startJob(BOUNDS, 1_000).state)
  const frame = (text: string, completion: number): JobEvent => {
    const usage = { prompt: 16, cachedPrompt: 0, completion, reasoning: 0 }
    return { type: 'content', content: { text: said(text), reasoning: said(''), usage } }
  }
  const setsTimer = (effects: readonly JobEffect[]) =>
    effects.some((effect) => effect.type === 'timer' && effect.name === 'frame')

  it('is given more time by text, and none by empty frames', () => {
    const begun = stepJob(streaming(), frame('a', 1))
    expect(setsTimer(begun.effects)).toBe(true)
    expect(setsTimer(stepJob(begun.state, frame('b', 2)).effects)).toBe(true)
    expect(setsTimer(stepJob(begun.state, frame('', 1)).effects)).toBe(false)
  })

  it('is stopped as stalled when its time is over, and its receipt is awaited', () => {
    const { state } = stepJob(streaming(), frame('a', 1))
    const stopped = stepJob(state, { type: 'timer', name: 'frame' })
    expect(stopped.state.ending?.code).toBe('stalled')
    expect(stopped.effects).toContainEqual({ type: 'sendAbort' })
  })
})
