/**
 * Fairness among tenants by virtual token counters (VTC, arXiv 2401.00588).
 *
 * Every placing charges the job's expected tokens to its tenant, and the tenant charged least goes
 * first. A tenant that starts to wait is lifted to the least counter of those that wait, so that
 * idling saves nothing up.
 * @module
 */
import { LIMITS } from '../../contracts/base/limits.ts'
import { type Heap, heap, moved, type Order, push, remove } from './heap.ts'
import type { Tenant } from './waiting.ts'

export interface Tenants {
  of(name: string): Tenant
  charge(tenant: Tenant, tokens: number): void
  startsWaiting(tenant: Tenant): void
  stopsWaiting(tenant: Tenant): void
}

const BY_COUNTER: Order<Tenant> = {
  before: (a, b) => a.counter < b.counter,
  place(tenant, at) {
    tenant.place = at
  },
  placeOf: (tenant) => tenant.place,
}

/**
 * The counters of a pool. Two generations bound them: when the younger is full the older, whose
 * tenants were seen longest ago, is forgotten, but for those that wait.
 */
export function tenants(): Tenants {
  let younger = new Map<string, Tenant>()
  let older = new Map<string, Tenant>()
  const waiting: Heap<Tenant> = heap(BY_COUNTER)

  function remember(tenant: Tenant): void {
    younger.set(tenant.name, tenant)
    if (younger.size < LIMITS.fairTenants / 2 + waiting.items.length) return
    const kept = new Map<string, Tenant>()
    for (const each of waiting.items) kept.set(each.name, each)
    older = younger
    younger = kept
  }

  function raise(tenant: Tenant, counter: number): void {
    tenant.counter = counter
    if (tenant.waiting === 0) return
    moved(waiting, tenant)
    for (const line of tenant.lines ?? []) moved(line.lane.lines, line)
  }

  return {
    of(name) {
      const known = younger.get(name)
      if (known) return known
      const tenant = older.get(name) ?? { name, counter: 0, lines: undefined, waiting: 0, place: 0 }
      remember(tenant)
      return tenant
    },
    charge: (tenant, tokens) => raise(tenant, tenant.counter + tokens),
    startsWaiting(tenant) {
      if (tenant.waiting === 0) {
        const least = waiting.items[0]?.counter ?? 0
        if (least > tenant.counter) raise(tenant, least)
        push(waiting, tenant)
      }
      tenant.waiting++
    },
    stopsWaiting(tenant) {
      tenant.waiting--
      if (tenant.waiting > 0) return
      remove(waiting, tenant)
      tenant.lines = undefined
    },
  }
}
