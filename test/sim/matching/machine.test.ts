/**
 * A simulated slot: places, the line before them, its cache, and what leaving does to its jobs.
 * @module
 */
import FlatQueue from 'flatqueue'
import { describe, expect, it } from 'vitest'
import type { Request } from './arrivals.ts'
import type { SlotSpec } from './fleet.ts'
import { createMachine, type Machine } from './machine.ts'

const SPEC: SlotSpec = {
  name: 's',
  provider: 's',
  tick: 40,
  places: 2,
  line: 8,
  decodeTps: 10,
  prefillTps: 512,
  declaredMs: 1000,
  tier: 'open',
  region: 'eu',
  gpu: 'a100',
  memoryGiB: 80,
  cacheBlocks: 3,
}

/** A machine on a time of its own, and what happened on it. */
function bench(spec: Partial<SlotSpec> = {}) {
  const heap = new FlatQueue<() => void>()
  const happened: string[] = []
  let nowMs = 0
  const machine: Machine = createMachine(
    { ...SPEC, ...spec },
    { now: () => nowMs, at: (ms, act) => heap.push(act, ms), changed: () => {} },
  )
  return {
    machine,
    happened,
    arrive(id: string, blocks: readonly number[] = [0]) {
      const promptTokens = 512 * blocks.length
      const request: Request = { atMs: nowMs, promptTokens, outputTokens: 10, blocks }
      machine.arrive({
        id,
        request,
        started: (atMs, cached) => happened.push(`${id} starts at ${atMs} with ${cached}`),
        ended: (served) => happened.push(`${id} ${served ? 'served' : 'fails'} at ${nowMs}`),
        lost: () => happened.push(`${id} lost at ${nowMs}`),
      })
    },
    run() {
      while (heap.length > 0) {
        nowMs = heap.peekValue()!
        heap.pop()!()
      }
    },
  }
}

describe('a simulated slot', () => {
  it('runs as many jobs as it has places, the others in turn', () => {
    const { arrive, run, happened, machine } = bench()
    for (const id of ['a', 'b', 'c', 'd']) arrive(id)
    expect(machine.load).toBe(4)
    run()
    expect(happened.filter((each) => each.includes('starts'))).toEqual([
      'a starts at 0 with 0',
      'b starts at 0 with 1',
      'c starts at 1000 with 1',
      'd starts at 2000 with 1',
    ])
    expect(machine.load).toBe(0)
  })

  it('finds the blocks it used last, up to the first that is missing', () => {
    const { arrive, run, happened } = bench({ places: 9 })
    arrive('a', [1, 2, 3])
    arrive('b', [1, 2, 9]) // forgets 3
    arrive('c', [1, 3])
    arrive('d', [7, 1]) // nothing before 7
    run()
    const found = happened.filter((each) => each.includes('starts')).map((each) => each.at(-1))
    expect(found).toEqual(['0', '2', '1', '0'])
  })

  it('fails each job so long after its start where it is made to', () => {
    const { arrive, run, happened } = bench({ failsAfterMs: 50 })
    arrive('a')
    run()
    expect(happened).toEqual(['a starts at 0 with 0', 'a fails at 50'])
  })

  it('loses every job, once, when it leaves', () => {
    const { arrive, run, happened, machine } = bench({ places: 1 })
    arrive('a')
    arrive('b')
    machine.leave()
    run()
    expect(happened).toEqual(['a starts at 0 with 0', 'a lost at 0', 'b lost at 0'])
    expect(machine.load).toBe(0)
  })
})
