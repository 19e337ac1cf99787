/**
 * Which blocks belong to a history, against sets of ids that are kept one by one.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  BEGINNING,
  continuedAt,
  endedAt,
  type Lineage,
  OPEN,
  simplified,
  unreachable,
} from '../../../node/localnet/lineage.ts'

const SEED = Number(process.env.SEED ?? 20261126)

const idsOf = (lineage: Lineage, last: number): number[] =>
  Array.from({ length: last }, (_, at) => at + 1).filter((id) =>
    lineage.some((range) => range.first <= id && id <= range.last),
  )

describe('a lineage', () => {
  it('ends at a block and goes on from another', () => {
    const ended = endedAt(BEGINNING, 10)
    expect(ended).toEqual([{ first: 1, last: 10 }])
    const on = continuedAt(ended, 21)
    expect(on).toEqual([
      { first: 1, last: 10 },
      { first: 21, last: OPEN },
    ])
    expect(endedAt(on, 10)).toEqual(ended)
    expect(unreachable([on], 30)).toEqual([{ first: 11, last: 20 }])
    expect(unreachable([on, endedAt(BEGINNING, 15)], 30)).toEqual([{ first: 16, last: 20 }])
  })

  it('is one range again when nobody needs to know where it was divided', () => {
    const ended = endedAt(BEGINNING, 10)
    const on = continuedAt(ended, 11)
    expect(simplified([on, ended])).toEqual([on, ended])
    expect(simplified([on])).toEqual([BEGINNING])
  })
})

type Step = { kind: 'append' | 'take' | 'restore' | 'drop'; name: string }

it(`keeps exactly the ids of each history, in few ranges (seed ${SEED})`, () => {
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom('append', 'append', 'append', 'take', 'restore', 'drop'),
    name: fc.constantFrom('a', 'b', 'c'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let all: ReadonlyMap<string, Lineage> = new Map([['', BEGINNING]])
      const model = new Map<string, number[]>([['', []]])
      let nextId = 1
      for (const { kind, name } of steps) {
        const mine = model.get('')!
        if (kind === 'append') model.set('', [...mine, nextId++])
        else if (kind === 'drop') {
          all = new Map([...all].filter(([key]) => key !== name))
          model.delete(name)
        } else if (kind === 'take') {
          const ended = endedAt(all.get('')!, nextId - 1)
          all = new Map([...all, ['', continuedAt(ended, nextId)], [name, ended]])
          model.set(name, mine)
        } else if (all.has(name)) {
          all = new Map([...all, ['', continuedAt(all.get(name)!, nextId)]])
          model.set('', model.get(name)!)
        }
        const simple = simplified([...all.values()])
        all = new Map([...all.keys()].map((key, at) => [key, simple[at]!]))
        const held = unreachable([...all.values()], nextId - 1).flatMap((gap) =>
          idsOf([gap], nextId - 1),
        )
        for (const [key, ids] of model) {
          const found = idsOf(all.get(key)!, nextId - 1).filter((id) => !held.includes(id))
          // An id between two joined ranges was deleted before: nobody has it.
          const known = new Set([...model.values()].flat())
          expect(found.filter((id) => known.has(id))).toEqual(ids)
        }
        expect(all.get('')!.at(-1)!.last).toBe(OPEN)
        expect(all.get('')!.length).toBeLessThanOrEqual(2 * model.size + 1)
      }
    }),
    { seed: SEED, numRuns: 300 },
  )
})
