/**
 * Lanes: waiting jobs of a model that any slot fits alike, and in a lane a line of jobs a tenant.
 *
 * Called by `queue.ts`. A freed place is tried once a lane and not once a job.
 * @module
 */
import { heap, moved, type Order, push, remove } from './heap.ts'
import type { Needs } from './slots.ts'
import type { Lane, Line, Place, Tenant, WaitingJob } from './waiting.ts'

const byTurn = ({ job: a }: Place, { job: b }: Place): boolean =>
  a.priority > b.priority || (a.priority === b.priority && a.arrival < b.arrival)
const BY_TURN: Order<Place> = {
  before: byTurn,
  place(place, at) {
    place.turn = at
  },
  placeOf: (place) => place.turn,
}
const BY_COUNTER: Order<Line> = {
  before: (a, b) =>
    a.tenant.counter < b.tenant.counter ||
    (a.tenant.counter === b.tenant.counter && firstOf(a).arrival < firstOf(b).arrival),
  place(line, at) {
    line.place = at
  },
  placeOf: (line) => line.place,
}

const firstOf = (line: Line): WaitingJob => line.jobs.items[0]!.job

/** What decides whether a slot fits; tokens and weights decide only which slot is best. */
export function laneKey({ maxTick, minTier, minMemoryGiB, ...lists }: Needs): string {
  let key = `${maxTick} ${minTier} ${minMemoryGiB}`
  for (const names of [lists.regions, lists.gpus, lists.exclude]) {
    key += ';'
    // With their lengths, names that hold any character stay apart.
    for (const name of names) key += `${name.length}:${name}`
  }
  return key
}

export function newLane(key: string, needs: Needs): Lane {
  return { key, needs, lines: heap(BY_COUNTER), byTenant: new Map(), asked: 0 }
}

/** The line of a tenant in a lane, which may be new and empty. */
export function lineOf(lane: Lane, tenant: Tenant): Line {
  return lane.byTenant.get(tenant) ?? { tenant, lane, jobs: heap(BY_TURN), place: 0 }
}

export function enter(place: Place): void {
  const { line } = place
  const { lane, tenant, jobs } = line
  push(jobs, place)
  if (jobs.items.length > 1) {
    moved(lane.lines, line)
    return
  }
  lane.byTenant.set(tenant, line)
  tenant.lines ??= new Set()
  tenant.lines.add(line)
  push(lane.lines, line)
}

export function leave(place: Place): void {
  const { line } = place
  const { lane, tenant, jobs } = line
  if (jobs.items.length > 1) {
    remove(jobs, place)
    moved(lane.lines, line)
    return
  }
  remove(lane.lines, line)
  remove(jobs, place)
  lane.byTenant.delete(tenant)
  tenant.lines?.delete(line)
}

let questions = 0

/**
 * The next job of some lanes: of the tenant charged least the job whose turn it is; between equals
 * the one that has waited longest.
 *
 * The first line by counter and arrival nearly always holds it. A tenant's turn may be in another
 * lane, where a higher priority arrived later; then the lines before that arrival are visited too.
 */
export function nextOf(lanes: readonly Lane[]): WaitingJob | undefined {
  let line: Line | undefined
  for (const { lines } of lanes) {
    const first = lines.items[0]!
    if (!line || BY_COUNTER.before(first, line)) line = first
  }
  if (!line || lanes.length === 1) return line && firstOf(line)
  questions++
  for (const lane of lanes) lane.asked = questions
  const turn = turnOf(line.tenant)
  return turn === firstOf(line) ? turn : amongEquals(lanes, line.tenant.counter, turn)
}

/** The job, of tenants with this counter, that comes before or is the one found so far. */
function amongEquals(lanes: readonly Lane[], counter: number, found: WaitingJob): WaitingJob {
  let turn = found
  const visit = (lane: Lane, at: number): void => {
    const line = lane.lines.items[at]
    // Nothing below this line has a lesser counter, nor an earlier arrival at the same one.
    if (!line || line.tenant.counter > counter || firstOf(line).arrival >= turn.arrival) return
    const job = turnOf(line.tenant)
    if (job.arrival < turn.arrival) turn = job
    visit(lane, 2 * at + 1)
    visit(lane, 2 * at + 2)
  }
  for (const lane of lanes) visit(lane, 0)
  return turn
}

/** The first job of a tenant over the lanes of this question. */
function turnOf(tenant: Tenant): WaitingJob {
  let turn: Place | undefined
  for (const { lane, jobs } of tenant.lines!) {
    if (lane.asked !== questions) continue
    const place = jobs.items[0]!
    if (!turn || byTurn(place, turn)) turn = place
  }
  return turn!.job
}
