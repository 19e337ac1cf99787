/**
 * What goes wrong in a simulated world besides lost messages: providers and the scheduler crash and
 * come back, and a connection is cut for a while. All by seed, and each crash where it hurts: while
 * a job is running and a write is on its way to the disk.
 * @module
 */
import type { Clock } from '../../../contracts/base/ports.ts'
import type { Provider } from '../../../node/provider/provider.ts'
import type { Scheduler } from '../../../node/scheduler/scheduler.ts'
import type { SeededRandom } from '../../../node/system/seededRandom.ts'
import { COMMIT_MS } from './machine.ts'
import type { Party } from './parties.ts'

/** Counts of what really happened. */
export interface FaultCounts {
  providerCrashes: number
  schedulerCrashes: number
  /** Jobs that were running in the process that crashed. */
  jobsHit: number
  partitions: number
}

export interface FaultTargets {
  readonly clock: Clock
  readonly random: SeededRandom
  readonly scheduler: Party<Scheduler>
  readonly providers: readonly Party<Provider>[]
  /** Cuts scheduler and one provider apart, or joins them again. */
  cut(provider: number): void
  heal(): void
}

const POLL_MS = 20
/** After so long without a running job, a crash comes anyway. */
const PATIENCE_MS = 20_000
const WRITE_MS = 1_000

/** Plays all faults over `spanMs` (a multiple of 20); resolves when all parties run again. */
export async function playFaults(targets: FaultTargets, spanMs: number): Promise<FaultCounts> {
  const { clock, random } = targets
  const counts: FaultCounts = { providerCrashes: 0, schedulerCrashes: 0, jobsHit: 0, partitions: 0 }
  const startMs = clock.monotonicMs()
  const until = (parts: number) =>
    clock.sleep(startMs + (spanMs * parts) / 100 + random.int(spanMs / 20) - clock.monotonicMs())
  const anyProvider = () => crashProvider(targets, random.int(targets.providers.length), counts)
  const scheduler = () => crashScheduler(targets, counts)
  const cutting = until(55).then(() => partition(targets, counts))
  // One crash after the other, however short the span: a machine that is down cannot crash again.
  for (const [parts, crash] of [
    [10, anyProvider],
    [25, scheduler],
    [40, anyProvider],
    [60, scheduler],
    [75, anyProvider],
    [90, scheduler],
  ] as const) {
    await until(parts)
    await crash()
  }
  await cutting
  return counts
}

async function crashProvider(targets: FaultTargets, which: number, counts: FaultCounts) {
  const party = targets.providers[which]!
  const running = () =>
    (party.role()?.status().slots ?? []).reduce((sum, slot) => sum + slot.running, 0)
  counts.jobsHit += await whileRunning(targets.clock, running)
  counts.providerCrashes++
  await crashAndReturn(targets, party)
}

async function crashScheduler(targets: FaultTargets, counts: FaultCounts) {
  const party = targets.scheduler
  counts.jobsHit += await whileRunning(targets.clock, () => party.role()?.status().openJobs ?? 0)
  counts.schedulerCrashes++
  await crashAndReturn(targets, party)
}

async function partition(
  { clock, random, providers, cut, heal }: FaultTargets,
  counts: FaultCounts,
) {
  counts.partitions++
  cut(random.int(providers.length))
  await clock.sleep(2_000 + random.int(8_000))
  heal()
}

/** Waits for a moment at which jobs are running; gives how many. */
async function whileRunning(clock: Clock, running: () => number): Promise<number> {
  const untilMs = clock.monotonicMs() + PATIENCE_MS
  while (running() === 0 && clock.monotonicMs() < untilMs) await clock.sleep(POLL_MS)
  return running()
}

/** Crashes while something is on its way to the disk, where jobs that run write at all. */
async function crashAndReturn({ clock, random }: FaultTargets, party: Party<unknown>) {
  const { machine } = party
  const [before, untilMs] = [machine.writes(), clock.monotonicMs() + WRITE_MS]
  while (machine.writes() === before && clock.monotonicMs() < untilMs) await clock.sleep(1)
  await clock.sleep(random.int(COMMIT_MS))
  party.crash(random.chance(0.5) ? 'lost' : 'kept')
  await clock.sleep(500 + random.int(4_000))
  await party.start()
}
