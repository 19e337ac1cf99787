/**
 * A slot as it really is: places, a line before them, a cache of prefixes.
 * @module
 */
import type { Request } from './arrivals.ts'
import { type SlotSpec, serviceMs } from './fleet.ts'

/** One attempt of a job at a slot. */
export interface Attempt {
  readonly id: string
  readonly request: Request
  started(atMs: number, cachedBlocks: number): void
  ended(served: boolean, tookMs: number): void
  /** The slot has gone. */
  lost(): void
}

export interface Machine {
  readonly spec: SlotSpec
  /** Jobs here, in line or running. */
  readonly load: number
  arrive(attempt: Attempt): void
  /** Goes away with everything on it. */
  leave(): void
}

export interface MachineNeeds {
  readonly now: () => number
  readonly at: (ms: number, act: () => void) => void
  /** Told after every change of the load. */
  readonly changed: (machine: Machine) => void
}

export function createMachine(spec: SlotSpec, { now, at, changed }: MachineNeeds): Machine {
  const line: Attempt[] = []
  const running = new Set<Attempt>()
  const cache = prefixCache(spec.cacheBlocks)

  function start(attempt: Attempt): void {
    running.add(attempt)
    const cached = cache.use(attempt.request.blocks)
    const failsAfterMs = now() >= (spec.failsFromMs ?? 0) ? spec.failsAfterMs : undefined
    const fails = failsAfterMs !== undefined
    const tookMs = failsAfterMs ?? serviceMs(spec, attempt.request, cached)
    attempt.started(now(), cached)
    at(now() + tookMs, () => {
      if (!running.delete(attempt)) return // went away with its slot
      const next = line.shift()
      if (next) start(next)
      changed(machine)
      attempt.ended(!fails, tookMs)
    })
  }

  const machine: Machine = {
    spec,
    get load() {
      return running.size + line.length
    },
    arrive(attempt) {
      if (running.size < spec.places) start(attempt)
      else line.push(attempt)
      changed(machine)
    },
    leave() {
      const all = [...running, ...line.splice(0)]
      running.clear()
      for (const attempt of all) attempt.lost()
    },
  }
  return machine
}

/** The least recently used blocks go first. A block counts as a hit only after all before it. */
function prefixCache(capacity: number) {
  const blocks = new Set<number>() // in order of use
  return {
    /** How many leading blocks were there; then all of them are, as far as there is room. */
    use(ids: readonly number[]): number {
      let hits = 0
      while (hits < ids.length && blocks.has(ids[hits]!)) hits++
      for (const id of ids) {
        blocks.delete(id)
        blocks.add(id)
      }
      for (const id of blocks) {
        if (blocks.size <= capacity) break
        blocks.delete(id)
      }
      return hits
    },
  }
}
