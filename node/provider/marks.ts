/**
 * What has been produced after how many bytes of an answer: looked up when bytes leave, to bill
 * what was delivered and no more. For `job.ts`.
 *
 * A queue that costs the same for each piece however long the reader stalls. States share one list:
 * adding at its end and passing its front changes nothing that an older state sees.
 * @module
 */
import type { TokenUsage } from '../../contracts/money/price.ts'

interface Mark {
  /** Bytes of the answer up to here. */
  readonly at: number
  readonly usage: TokenUsage
}

/** The marks from `first` to `end` of a list; the others are gone, or another state's. */
export interface Marks {
  readonly list: Mark[]
  readonly first: number
  readonly end: number
}

export function startMarks(): Marks {
  return { list: [], first: 0, end: 0 }
}

/** With a mark behind the others; `at` is not below theirs. */
export function addMark({ list, first, end }: Marks, mark: Mark): Marks {
  // What was passed is dropped when it is half of the list: each mark is copied once on average.
  const shared = list.length === end && first <= end / 2
  const own = shared ? list : list.slice(first, end)
  own.push(mark)
  return { list: own, first: shared ? first : 0, end: own.length }
}

/** What the last mark at or before `at` says, which then is the first one kept. */
export function passMarks(marks: Marks, at: number): { marks: Marks; usage?: TokenUsage } {
  const { list, end } = marks
  let { first } = marks
  while (first + 1 < end && list[first + 1]!.at <= at) first++
  const reached = first < end && list[first]!.at <= at
  return reached ? { marks: { ...marks, first }, usage: list[first]!.usage } : { marks }
}

/** Whether nothing was produced yet: the last mark passed is always kept. */
export function hasMarks({ first, end }: Marks): boolean {
  return end > first
}
