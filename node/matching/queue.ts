/**
 * The waiting jobs of a pool: bounded, fair among tenants (`tenants.ts`), ordered by priority
 * within one, kept in lanes of equal requirements (`lanes.ts`).
 * @module
 */
import { type Heap, heap, type Order, push, remove as takeOut } from './heap.ts'
import { enter, laneKey, leave, lineOf, newLane, nextOf } from './lanes.ts'
import type { Needs } from './slots.ts'
import type { Tenants } from './tenants.ts'
import type { Lane, Place, WaitingJob } from './waiting.ts'

export interface FairQueue {
  readonly size: number
  has(id: string): boolean
  /** The earliest deadline, or infinity. */
  readonly nextDeadline: number
  push(job: WaitingJob): void
  /** Takes a job out; false where it does not wait. */
  remove(id: string): boolean
  /** The job whose turn it is, of those of a model that `fits` accepts. It stays in the queue. */
  next(model: string, fits: (needs: Needs) => boolean): WaitingJob | undefined
  /** Takes out and gives the job whose deadline is longest past, if any is. */
  takeExpired(now: number): WaitingJob | undefined
}

const BY_DEADLINE: Order<Place> = {
  before: ({ job: a }, { job: b }) =>
    a.deadline < b.deadline || (a.deadline === b.deadline && a.arrival < b.arrival),
  place(place, at) {
    place.dated = at
  },
  placeOf: (place) => place.dated,
}

/** An empty queue. The caller keeps it within its limit. */
export function fairQueue(tenants: Tenants): FairQueue {
  const byId = new Map<string, Place>()
  const models = new Map<string, Map<string, Lane>>()
  const deadlines: Heap<Place> = heap(BY_DEADLINE)
  const fitting: Lane[] = []

  function remove(id: string): boolean {
    const place = byId.get(id)
    if (!place) return false
    const { job, line } = place
    byId.delete(id)
    if (Number.isFinite(job.deadline)) takeOut(deadlines, place)
    leave(place)
    if (line.lane.lines.items.length === 0) {
      const lanes = models.get(job.needs.model)!
      lanes.delete(line.lane.key)
      if (lanes.size === 0) models.delete(job.needs.model)
    }
    tenants.stopsWaiting(line.tenant)
    return true
  }

  return {
    get size() {
      return byId.size
    },
    get nextDeadline() {
      return deadlines.items[0]?.job.deadline ?? Number.POSITIVE_INFINITY
    },
    has: (id) => byId.has(id),
    push(job) {
      const tenant = tenants.of(job.tenant)
      tenants.startsWaiting(tenant)
      const lanes = models.get(job.needs.model) ?? new Map<string, Lane>()
      models.set(job.needs.model, lanes)
      const key = laneKey(job.needs)
      const lane = lanes.get(key) ?? newLane(key, job.needs)
      lanes.set(key, lane)
      const place: Place = { job, line: lineOf(lane, tenant), turn: 0, dated: 0 }
      byId.set(job.id, place)
      if (Number.isFinite(job.deadline)) push(deadlines, place)
      enter(place)
    },
    remove,
    next(model, fits) {
      fitting.length = 0
      for (const lane of models.get(model)?.values() ?? []) if (fits(lane.needs)) fitting.push(lane)
      return nextOf(fitting)
    },
    takeExpired(now) {
      const place = deadlines.items[0]
      if (!place || place.job.deadline > now) return undefined
      remove(place.job.id)
      return place.job
    },
  }
}
