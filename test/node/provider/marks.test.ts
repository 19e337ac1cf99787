/**
 * Marks of an answer, beside the obvious array; and that no piece costs more the longer the others
 * wait.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { NO_USAGE } from '../../../contracts/money/price.ts'
import {
  addMark,
  hasMarks,
  type Marks,
  passMarks,
  startMarks,
} from '../../../node/provider/marks.ts'
import { mulberry32 } from '../../support/fuzz.ts'

const mark = (at: number) => ({ at, usage: { ...NO_USAGE, completion: at } })
const usedBy = (marks: Marks) => marks.list.slice(marks.first, marks.end).map(({ at }) => at)

describe('marks', () => {
  it('are those of an array from which what was passed is cut off', () => {
    const seed = 20261126
    const draw = mulberry32(seed)
    let marks = startMarks()
    let plain: number[] = []
    let [at, sent] = [0, 0]
    for (let i = 0; i < 5_000; i++) {
      at += Math.floor(draw() * 9)
      marks = addMark(marks, mark(at))
      plain.push(at)
      if (draw() < 0.3) sent = Math.min(at, sent + Math.floor(draw() * 60))
      const passed = passMarks(marks, sent)
      const done = plain.findLastIndex((each) => each <= sent)
      expect(passed.usage?.completion, `seed ${seed}, step ${i}`).toBe(plain[done])
      plain = plain.slice(Math.max(0, done))
      marks = passed.marks
      expect(usedBy(marks)).toEqual(plain)
    }
  })

  it('are all there while nothing leaves, in one list that nobody copies', () => {
    let marks = startMarks()
    expect(hasMarks(marks)).toBe(false)
    const { list } = marks
    for (let at = 1; at <= 100_000; at++) marks = passMarks(addMark(marks, mark(at)), 0).marks
    expect(marks.list).toBe(list)
    expect([marks.first, marks.end]).toEqual([0, 100_000])
  })

  it('leave a list at most twice as long as what waits', () => {
    let marks = startMarks()
    for (let at = 1; at <= 10_000; at++) {
      marks = passMarks(addMark(marks, mark(at)), at - 10).marks
      expect(marks.list.length).toBeLessThanOrEqual(2 * (marks.end - marks.first) + 2)
    }
  })

  it('of an older state stay as they were', () => {
    const one = addMark(addMark(startMarks(), mark(1)), mark(2))
    const two = addMark(one, mark(3))
    const other = addMark(one, mark(9))
    expect([usedBy(one), usedBy(two), usedBy(other)]).toEqual([
      [1, 2],
      [1, 2, 3],
      [1, 2, 9],
    ])
  })
})
