/**
 * A whole market in one process under a seed: real client, scheduler and two providers over a
 * simulated clock, network, disk and chain, with lost messages, crashes and a partition.
 *
 * The same seed gives the same history, to the last nanoTON: whatever breaks that reads something
 * that no port gave it. `test/sim` holds the world to its rules; `chrysalis sim` prints its report.
 * @module
 */
import { concat, toHex, u64 } from '../../contracts/base/bytes.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
import { walletAddress } from '../../contracts/wrappers/wallet.ts'
import { sleepOn } from '../../node/system/clock.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { createSimulatedClock } from '../../node/system/simulatedClock.ts'
import { findFaults, type Ledger, readLedger } from './world/books.ts'
import { createWorld, peerOf, type World } from './world/build.ts'
import { type FaultCounts, playFaults } from './world/faults.ts'
import { type JobRecord, recordHash, startWorkload } from './world/workload.ts'

export interface WorldOptions {
  readonly seed: number
  /** Default 200. */
  readonly jobs?: number
  /** Probability that a message is lost, and its connection with it. Default 0.0004. */
  readonly lossRate?: number
  readonly logger?: Logger
}

/** What happened in a world, and whether it was sound. */
export interface WorldReport {
  readonly seed: number
  readonly jobs: number
  /** How many jobs ended in which way: `done`, or the code of an error. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly failedOver: number
  readonly resumed: number
  readonly aborted: number
  readonly faults: FaultCounts & { readonly brokenConnections: number }
  readonly channels: Ledger['channels']
  readonly totals: Ledger['totals']
  /** Highest share of an exposure limit that was ever at stake, parts per 10,000. */
  readonly highestExposurePer10k: number
  /** Rules that were broken; empty in a sound world. */
  readonly broken: readonly string[]
  /** SHA-256 over every account on chain, every row of books, every job's end and receipt. */
  readonly ledgerHash: string
  /** Tasks that the clock has run. */
  readonly events: number
  readonly virtualMs: number
  readonly records: readonly JobRecord[]
}

const START_MS = 1_800_000_000_000
/** A world that takes longer than this, in its own time, has a deadlock. */
const MOST_MS = 24 * 3_600_000
const JOBS = 200
/** Each lost message breaks a connection. */
const LOSS_RATE = 0.000_4
/** Time of the workload, per job. */
const JOB_GAP_MS = 1_500
const POLL_MS = 50
const READY_MS = 180_000

/**
 * Plays a world to its end and settles it. Throws `timeout` where it does not come to an end.
 *
 * @example
 * const { ledgerHash, broken } = await runWorld({ seed: 7, jobs: 20 })
 */
export async function runWorld(options: WorldOptions): Promise<WorldReport> {
  const { seed, jobs = JOBS, lossRate = LOSS_RATE, logger = silentLogger } = options
  const simulated = createSimulatedClock({ startMs: START_MS })
  const { clock, events } = counting(simulated)
  const world = createWorld(clock, seed, logger)
  const { records, faults } = await simulated.settle(live(world, jobs, lossRate), MOST_MS)
  const ledger = await simulated.settle(settle(world), MOST_MS)
  const { auditor } = world
  const ended = Object.groupBy(records, ({ outcome }) => outcome)
  const outcomes = Object.entries(ended).map(([code, list]) => [code, list?.length ?? 0] as const)
  const parts = [ledger.hash, recordHash(records), u64(events())]
  return {
    seed,
    jobs,
    outcomes: Object.fromEntries(outcomes),
    failedOver: records.filter(
      ({ outcome, attempts, resumed }) => outcome === 'done' && attempts > 1 && !resumed,
    ).length,
    resumed: records.filter(({ resumed }) => resumed).length,
    aborted: records.filter(({ outcome }) => outcome === 'aborted').length,
    faults: { ...faults, brokenConnections: world.lost() },
    channels: ledger.channels,
    totals: ledger.totals,
    highestExposurePer10k: auditor.highestExposurePer10k(),
    broken: [...auditor.broken, ...findFaults(ledger), ...wrongCharges(world, records)],
    ledgerHash: toHex(sha256(concat(...parts))),
    events: events(),
    virtualMs: clock.monotonicMs(),
    records,
  }
}

/** Everything up to the last job's end. */
async function live(
  world: World,
  jobs: number,
  lossRate: number,
): Promise<{ records: readonly JobRecord[]; faults: FaultCounts }> {
  const { clock, random, network, scheduler, providers, client, sim } = world
  for (const { machine } of [scheduler, client, ...providers]) {
    sim.faucet(walletAddress(machine.keystore.key('wallet').publicKey), 10n * TON)
  }
  await startAll(world)
  network.setLossRate(lossRate)
  const peers = [scheduler, ...providers].map(({ machine }) => peerOf(machine))
  const faults = playFaults(
    {
      clock,
      random: random.fork('faults'),
      scheduler,
      providers,
      cut: (at) => network.cut(peers[0]!, peers[at + 1]!),
      heal: () => network.heal(),
    },
    jobs * JOB_GAP_MS,
  )
  const work = startWorkload(clock, random.fork('work'), { jobs, gapMs: JOB_GAP_MS }, client.role)
  await work.done
  const counts = await faults
  network.setLossRate(0)
  return { records: work.records.flatMap((record) => record ?? []), faults: counts }
}

/** Everybody leaves in order and comes back once, so that all books meet; then all is claimed. */
async function settle(world: World): Promise<Ledger> {
  const { clock, scheduler, providers, client, sim } = world
  await clock.sleep(GRACE_MS)
  await client.stop()
  for (const provider of providers) await provider.stop()
  await scheduler.stop()
  await startAll(world)
  await clock.sleep(GRACE_MS)
  for (const provider of providers) await provider.role()?.settle()
  await scheduler.role()?.settle()
  const holders = [client, scheduler, ...providers].map((party) => ({
    name: party.machine.name,
    store: party.store()!,
    wallet: walletAddress(party.machine.keystore.key('wallet').publicKey),
  }))
  return readLedger(sim.chain(), sim.totals(), holders)
}

/** Late receipts and countersignatures have come by then, or their time is over. */
const GRACE_MS = 60_000

/** Starts everybody; resolves when the client is connected and every provider can be paid. */
async function startAll({ clock, scheduler, providers, client }: World): Promise<void> {
  const role = await scheduler.start()
  for (const provider of providers) await provider.start()
  await client.start()
  const untilMs = clock.monotonicMs() + READY_MS
  const ready = () => role.status().providers.filter(({ payable }) => payable).length
  while (ready() < providers.length && clock.monotonicMs() < untilMs) await clock.sleep(POLL_MS)
}

/** What the application was told a job cost is what its channel was charged, to the nanoTON. */
function wrongCharges({ auditor }: World, records: readonly JobRecord[]): string[] {
  const charged = new Map(
    auditor.charges
      .filter(({ machine }) => machine === 'scheduler')
      .map(({ jobId, amount }) => [jobId, amount]),
  )
  return records.flatMap(({ outcome, resultId, charged: told }) => {
    const amount = charged.get(resultId) ?? 0n
    const right = outcome !== 'done' || amount === told
    return right ? [] : [`job ${resultId} was told ${told} and charged ${amount}`]
  })
}

/** The same clock, counting the tasks that it runs. */
function counting(clock: Clock): { clock: Clock; events: () => number } {
  let events = 0
  const counted: Clock = {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, task) =>
      clock.after(delayMs, () => {
        events++
        task()
      }),
    sleep: (delayMs, signal) => sleepOn(counted.after, delayMs, signal),
  }
  return { clock: counted, events: () => events }
}
