/**
 * A scheduler at work: takes jobs from clients, does what its core decides, tries a job again
 * elsewhere when an attempt is lost or fails, reads the reports that have reached it.
 * @module
 */
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Decision } from '../../../node/matching/events.ts'
import type { Machine } from './machine.ts'
import type { End, JobRecord, Plan, Report, Start } from './plan.ts'
import { createRole, type Role } from './role.ts'

export interface SchedulerNeeds {
  readonly index: number
  readonly plan: Plan
  /** Reports of all machines, in order. */
  readonly log: readonly Report[]
  readonly now: () => number
  readonly at: (ms: number, act: () => void) => void
  readonly machine: (slot: string) => Machine | undefined
  /** Numbers the decisions of all schedulers. */
  readonly count: () => number
  readonly started: (start: Start) => void
  readonly finish: (record: JobRecord, end: End) => void
}

export interface Scheduler {
  readonly role: Role
  /** Asks for a place for a job, anywhere but at some providers. */
  ask(record: JobRecord, exclude: readonly string[]): void
  /** Told that there is a new report. */
  watch(): void
  /** Its jobs on a slot. */
  own(slot: string): number
}

interface Asked {
  readonly record: JobRecord
  readonly exclude: readonly string[]
}

export function createScheduler(needs: SchedulerNeeds): Scheduler {
  const { index, plan, now, at, count, finish } = needs
  const asked = new Map<string, Asked>()
  const owned = new Map<string, number>()
  const mixed = Math.imul(plan.seed * 1000 + index + 1, 0x9e3779b1) >>> 0
  const options = { strategy: plan.strategy, salt: mixed, seed: mixed, ...plan.matcher }
  const { believes = true } = plan
  const role: Role = createRole({ options, believes, now, at, decided })
  const own = (slot: string): number => owned.get(slot) ?? 0
  const reader = createReader(needs, role)

  function ask(record: JobRecord, exclude: readonly string[]): void {
    reader.look()
    const id = `${record.job.id}#${record.attempts++}`
    asked.set(id, { record, exclude })
    role.submit(id, record.job, exclude, lastMs(record))
  }

  function decided(decision: Decision): void {
    const known = asked.get(decision.job)!
    const { record } = known
    const number = count()
    if ('queued' in decision) {
      record.queuedAt = number
      reader.watch()
      at(lastMs(record), () => role.pass())
    } else if ('slot' in decision) {
      record.placedAt = number
      send(decision.job, known, needs.machine(decision.slot)!)
    } else {
      asked.delete(decision.job)
      record.refusal = 'refused' in decision ? decision.refused : undefined
      finish(record, 'expired' in decision ? 'expired' : 'refused')
    }
  }

  function send(id: string, { record, exclude }: Asked, to: Machine): void {
    const { spec } = to
    const over = (): void => {
      asked.delete(id)
      owned.set(spec.name, own(spec.name) - 1)
    }
    const again = (): void => {
      if (record.attempts < LIMITS.attempts) ask(record, [...exclude, spec.provider])
      else finish(record, 'failed')
    }
    owned.set(spec.name, own(spec.name) + 1)
    to.arrive({
      id,
      request: record.job.request,
      started(atMs, cachedBlocks) {
        Object.assign(record, { startedMs: atMs, slot: spec, cachedBlocks })
        needs.started({ atMs, slot: spec.name })
      },
      ended(served, tookMs) {
        over()
        role.free(id, spec.name, served ? 'served' : 'failed', tookMs)
        if (served) finish(record, 'served')
        else again()
      },
      lost() {
        over()
        record.lost++
        again()
      },
    })
  }

  return { role, ask, own, watch: reader.watch }
}

/** When a job's patience ends. */
const lastMs = ({ job }: JobRecord): number => job.request.atMs + job.patienceMs

/** Reads reports when the scheduler is about to decide, and as they come while jobs wait. */
function createReader({ index, log, plan, now, at, machine }: SchedulerNeeds, role: Role) {
  const lateMs = plan.reports?.lateMs ?? 0
  let read = 0
  let watching = false

  function look(): void {
    const latest = new Map<string, Report>()
    for (; read < log.length && log[read]!.atMs + lateMs <= now(); read++) {
      latest.set(log[read]!.slot, log[read]!)
    }
    for (const [slot, { load, own }] of latest) {
      if (machine(slot)) role.load(slot, load, own?.[index])
    }
    watch()
  }

  function watch(): void {
    if (watching || role.waiting === 0 || read >= log.length) return
    watching = true
    at(Math.max(now(), log[read]!.atMs + lateMs), () => {
      watching = false
      look()
    })
  }

  return { look, watch }
}
