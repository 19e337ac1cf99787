/**
 * `chrysalis provider exit` and `chrysalis scheduler exit`: the worst case first, then out.
 * @module
 */
import type { Command } from 'commander'
import { formatTon } from '../../contracts/base/units.ts'
import type { Exit, ExitState } from '../market/exit.ts'
import { consent } from './consent.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb, say } from './output.ts'

interface ExitOptions extends CommonOptions {
  readonly role?: string
  readonly to?: string
  readonly yes?: boolean
}

/** Adds `exit` to a role's command. */
export function addRoleExit(command: Command, kind: 'provider' | 'scheduler'): void {
  const exit = command
    .command('exit')
    .description('Get everything out: claim, close channels, unbond. Needs nobody’s consent.')
    .option('--to <address>', 'when all is out, send the rest of the wallet there')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `\nExamples:\n  chrysalis ${kind} exit\n` +
        `  chrysalis ${kind} exit --to ADDRESS --yes --json\n\n` +
        `Stop the ${kind} first. Run it again at the time it names: it goes on where it can.\n`,
    )
    .action((options: ExitOptions) => runVerb(options, () => leave(kind, options)))
  if (kind === 'provider') exit.option('--role <name>', 'folder of keys and earnings', 'provider')
  addCommon(exit)
}

async function leave(kind: 'provider' | 'scheduler', options: ExitOptions): Promise<void> {
  const { homeFolder, readNetwork } = await import('../../node/system/home.ts')
  const { homeAddress, openExit } = await import('../market/exit.ts')
  const to = options.to === undefined ? undefined : homeAddress(options.to)
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  const exit = await openExit({ home, network, role: options.role ?? kind, kind })
  try {
    for (const line of worstCase(exit)) say(line)
    await consent(options, 'Leave?')
    const { claims, ...after } = await exit.run(to)
    printResult(options, { claims, ...plain(after) }, outcome(after, claims))
  } finally {
    await exit.close()
  }
}

/** Before anything is sent: what, how long at most, and what it costs at most. */
function worstCase({ before, unclaimed, longestS }: Exit): string[] {
  const open = before.channels.filter(({ status }) => status !== 'closed')
  const locked = open.reduce((sum, { deposited, claimed }) => sum + deposited - claimed, 0n)
  const bonded = before.registry?.bonded ?? 0n
  const fees = 20_000_000n * BigInt(unclaimed.channels + 2 * open.length + 2)
  return [
    `  unclaimed    ${formatTon(unclaimed.amount)} in ${unclaimed.channels} channels, claimed now`,
    `  channels     ${open.length} of your own hold ${formatTon(locked)}; payees may claim of it`,
    '               what you signed',
    `  stake        ${formatTon(bonded)} TON`,
    `  at the most  ${days(longestS)} from now until all is out`,
    `  fees         less than ${formatTon(fees)} TON; reserves of rent stay on the contracts`,
  ]
}

function outcome(after: ExitState, claims: readonly { readonly moved: bigint }[]): string[] {
  const moved = claims.reduce((sum, claim) => sum + claim.moved, 0n)
  const { againAtS, registry, wallet } = after
  return [
    `claimed    ${formatTon(moved)} from ${claims.length} channels`,
    ...after.channels.map(({ address, status }) => `channel    ${address.toString()} ${status}`),
    ...(registry ? [`stake      ${formatTon(registry.bonded)} TON still bonded`] : []),
    `wallet     ${wallet.address} holds ${formatTon(wallet.balance)} TON`,
    againAtS === undefined
      ? 'done       everything is out'
      : `again      run it again after ${new Date(againAtS * 1_000).toISOString()}`,
  ]
}

function plain({ channels, registry, ...rest }: ExitState): object {
  return {
    ...rest,
    channels: channels.map(({ address, ...each }) => ({ address: address.toString(), ...each })),
    ...(registry ? { registry: { ...registry, item: registry.item.toString() } } : {}),
  }
}

function days(seconds: number): string {
  const count = seconds / 86_400
  return `${Number.isInteger(count) ? count : count.toFixed(1)} days`
}
