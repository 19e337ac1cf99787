/**
 * Intel's two tracks and a rollback within one: told apart by when Intel last issued a number.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  checkEvaluation,
  type Evaluation,
  type Evaluations,
  newestEvaluations,
} from '../../../../contracts/attest/tdx/evaluations.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { refusal } from '../../../support/refusal.ts'

const DAY = 86_400_000
/** Day `day` at ten, as Intel issues; `minute` later for another document. */
const on = (day: number, minute = 0) => day * DAY + 36_000_000 + minute * 60_000
const early = (day: number): Evaluation => [18, on(day, 40)]
const standard = (day: number): Evaluation => [17, on(day)]

/** What a client keeps that accepts these, one after the other. */
function seeing(...documents: readonly Evaluation[]): Evaluations {
  let seen: Evaluations = []
  for (const each of documents) {
    checkEvaluation(each, seen, 'TCB info')
    seen = newestEvaluations(seen, [each])
  }
  return seen
}
const rollback = refusal('evidence-rollback', 'older than one seen before')

describe('two tracks', () => {
  it('stand beside each other, whichever is seen first', () => {
    for (const documents of [
      [early(1), standard(1)],
      [standard(1), early(1)],
      [early(1), standard(2), early(2), standard(3)],
      [standard(1), early(1), early(1), standard(1)],
    ]) {
      expect(() => seeing(...documents)).not.toThrow()
    }
    expect(seeing(early(1), standard(1))).toEqual([early(1), standard(1)])
  })

  it('a day apart, too, where this client knows that Intel still issues the lower number', () => {
    const seen = seeing(early(5), standard(5))
    expect(() => checkEvaluation(standard(1), seen, 'TCB info')).not.toThrow()
    expect(newestEvaluations(seen, [standard(1)])).toEqual(seen)
  })

  it('of which the standard one shows nothing new is refused until it is renewed', () => {
    const seen = seeing(early(5))
    expect(() => checkEvaluation(standard(4), seen, 'TCB info')).toThrow(rollback)
    expect(() => checkEvaluation(standard(5), seen, 'TCB info')).not.toThrow()
  })
})

describe('a rollback within a track', () => {
  it('is refused from the first day of the new number', () => {
    const seen = seeing([17, on(1)], [17, on(2)], [18, on(3)])
    for (const day of [1, 2]) {
      expect(() => checkEvaluation([17, on(day)], seen, 'TCB info')).toThrow(rollback)
    }
    expect(() => checkEvaluation([18, on(3)], seen, 'TCB info')).not.toThrow()
    expect(() => checkEvaluation([19, on(3)], seen, 'TCB info')).not.toThrow()
  })

  it('is refused in the standard track, after years beside the early one', () => {
    const both = seeing(early(1), standard(1), early(9), standard(9))
    // On day 10 standard moves on to 18 as well: from then on Intel issues no 17.
    const moved = newestEvaluations(both, [[18, on(10)]])
    expect(() => checkEvaluation(standard(9), moved, 'TCB info')).toThrow(rollback)
    expect(moved).toEqual([[18, on(10)]])
  })

  it('is refused in the early track, too, below what standard has', () => {
    const both = seeing([19, on(1, 40)], [17, on(1)])
    const moved = seeing(...both, [20, on(2, 40)], [17, on(2)])
    expect(() => checkEvaluation([19, on(1, 40)], moved, 'TCB info')).toThrow(rollback)
    expect(() => checkEvaluation([17, on(2)], moved, 'TCB info')).not.toThrow()
  })

  it('is one from the limit on, and not a millisecond before', () => {
    const end = on(1)
    const at = (ms: number): Evaluations => [[18, end + ms]]
    const gap = LIMITS.tcbIssueGapMs
    expect(() => checkEvaluation([17, end], at(gap), 'TCB info')).toThrow(rollback)
    expect(() => checkEvaluation([17, end], at(gap - 1), 'TCB info')).not.toThrow()
  })
})

describe('a record', () => {
  it('is the same whichever way round, and bounded', () => {
    const many = Array.from({ length: 9 }, (_, i): Evaluation => [20 - i, on(1, i)])
    expect(newestEvaluations(many, [])).toEqual(many.slice(0, LIMITS.tcbTracks))
    const one = [early(2), standard(2)]
    expect(newestEvaluations(one, [standard(3)])).toEqual(newestEvaluations([standard(3)], one))
    expect(newestEvaluations(one, one)).toEqual(one)
  })
})
