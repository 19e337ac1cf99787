/**
 * The measured loop. It allocates nothing: streams, ring, records and results exist beforehand.
 *
 * Each contender gets an instance of this module of its own (`fresh.ts`): in a shared one the call
 * to `place` would see every contender's type and none could be inlined, so that whoever came first
 * would win. The ring remembers when a job was placed: jobs of a slot that left end with it.
 * @module
 */
import type { Contender, JobSpec, SlotSpec } from './contender.ts'
import { blankSpec } from './fleet.ts'
import { blankJob, readJob } from './jobs.ts'
import { CHANGE, type Workload } from './workload.ts'

export interface Course {
  readonly contender: Contender
  readonly work: Workload
  /** Slots of the jobs in flight, -1 where none. */
  readonly ring: Int32Array
  /** Step at which they were placed. */
  readonly since: Int32Array
  /** Step at which a slot left last. */
  readonly left: Int32Array
  /** The answer of every step so far. */
  readonly fills: Int32Array
  readonly job: JobSpec
  readonly spec: SlotSpec
  at: number
  changes: number
}

/** A course that starts from a settled state (`settle.ts`). */
export function courseOf(contender: Contender, work: Workload, ring: Int32Array): Course {
  return {
    contender,
    work,
    ring: ring.slice(),
    since: new Int32Array(ring.length),
    left: new Int32Array(work.setup.slots),
    fills: new Int32Array(work.steps),
    job: blankJob(),
    spec: blankSpec(),
    at: 0,
    changes: 0,
  }
}

export function run(course: Course, count: number): void {
  const { work, fills } = course
  const { churn } = work
  const end = course.at + count
  for (let step = course.at; step < end; step++) {
    while (course.changes < churn.count && churn.at[course.changes]! <= step) change(course, step)
    fills[step] = decide(course, step)
  }
  course.at = end
}

/** Decisions only, without what changes in the fleet meanwhile: other fills than those of `run`. */
export function runCalm(course: Course, count: number): void {
  const end = course.at + count
  for (let step = course.at; step < end; step++) course.fills[step] = decide(course, step)
  course.at = end
}

/** Like `run`, and writes the milliseconds of each decision, the clock's own cost included. */
export function time(course: Course, count: number, into: Float64Array, from: number): void {
  const { work, fills } = course
  const { churn } = work
  for (let i = 0; i < count; i++) {
    const step = course.at + i
    while (course.changes < churn.count && churn.at[course.changes]! <= step) change(course, step)
    const start = performance.now()
    const slot = decide(course, step)
    into[from + i] = performance.now() - start
    fills[step] = slot
  }
  course.at += count
}

/** One decision: a job ends, and the next is placed. */
function decide(course: Course, step: number): number {
  const { contender, work, ring, since, left, job } = course
  const place = work.ends[step]!
  const ending = ring[place]!
  if (ending >= 0 && since[place]! >= left[ending]!) contender.finish(ending)
  readJob(work.jobs, step, job)
  const slot = contender.place(job)
  ring[place] = slot
  since[place] = step
  return slot
}

function change(course: Course, step: number): void {
  const { contender, work, left, spec } = course
  const { churn } = work
  const row = course.changes++
  const slot = churn.slot[row]!
  switch (churn.kind[row]) {
    case CHANGE.leave:
      left[slot] = step
      contender.leave(slot)
      break
    case CHANGE.load:
      contender.load(slot, churn.running[row]!)
      break
    default:
      churn.specs.readInto(row, spec)
      contender.offer(slot, spec)
  }
}
