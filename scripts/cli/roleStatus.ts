/**
 * `chrysalis provider status` and `chrysalis scheduler status`: what the role that runs on this
 * machine says of itself, read from its status server.
 * @module
 */
import type { Command } from 'commander'
import { formatTon, parseNano } from '../../contracts/base/units.ts'
import { portOption } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'

interface StatusOptions extends CommonOptions {
  readonly port: number
}

type RoleName = 'provider' | 'scheduler'
type Fields = Readonly<Record<string, unknown>>

/** Adds `status` to a role's command. `port` is where its status server is by default. */
export function addRoleStatus(command: Command, role: RoleName, port: number): void {
  command
    .command('status')
    .description(`Show what the ${role} running on this machine says of itself.`)
    .option('--port <n>', 'its status port', portOption, port)
    .option('--json', 'print one JSON object instead of text')
    .addHelpText(
      'after',
      `\nExamples:\n  chrysalis ${role} status\n  chrysalis ${role} status --port ${port} --json\n`,
    )
    .action((options: StatusOptions) => runVerb(options, () => show(role, options)))
}

async function show(role: RoleName, options: StatusOptions): Promise<void> {
  const status = await ask(role, options.port)
  printResult(options, { status }, role === 'provider' ? ofProvider(status) : ofScheduler(status))
}

async function ask(role: RoleName, port: number): Promise<Fields> {
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { LIMITS } = await import('../../contracts/base/limits.ts')
  const url = `http://127.0.0.1:${port}/status`
  const action = `Start it with \`chrysalis ${role} start\`, or name its status port with --port.`
  try {
    const response = await fetch(url, {
      redirect: 'error',
      signal: AbortSignal.timeout(LIMITS.dialMs),
    })
    if (response.ok) return (await response.json()) as Fields
    throw new MarketError('unreachable', { url, status: response.status }, { action })
  } catch (cause) {
    if (cause instanceof MarketError) throw cause
    throw new MarketError('unreachable', { url }, { cause, action })
  }
}

function ofProvider(status: Fields): string[] {
  const connected = list(status.schedulers).filter((each) => each.connected === true)
  return [
    `provider   ${status.identity}`,
    `tier       ${status.tier}`,
    `connected  to ${connected.length} of ${list(status.schedulers).length} schedulers`,
    ...list(status.slots).map(
      (slot) =>
        `serves     ${slot.model} at tick ${slot.tick}, ${slot.running} of ${slot.places} places`,
    ),
    ...(status.engine === undefined ? [] : [`engine     ${status.engine}`]),
    `jobs       ${status.jobs}`,
    `earned     ${ton(status.earned)} TON, of it claimed ${ton(status.claimed)}`,
    ...list(status.jettons).map(
      ({ asset, earned, claimed }) =>
        `           ${earned} base units of ${asset}, of it claimed ${claimed}`,
    ),
  ]
}

function ofScheduler(status: Fields): string[] {
  const channels = list(status.clientChannels)
  const ofTon = channels.filter(({ asset }) => asset === 'ton')
  const sum = (field: string) =>
    formatTon(ofTon.reduce((total, each) => total + nano(each[field]), 0n))
  return [
    `scheduler  ${status.identity}`,
    ...(Array.isArray(status.addresses) ? status.addresses : []).map(
      (each) => `address    ${each}`,
    ),
    ...list(status.providers).map(
      (each) => `provider   ${each.identity}${each.payable ? '' : ' (not payable yet)'}`,
    ),
    ...list(status.slots).map(
      (slot) => `slot       ${slot.model} at tick ${slot.tick}, tier ${slot.tier}`,
    ),
    `jobs       ${status.openJobs} open, ${status.waiting} waiting`,
    `channels   ${channels.length}, ${ofTon.length} of TON: deposited ${sum('deposit')} TON,`,
    `           signed ${sum('cumulative')},`,
    `           spent ${sum('spent')}, claimed ${sum('claimed')}`,
  ]
}

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value : []
}

function ton(value: unknown): string {
  return formatTon(nano(value))
}

/** An amount as it stands in JSON: decimal digits. */
function nano(value: unknown): bigint {
  return parseNano(String(value))
}
