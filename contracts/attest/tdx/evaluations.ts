/**
 * Which numbers of Intel's evaluation data were seen, and until when Intel issued each: what tells
 * a rollback from Intel's other track.
 *
 * Intel publishes an early and a standard track at once, and no document says of which it is: only
 * the number (`tcbEvaluationDataNumber`) and the date differ. What Intel still issues after a
 * higher number has come out is no rollback; what ended before it is. README.md has the rule.
 * @module
 */
import { LIMITS } from '../../base/limits.ts'
import { refused } from '../hardware.ts'

/** A number, and the newest date of issue that was seen of it, Unix milliseconds. */
export type Evaluation = readonly [number: number, issueMs: number]

/** Highest number first; each lower one was still issued when those above it were. */
export type Evaluations = readonly Evaluation[]

/**
 * Throws `evidence-rollback` where a higher number was seen that Intel issued when it no longer
 * issued this one.
 */
export function checkEvaluation(
  [number, issueMs]: Evaluation,
  seen: Evaluations,
  of: string,
): void {
  const own = seen.find(([each]) => each === number)?.[1] ?? issueMs
  const lastMs = Math.max(own, issueMs)
  const above = seen.find(([each, atMs]) => each > number && atMs - lastMs >= LIMITS.tcbIssueGapMs)
  if (!above) return
  const facts = { number, seen: above[0], lastIssuedS: lastMs / 1_000 }
  throw refused('evidence-rollback', `the ${of} is older than one seen before`, facts)
}

/** Both records as one. What a higher number has outlived says nothing more, and is left out. */
export function newestEvaluations(one: Evaluations, other: Evaluations): Evaluations {
  const dates = new Map<number, number>()
  for (const [number, issueMs] of [...one, ...other]) {
    dates.set(number, Math.max(issueMs, dates.get(number) ?? issueMs))
  }
  const kept: Evaluation[] = []
  for (const each of [...dates].sort(([a], [b]) => b - a)) {
    const highest = Math.max(...kept.map(([, issueMs]) => issueMs))
    if (highest - each[1] < LIMITS.tcbIssueGapMs) kept.push(each)
  }
  return kept.slice(0, LIMITS.tcbTracks)
}
