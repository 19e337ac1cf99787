/**
 * What to measure waiting against: one queue, first come first served, at the place that is free
 * earliest, knowing every service time; of places free alike, the fastest. Jobs go only where their
 * requirements and price cap allow. Without a strategy, a belief or a word of a provider.
 * @module
 */
import { tierAtLeast } from '../../../contracts/base/tier.ts'
import { type SlotSpec, serviceMs } from './fleet.ts'
import type { Needs, SimJob } from './jobs.ts'
import type { JobRecord } from './plan.ts'

export function leastWork(fleet: readonly SlotSpec[], jobs: readonly SimJob[]): JobRecord[] {
  const machines = fleet.map((spec) => ({ spec, freeAt: new Array<number>(spec.places).fill(0) }))
  return jobs.map((job): JobRecord => {
    const { atMs } = job.request
    let best: (typeof machines)[number] | undefined
    let bestStart = Number.POSITIVE_INFINITY
    for (const machine of machines) {
      if (!allows(job.needs, machine.spec)) continue
      const start = Math.max(atMs, machine.freeAt[0]!)
      const wins = start - bestStart || best!.spec.decodeTps - machine.spec.decodeTps
      if (best && wins >= 0) continue
      best = machine
      bestStart = start
    }
    const base = { job, attempts: 1, lost: 0, ends: 1, cachedBlocks: 0 }
    if (!best) {
      const refusal = job.needs.maxTick === undefined ? 'requirements' : 'price'
      return { ...base, end: 'refused', refusal, startedMs: atMs, endedMs: atMs }
    }
    const endedMs = bestStart + serviceMs(best.spec, job.request)
    occupy(best.freeAt, endedMs)
    return { ...base, end: 'served', startedMs: bestStart, slot: best.spec, endedMs }
  })
}

export function allows(needs: Needs, spec: SlotSpec): boolean {
  return (
    spec.tick <= (needs.maxTick ?? 95) &&
    tierAtLeast(spec.tier, needs.minTier ?? 'simulated') &&
    (needs.regions?.includes(spec.region) ?? true) &&
    (needs.gpus?.includes(spec.gpu) ?? true) &&
    spec.memoryGiB >= (needs.minMemoryGiB ?? 0)
  )
}

/** Takes the place that is free earliest until `endedMs`, keeping the places in order. */
function occupy(freeAt: number[], endedMs: number): void {
  let i = 0
  for (; i + 1 < freeAt.length && freeAt[i + 1]! < endedMs; i++) freeAt[i] = freeAt[i + 1]!
  freeAt[i] = endedMs
}
