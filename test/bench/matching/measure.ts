/**
 * Clocks and scales. Throughput is CPU time of the process (its collector's threads included), so
 * that neighbours on the machine do not count; single decisions are wall time, so in their tail
 * they do. What is allocated is exact: growth of the heap, plus what each collection in between
 * freed, as `GCProfiler` reports it (a `PerformanceObserver` hears of none inside one turn).
 * @module
 */
import { GCProfiler } from 'node:v8'
import { collect } from '../../support/heap.ts'

/** Readings that differ by less are the same. */
const SETTLED_BYTES = 1_024

/** CPU nanoseconds of the work. */
export function cpuNs(work: () => void): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) * 1_000
}

/** Bytes that live on the heap and in buffers beside it, once collections change nothing more. */
export async function heldBytes(): Promise<number> {
  for (let last = Number.NaN, same = 0; ; ) {
    collect()
    // Buffers are freed on another thread and counted in a later turn.
    await new Promise((resolve) => setImmediate(resolve))
    const { heapUsed, external } = process.memoryUsage()
    const now = heapUsed + external
    same = Math.abs(now - last) < SETTLED_BYTES ? same + 1 : 0
    if (same === 1) return now
    last = now
  }
}

/** What asking takes. */
let ownBytes: number | undefined

/** Bytes allocated on the heap and in buffers while working. */
export function allocatedBytes(work: () => void): number {
  ownBytes ??= median(Array.from({ length: 5 }, () => allocatedIn(() => {})))
  return Math.max(0, allocatedIn(work) - ownBytes)
}

function allocatedIn(work: () => void): number {
  collect()
  const profiler = new GCProfiler()
  profiler.start()
  const before = process.memoryUsage()
  work()
  const after = process.memoryUsage()
  const { statistics } = profiler.stop()
  const freed = statistics.reduce((sum, { beforeGC, afterGC }) => {
    return sum + beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize
  }, 0)
  return after.heapUsed - before.heapUsed + freed + (after.external - before.external)
}

/** Median milliseconds that reading the clock twice adds to what lies between. */
export function clockMs(): number {
  const taken = new Float64Array(20_000)
  for (let i = 0; i < taken.length; i++) {
    const start = performance.now()
    taken[i] = performance.now() - start
  }
  return quantile(taken.sort(), 0.5)
}

/** Of sorted values. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
