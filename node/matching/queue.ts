/**
 * The waiting jobs of a pool: bounded, fair among tenants, ordered by priority within one.
 *
 * Fairness is by virtual token counters (VTC, arXiv 2401.00588): every placing charges the job's
 * expected tokens to its tenant, and the tenant charged least goes first. A tenant that starts to
 * wait is lifted to the least counter of those that wait, so that idling saves nothing up.
 * @module
 */
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Needs } from './slots.ts'

export interface WaitingJob {
  readonly id: string
  readonly tenant: string
  readonly expectedTokens: number
  readonly priority: number
  /** Counts arrivals: the lower has waited longer. */
  readonly arrival: number
  readonly deadline: number
  readonly needs: Needs
}

export interface FairQueue {
  readonly size: number
  has(id: string): boolean
  /** The earliest deadline, or infinity. */
  readonly nextDeadline: number
  push(job: WaitingJob): void
  /** Takes a job out; false where it does not wait. */
  remove(id: string): boolean
  /** Charges a tenant for a placing. */
  charge(tenant: string, tokens: number): void
  /** The job whose turn it is, of those of a model that `fits` accepts. It stays in the queue. */
  next(model: string, fits: (needs: Needs) => boolean): WaitingJob | undefined
  /** Takes out and gives the job whose deadline is longest past, if any is. */
  takeExpired(now: number): WaitingJob | undefined
}

type Order = (a: WaitingJob, b: WaitingJob) => number
const byTurn: Order = (a, b) => b.priority - a.priority || a.arrival - b.arrival
const byDeadline: Order = (a, b) => compare(a.deadline, b.deadline) || a.arrival - b.arrival

/** An empty queue. The caller keeps it within its limit. */
export function fairQueue(): FairQueue {
  const byId = new Map<string, WaitingJob>()
  const models = new Map<string, Map<string, WaitingJob[]>>()
  const deadlines: WaitingJob[] = []
  const counters = tenantCounters()

  function remove(id: string): boolean {
    const job = byId.get(id)
    if (!job) return false
    byId.delete(id)
    take(deadlines, job, byDeadline)
    const tenants = models.get(job.needs.model)
    const jobs = tenants?.get(job.tenant)
    if (tenants && jobs) {
      take(jobs, job, byTurn)
      if (jobs.length === 0) tenants.delete(job.tenant)
      if (tenants.size === 0) models.delete(job.needs.model)
    }
    counters.stopsWaiting(job.tenant)
    return true
  }

  return {
    get size() {
      return byId.size
    },
    get nextDeadline() {
      return deadlines[0]?.deadline ?? Number.POSITIVE_INFINITY
    },
    has: (id) => byId.has(id),
    push(job) {
      byId.set(job.id, job)
      put(deadlines, job, byDeadline)
      const tenants = models.get(job.needs.model) ?? new Map<string, WaitingJob[]>()
      models.set(job.needs.model, tenants)
      const jobs = tenants.get(job.tenant) ?? []
      tenants.set(job.tenant, jobs)
      put(jobs, job, byTurn)
      counters.startsWaiting(job.tenant)
    },
    remove,
    charge: counters.charge,
    next(model, fits) {
      let turn: WaitingJob | undefined
      let least = 0
      for (const [tenant, jobs] of models.get(model) ?? []) {
        const counter = counters.of(tenant)
        if (turn && counter > least) continue
        const job = jobs.find((waiting) => fits(waiting.needs))
        if (!job || (turn && counter === least && job.arrival > turn.arrival)) continue
        turn = job
        least = counter
      }
      return turn
    },
    takeExpired(now) {
      const job = deadlines[0]
      if (!job || job.deadline > now) return undefined
      remove(job.id)
      return job
    },
  }
}

/**
 * Counters of tenants. Sums of integers below 2^31: exact for four million of the largest jobs, and
 * the same on every machine beyond. Two generations bound them: when the younger is full the older,
 * whose tenants were charged longest ago, is forgotten, but for those that wait.
 */
function tenantCounters() {
  let younger = new Map<string, number>()
  let older = new Map<string, number>()
  const waiting = new Map<string, number>()
  const of = (tenant: string): number => younger.get(tenant) ?? older.get(tenant) ?? 0

  function set(tenant: string, counter: number): void {
    younger.set(tenant, counter)
    if (younger.size < LIMITS.fairTenants / 2 + waiting.size) return
    const kept = new Map<string, number>()
    for (const name of waiting.keys()) kept.set(name, of(name))
    older = younger
    younger = kept
  }

  return {
    of,
    charge: (tenant: string, tokens: number): void => set(tenant, of(tenant) + tokens),
    startsWaiting(tenant: string): void {
      const jobs = waiting.get(tenant) ?? 0
      let least = Number.POSITIVE_INFINITY
      if (jobs === 0) for (const other of waiting.keys()) least = Math.min(least, of(other))
      waiting.set(tenant, jobs + 1)
      if (Number.isFinite(least) && least > of(tenant)) set(tenant, least)
    },
    stopsWaiting(tenant: string): void {
      const jobs = (waiting.get(tenant) ?? 0) - 1
      if (jobs > 0) waiting.set(tenant, jobs)
      else waiting.delete(tenant)
    },
  }
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1 // a difference of two infinities is no number
}

function place(jobs: readonly WaitingJob[], job: WaitingJob, order: Order): number {
  let low = 0
  let high = jobs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (order(jobs[middle]!, job) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function put(jobs: WaitingJob[], job: WaitingJob, order: Order): void {
  jobs.splice(place(jobs, job, order), 0, job)
}

function take(jobs: WaitingJob[], job: WaitingJob, order: Order): void {
  jobs.splice(place(jobs, job, order), 1)
}
