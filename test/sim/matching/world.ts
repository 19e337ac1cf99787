/**
 * The simulated world: one heap of happenings over simulated time, machines, and one scheduler or
 * several over the same fleet. Same plan, same outcome.
 * @module
 */
import FlatQueue from 'flatqueue'
import { chanceOf } from './chance.ts'
import type { SlotSpec } from './fleet.ts'
import { createMachine, type Machine } from './machine.ts'
import type { End, JobRecord, Outcome, Plan, Report, Start } from './plan.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'

/** Plays a plan to the end of its last job. */
export function simulate(plan: Plan): Outcome {
  const world = new World(plan)
  world.run()
  return { plan, records: world.records, starts: world.starts }
}

class World {
  readonly records: readonly JobRecord[]
  readonly starts: Start[] = []
  private readonly plan: Plan
  private readonly heap = new FlatQueue<() => void>()
  private readonly machines = new Map<string, Machine>()
  private readonly log: Report[] = []
  private readonly schedulers: readonly Scheduler[]
  private nowMs = 0
  private decisions = 0
  /** Jobs without an end. */
  private open: number

  constructor(plan: Plan) {
    this.plan = plan
    this.open = plan.jobs.length
    const blank = { attempts: 0, lost: 0, ends: 0, startedMs: 0, endedMs: 0, cachedBlocks: 0 }
    this.records = plan.jobs.map((job): JobRecord => ({ job, ...blank }))
    this.schedulers = Array.from({ length: plan.schedulers ?? 1 }, (_, index) =>
      createScheduler({
        index,
        plan,
        log: this.log,
        now: this.now,
        at: this.at,
        machine: (slot) => this.machines.get(slot),
        count: () => ++this.decisions,
        started: (start) => this.starts.push(start),
        finish: (record, end) => this.finish(record, end),
      }),
    )
  }

  run(): void {
    const { fleet, changes = [], seed } = this.plan
    const phases = chanceOf(seed, 'phases')
    for (const spec of fleet) this.join(spec, true, phases.unit())
    for (const change of changes) {
      const phase = phases.unit()
      this.at(change.atMs, () => {
        if ('join' in change) this.join(change.join, false, phase)
        else this.leave(change.leave)
      })
    }
    this.records.forEach((record, i) => {
      // Clients are spread over the schedulers by their position, which says nothing about the job.
      const scheduler = this.schedulers[i % this.schedulers.length]!
      this.at(record.job.request.atMs, () => scheduler.ask(record, []))
    })
    while (this.heap.length > 0) {
      this.nowMs = this.heap.peekValue()!
      this.heap.pop()!()
    }
  }

  private readonly now = (): number => this.nowMs

  private readonly at = (ms: number, act: () => void): void => this.heap.push(act, ms)

  private finish(record: JobRecord, end: End): void {
    record.end = end
    record.ends++
    record.endedMs = this.nowMs
    this.open--
  }

  private join(spec: SlotSpec, known: boolean, phase: number): void {
    const { reports } = this.plan
    const changed = (each: Machine): void => {
      if (reports?.everyMs === 0) this.report(each)
    }
    const machine = createMachine(spec, { now: this.now, at: this.at, changed })
    this.machines.set(spec.name, machine)
    if (reports && reports.everyMs > 0) this.reportEvery(reports.everyMs, phase, machine)
    for (const { role } of this.schedulers) role.offer(spec, known)
  }

  private leave(name: string): void {
    const machine = this.machines.get(name)
    if (!machine) return
    this.machines.delete(name)
    for (const { role } of this.schedulers) role.leave(name)
    machine.leave()
  }

  private reportEvery(everyMs: number, phase: number, machine: Machine): void {
    const again = (): void => {
      if (this.open === 0 || this.machines.get(machine.spec.name) !== machine) return
      this.report(machine)
      this.at(this.nowMs + everyMs, again)
    }
    this.at(this.nowMs + phase * everyMs, again)
  }

  private report({ spec, load }: Machine): void {
    const own = this.plan.reports?.own
      ? this.schedulers.map((each) => each.own(spec.name))
      : undefined
    this.log.push({ atMs: this.nowMs, slot: spec.name, load, own })
    for (const each of this.schedulers) each.watch()
  }
}
