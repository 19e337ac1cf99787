/**
 * Virtual time: an event queue that a test or a simulation drives. Nothing passes by itself.
 *
 * Tasks run in the order of their time, and of their creation where times are equal. Between two
 * tasks every promise that is ready runs to its end, so the same program gives the same history.
 * That holds as long as nothing in it waits for real I/O.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import { sleepOn } from './clock.ts'

/** A clock whose time is moved by hand. */
export interface SimulatedClock extends Clock {
  /** Runs everything due within `ms`, in order, and ends at exactly that time. */
  advance(ms: number): Promise<void>
  /** Runs tasks until `condition` holds. Throws `timeout` after `limitMs` of virtual time. */
  runUntil(condition: () => boolean, limitMs: number): Promise<void>
  /** Advances until `promise` is settled, and gives its outcome. Throws `timeout`. */
  settle<T>(promise: Promise<T>, limitMs: number): Promise<T>
  /** Tasks that wait. */
  readonly pending: number
}

interface Task {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

/**
 * A clock in virtual time that starts at the Unix time `startMs`.
 *
 * @example
 * const clock = createSimulatedClock({ startMs: 1_700_000_000_000 })
 * const slept = clock.sleep(60_000)
 * await clock.advance(60_000) // takes no real time
 * await slept
 */
export function createSimulatedClock(options: { startMs: number }): SimulatedClock {
  const tasks = createTaskQueue()
  let driven = false

  const drive = async (condition: () => boolean, endMs: number): Promise<boolean> => {
    if (driven) throw new MarketError('internal', { detail: 'two drivers of one simulated clock' })
    driven = true
    try {
      await turn()
      while (!condition()) {
        if (!tasks.step(endMs)) return false
        await turn()
      }
      return true
    } finally {
      driven = false
    }
  }

  const runUntil = async (condition: () => boolean, limitMs: number) => {
    const endMs = tasks.nowMs + limitMs
    if (await drive(condition, endMs)) return
    tasks.nowMs = endMs
    throw new MarketError('timeout', { limitMs, pending: tasks.live })
  }

  return {
    nowMs: () => options.startMs + Math.floor(tasks.nowMs),
    monotonicMs: () => tasks.nowMs,
    after: tasks.after,
    sleep: (delayMs, signal) => sleepOn(tasks.after, delayMs, signal),
    async advance(ms) {
      const endMs = tasks.nowMs + ms
      await drive(() => false, endMs)
      tasks.nowMs = endMs
    },
    runUntil,
    async settle(promise, limitMs) {
      let settled = false
      const watch = () => {
        settled = true
      }
      promise.then(watch, watch)
      await runUntil(() => settled, limitMs)
      return promise
    },
    get pending() {
      return tasks.live
    },
  }
}

/** Tasks in virtual time, and that time. */
function createTaskQueue() {
  const heap: Task[] = []
  let order = 0
  const queue = {
    nowMs: 0,
    /** Tasks that wait, without the cancelled ones. */
    live: 0,
    after: (delayMs: number, run: () => void): (() => void) => {
      const task: Task = { at: queue.nowMs + Math.max(0, delayMs), order: order++, run }
      queue.live += 1
      push(heap, task)
      return () => {
        if (task.run) queue.live -= 1
        task.run = undefined
      }
    },
    /** Runs the next task due by `endMs`; false where there is none. */
    step: (endMs: number): boolean => {
      for (let task = heap[0]; task !== undefined && task.at <= endMs; task = heap[0]) {
        pop(heap)
        const run = task.run
        if (!run) continue // it was cancelled
        task.run = undefined
        queue.live -= 1
        queue.nowMs = task.at
        run()
        return true
      }
      return false
    },
  }
  return queue
}

/** Lets every promise that is ready run: microtasks are drained before the next immediate. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const before = (a: Task, b: Task) => a.at < b.at || (a.at === b.at && a.order < b.order)

function push(heap: Task[], task: Task): void {
  let at = heap.push(task) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!before(task, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = task
}

function pop(heap: Task[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1
    if (!before(heap[child]!, last)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}
