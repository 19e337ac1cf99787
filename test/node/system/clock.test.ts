/**
 * Clocks and randomness, real and simulated.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { createClock } from '../../../node/system/clock.ts'
import { createRandom } from '../../../node/system/random.ts'
import { createSeededRandom } from '../../../node/system/seededRandom.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'

describe('real clock', () => {
  const clock = createClock()

  it('tells the time of this machine and never goes back', () => {
    expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(1_000)
    const first = clock.monotonicMs()
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(first)
  })

  it('runs a task after its delay, at once for zero, and not when cancelled', async () => {
    const seen: string[] = []
    clock.after(20, () => seen.push('later'))
    clock.after(0, () => seen.push('end of turn'))
    clock.after(0, () => seen.push('cancelled'))()
    clock.after(2 ** 40, () => seen.push('too early'))() // setTimeout alone would run it now
    seen.push('now')
    await clock.sleep(40)
    expect(seen).toEqual(['now', 'end of turn', 'later'])
  })

  it('wakes from sleep with the reason of the signal', async () => {
    const reason = new Error('stop')
    const controller = new AbortController()
    const slept = clock.sleep(60_000, controller.signal)
    controller.abort(reason)
    await expect(slept).rejects.toBe(reason)
    await expect(clock.sleep(1, controller.signal)).rejects.toBe(reason)
  })
})

describe('simulated clock', () => {
  it('runs tasks in order of time, then of creation, each at its own time', async () => {
    const clock = createSimulatedClock({ startMs: 1_000 })
    const seen: [string, number][] = []
    const note = (name: string) => () => seen.push([name, clock.nowMs()])
    clock.after(30, note('c'))
    clock.after(10, note('a1'))
    clock.after(10, note('a2'))
    const cancel = clock.after(20, note('never'))
    cancel()
    expect(clock.pending).toBe(3)
    await clock.advance(29)
    expect(seen).toEqual([
      ['a1', 1_010],
      ['a2', 1_010],
    ])
    await clock.advance(1)
    expect(seen.at(-1)).toEqual(['c', 1_030])
    expect([clock.nowMs(), clock.monotonicMs(), clock.pending]).toEqual([1_030, 30, 0])
  })

  it('orders ten thousand tasks as a sorted list would', async () => {
    const clock = createSimulatedClock({ startMs: 0 })
    const random = createSeededRandom('heap')
    const delays = Array.from({ length: 2_000 }, () => random.int(500))
    const seen: number[] = []
    for (const delay of delays) clock.after(delay, () => seen.push(delay))
    await clock.advance(500)
    expect(seen).toEqual([...delays].sort((a, b) => a - b))
  })

  it('lets promises run between tasks', async () => {
    const clock = createSimulatedClock({ startMs: 0 })
    const seen: string[] = []
    void (async () => {
      await clock.sleep(10)
      await Promise.resolve()
      seen.push('continued')
    })()
    clock.after(10, () => seen.push('next task'))
    await clock.advance(10)
    expect(seen).toEqual(['continued', 'next task'])
  })

  it('an hour takes no time', async () => {
    const clock = createSimulatedClock({ startMs: 0 })
    const slept = clock.sleep(3_600_000)
    await clock.settle(slept, 3_600_000)
    expect(clock.monotonicMs()).toBe(3_600_000)
  })

  it('stops at the condition, or at its limit with timeout', async () => {
    const clock = createSimulatedClock({ startMs: 0 })
    let ticks = 0
    const tick = () => {
      ticks += 1
      clock.after(10, tick)
    }
    clock.after(10, tick)
    await clock.runUntil(() => ticks === 5, 1_000)
    expect(clock.monotonicMs()).toBe(50)
    await expect(clock.runUntil(() => false, 100)).rejects.toMatchObject({ code: 'timeout' })
    expect(clock.monotonicMs()).toBe(150)
  })

  it('refuses a second driver', async () => {
    const clock = createSimulatedClock({ startMs: 0 })
    const first = clock.advance(10)
    await expect(clock.advance(10)).rejects.toMatchObject({ code: 'internal' })
    await first
  })
})

describe('randomness', () => {
  it('the real one differs, the seeded one repeats', () => {
    expect(createRandom().bytes(32)).not.toEqual(createRandom().bytes(32))
    const [a, b] = [createSeededRandom(7), createSeededRandom(7)]
    expect(a.bytes(100)).toEqual(b.bytes(100))
    expect(createSeededRandom(8).bytes(32)).not.toEqual(createSeededRandom(7).bytes(32))
  })

  it('a fork does not depend on what was drawn elsewhere', () => {
    const a = createSeededRandom('s')
    const b = createSeededRandom('s')
    a.bytes(1_000)
    expect(a.fork('x').bytes(8)).toEqual(b.fork('x').bytes(8))
    expect(a.fork('x').bytes(8)).not.toEqual(a.fork('y').bytes(8))
  })

  it('is uniform and within bounds', () => {
    const random = createSeededRandom('uniform')
    const counts = new Array<number>(6).fill(0)
    for (let i = 0; i < 60_000; i++) counts[random.int(6)]! += 1
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
    let sum = 0
    for (let i = 0; i < 10_000; i++) sum += random.float()
    expect(Math.abs(sum / 10_000 - 0.5)).toBeLessThan(0.02)
    for (const n of [0, -1, 1.5, 2 ** 49]) expect(() => random.int(n)).toThrow(/integer/)
    expect(() => random.pick([])).toThrow()
  })
})
