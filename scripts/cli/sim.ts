/**
 * `chrysalis sim`: a whole market simulated in one process under a seed, and whether it was sound.
 *
 * Everything around the roles is simulated: time, network, disks, chain and model. The same seed
 * gives the same ledger hash on every machine. Exit code 7 where a rule of the market was broken.
 * @module
 */
import type { Command } from 'commander'
import type { WorldReport } from '../market/simulated.ts'
import { integerOption } from './options.ts'
import { printResult, runVerb } from './output.ts'

interface Flags {
  readonly seed: number
  readonly jobs: number
  readonly json?: boolean
}

const EXAMPLES = `
Examples:
  chrysalis sim --seed 7
  chrysalis sim --seed 7 --jobs 40 --json

Real client, scheduler and two providers; simulated time, network, disks, chain and model. Messages
are lost, two providers and the scheduler crash, a connection is cut. No real money, no real model.`

/** Says what the verb takes. */
export function register(command: Command): void {
  command
    .requiredOption('--seed <integer>', 'the same seed gives the same history', integerOption)
    .option('--jobs <count>', 'jobs that the client submits', integerOption, 200)
    .option('--json', 'print one JSON object instead of text')
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags) => runVerb(flags, () => simulate(flags)))
}

async function simulate(flags: Flags): Promise<void> {
  const { runWorld } = await import('../market/simulated.ts')
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { LIMITS } = await import('../../contracts/base/limits.ts')
  const { seed, jobs } = flags
  if (jobs < 1 || jobs > LIMITS.simulatedJobs) {
    throw new MarketError('bad-input', { field: 'jobs', most: LIMITS.simulatedJobs })
  }
  const report = await runWorld({ seed, jobs })
  const { records: _, ...sums } = report
  if (report.broken.length === 0)
    return printResult(flags, { simulated: true, ...sums }, describe(report))
  throw new MarketError('internal', { seed, broken: report.broken.length, first: report.broken[0] })
}

function describe(report: WorldReport): string[] {
  const { seed, jobs, outcomes, faults, channels, totals } = report
  const seconds = Math.round(report.virtualMs / 1_000)
  const ends = Object.entries(outcomes)
    .sort(([, a], [, b]) => b - a)
    .map(([code, count]) => `${count} ${code}`)
  const books = channels.map(
    ({ payer, payee, deposited, claimed }) =>
      `  ${payer.machine} -> ${payee.machine}: deposited ${deposited}, ` +
      `signed ${payer.cumulative}, spent ${payer.spent}, claimed ${claimed} nanoTON`,
  )
  return [
    `simulated world ${seed}: ${jobs} jobs in ${seconds} s of its time`,
    `jobs        ${ends.join(', ')}`,
    `recovered   ${report.failedOver} failed over, ${report.resumed} continued`,
    `faults      ${faults.brokenConnections} connections broken, ` +
      `${faults.providerCrashes} provider and ${faults.schedulerCrashes} scheduler crashes, ` +
      `${faults.partitions} partition`,
    ...books,
    `chain       minted ${totals.faucet} = balances ${totals.balances} + fees ${totals.fees}`,
    `at stake    at most ${report.highestExposurePer10k / 100} % of an exposure limit`,
    'sound       every rule held',
    `ledger hash ${report.ledgerHash}`,
    `events      ${report.events}`,
  ]
}
