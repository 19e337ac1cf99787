/**
 * Cocoon's loop in TypeScript, as its proxy chooses a worker: every record in the order of
 * connecting; full and too dear ones are passed over; the least running jobs times mean service
 * time wins, strictly, so that ties go to who connected first.
 *
 * The mean is the quotient of two sums that decay over 600 s, and both decay on every read: a clock
 * reading and an exponential each. Up to a tenth of a job a second it counts as nothing; records
 * start with the history of a worker 60 % busy, so that the race finds settled means.
 * @module
 */
import { admits, type Contender, type ContenderFactory, type Setup } from '../contender.ts'

export const COCOON: ContenderFactory = {
  name: 'Cocoon (TypeScript)',
  rule: 'cocoon',
  mostSlots: 100_000,
  create: createCocoon,
}

const DECAY_S = 600
const LEAST_RATE = 0.1
const BUSY = 0.6

interface Worker {
  readonly slot: number
  column: number
  tick: number
  capacity: number
  serviceMs: number
  running: number
  readonly jobs: Decaying
  readonly totalMs: Decaying
}

function createCocoon({ models }: Setup): Contender {
  const ofModel = Array.from({ length: models }, () => new Map<number, Worker>())
  const homes = new Map<number, Map<number, Worker>>()
  const known = (slot: number): Worker | undefined => homes.get(slot)?.get(slot)

  return {
    offer(slot, spec) {
      const { column, tick, capacity, serviceMs } = spec
      const home = ofModel[spec.model]!
      const worker = known(slot) ?? newWorker(slot, capacity, serviceMs)
      if (homes.get(slot) !== home) {
        homes.get(slot)?.delete(slot)
        homes.set(slot, home)
        home.set(slot, worker)
      }
      worker.column = column
      worker.tick = tick
      worker.capacity = capacity
      worker.serviceMs = serviceMs
    },
    leave(slot) {
      homes.get(slot)?.delete(slot)
      homes.delete(slot)
    },
    load(slot, running) {
      known(slot)!.running = running
    },
    place(job) {
      let best: Worker | undefined
      let least = Number.POSITIVE_INFINITY
      for (const worker of ofModel[job.model]!.values()) {
        if (worker.running >= worker.capacity || worker.tick > job.maxTick) continue
        if (!admits(job, worker.column)) continue
        const weight = worker.running * meanMs(worker)
        if (weight >= least) continue
        best = worker
        least = weight
      }
      if (!best) return -1
      best.running++
      return best.slot
    },
    finish(slot) {
      const worker = known(slot)!
      if (worker.running > 0) worker.running--
      worker.jobs.add(1)
      worker.totalMs.add(worker.serviceMs)
    },
    bytes: () => 0,
  }
}

function newWorker(slot: number, capacity: number, serviceMs: number): Worker {
  const jobs = (BUSY * capacity * DECAY_S * 1_000) / serviceMs
  return {
    ...{ slot, column: 0, tick: 0, capacity, serviceMs, running: 0 },
    jobs: new Decaying(jobs),
    totalMs: new Decaying(jobs * serviceMs),
  }
}

function meanMs({ jobs, totalMs }: Worker): number {
  const count = jobs.read()
  return count / DECAY_S <= LEAST_RATE ? 0 : totalMs.read() / count
}

class Decaying {
  private value: number
  private atMs = performance.now()

  constructor(value: number) {
    this.value = value
  }

  read(): number {
    const now = performance.now()
    this.value *= Math.exp((this.atMs - now) / (1_000 * DECAY_S))
    this.atMs = now
    return this.value
  }

  add(amount: number): void {
    this.read()
    this.value += amount
  }
}
