/**
 * The waiting jobs of a pool: bounded, fair among tenants, ordered by priority within one.
 *
 * Jobs with the same requirements share a lane, so that a freed place is tried once a lane and not
 * once a job; in a lane each tenant has a line of its jobs. The next job is that of the tenant
 * charged least (`tenants.ts`) among the lines that fit; between equals, the one whose job has
 * waited longest.
 * @module
 */
import { type Heap, heap } from './heap.ts'
import type { Needs } from './slots.ts'
import type { Tenant, Tenants } from './tenants.ts'

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

/** The jobs of one tenant with the same requirements, by turn. */
export interface Line {
  readonly tenant: Tenant
  readonly lane: Lane
  readonly jobs: Heap<Place>
  /** Its place among the lines of its lane. */
  place: number
  /** Tells that the tenant's counter or the first job changed. */
  moved(): void
}

/** A waiting job and where it stands. */
interface Place {
  readonly job: WaitingJob
  readonly line: Line
  turn: number
  dated: number
}

/** The jobs of a model that a slot fits alike. */
interface Lane {
  readonly key: string
  readonly needs: Needs
  readonly lines: Heap<Line>
  readonly byTenant: Map<Tenant, Line>
}

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

const byTurn = ({ job: a }: Place, { job: b }: Place): boolean =>
  a.priority > b.priority || (a.priority === b.priority && a.arrival < b.arrival)
const byDeadline = ({ job: a }: Place, { job: b }: Place): boolean =>
  a.deadline < b.deadline || (a.deadline === b.deadline && a.arrival < b.arrival)
const first = (line: Line): WaitingJob => line.jobs.top!.job
const byCounter = (a: Line, b: Line): boolean =>
  a.tenant.counter < b.tenant.counter ||
  (a.tenant.counter === b.tenant.counter && first(a).arrival < first(b).arrival)

/** An empty queue. The caller keeps it within its limit. */
export function fairQueue(tenants: Tenants): FairQueue {
  const byId = new Map<string, Place>()
  const models = new Map<string, Map<string, Lane>>()
  const deadlines: Heap<Place> = heap('dated', byDeadline)

  function remove(id: string): boolean {
    const place = byId.get(id)
    if (!place) return false
    const { job, line } = place
    byId.delete(id)
    if (Number.isFinite(job.deadline)) deadlines.remove(place)
    leaveLine(place)
    const lanes = models.get(job.needs.model)!
    if (line.lane.lines.size === 0) lanes.delete(line.lane.key)
    if (lanes.size === 0) models.delete(job.needs.model)
    tenants.stopsWaiting(line.tenant)
    return true
  }

  return {
    get size() {
      return byId.size
    },
    get nextDeadline() {
      return deadlines.top?.job.deadline ?? Number.POSITIVE_INFINITY
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
      const line = lane.byTenant.get(tenant) ?? newLine(tenant, lane)
      const place: Place = { job, line, turn: 0, dated: 0 }
      byId.set(job.id, place)
      if (Number.isFinite(job.deadline)) deadlines.push(place)
      enterLine(place)
    },
    remove,
    next(model, fits) {
      const lanes: Lane[] = []
      for (const lane of models.get(model)?.values() ?? []) if (fits(lane.needs)) lanes.push(lane)
      return lanes.length < 2 ? lanes[0] && first(lanes[0].lines.top!) : nextOf(lanes)
    },
    takeExpired(now) {
      const place = deadlines.top
      if (!place || place.job.deadline > now) return undefined
      remove(place.job.id)
      return place.job
    },
  }
}

/** What decides whether a slot fits; tokens and weights decide only which slot is best. */
function laneKey({ maxTick, minTier, minMemoryGiB, regions, gpus, exclude }: Needs): string {
  return JSON.stringify([maxTick, minTier, minMemoryGiB, regions, gpus, exclude])
}

function newLane(key: string, needs: Needs): Lane {
  return { key, needs, lines: heap('place', byCounter), byTenant: new Map() }
}

function newLine(tenant: Tenant, lane: Lane): Line {
  const line: Line = {
    tenant,
    lane,
    jobs: heap('turn', byTurn),
    place: 0,
    moved: () => lane.lines.moved(line),
  }
  return line
}

function enterLine(place: Place): void {
  const { line } = place
  line.jobs.push(place)
  if (line.jobs.size > 1) {
    line.moved()
    return
  }
  line.lane.byTenant.set(line.tenant, line)
  line.tenant.lines ??= new Set()
  line.tenant.lines.add(line)
  line.lane.lines.push(line)
}

function leaveLine(place: Place): void {
  const { line } = place
  if (line.jobs.size > 1) {
    line.jobs.remove(place)
    line.moved()
    return
  }
  line.lane.lines.remove(line)
  line.jobs.remove(place)
  line.lane.byTenant.delete(line.tenant)
  line.tenant.lines?.delete(line)
}

/**
 * The next job of several lanes. Lines are visited by counter, then by the arrival of their first
 * job. A tenant's turn may be in another lane, where a higher priority arrived later; then lines
 * that come before that arrival are visited too.
 */
function nextOf(lanes: readonly Lane[]): WaitingJob | undefined {
  const frontier: { lane: Lane; place: number; line: Line }[] = []
  const visit = (lane: Lane, place: number): void => {
    if (place < lane.lines.size) frontier.push({ lane, place, line: lane.lines.at(place) })
  }
  for (const lane of lanes) visit(lane, 0)
  let turn: WaitingJob | undefined
  let counter = 0
  while (frontier.length > 0) {
    let at = 0
    for (let i = 1; i < frontier.length; i++) {
      if (byCounter(frontier[i]!.line, frontier[at]!.line)) at = i
    }
    const { lane, place, line } = frontier[at]!
    frontier[at] = frontier.at(-1)!
    frontier.pop()
    const later = line.tenant.counter > counter || (turn && first(line).arrival >= turn.arrival)
    if (turn && later) return turn
    counter = line.tenant.counter
    const job = turnOf(line.tenant, lanes)
    if (!turn || job.arrival < turn.arrival) turn = job
    visit(lane, 2 * place + 1)
    visit(lane, 2 * place + 2)
  }
  return turn
}

/** The first job of a tenant over some lanes. */
function turnOf(tenant: Tenant, lanes: readonly Lane[]): WaitingJob {
  let turn: Place | undefined
  for (const line of tenant.lines ?? []) {
    if (!lanes.includes(line.lane)) continue
    const place = line.jobs.top!
    if (!turn || byTurn(place, turn)) turn = place
  }
  return turn!.job
}
