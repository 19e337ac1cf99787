/**
 * `chrysalis provider upgrade` and `chrysalis scheduler upgrade`: take the newer code that the
 * registry offers to the own item.
 * @module
 */
import type { Command } from 'commander'
import { consent } from './consent.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb, say } from './output.ts'

interface UpgradeOptions extends CommonOptions {
  readonly role?: string
  readonly yes?: boolean
}

/** Adds `upgrade` to a role's command. */
export function addRoleUpgrade(command: Command, kind: 'provider' | 'scheduler'): void {
  const upgrade = command
    .command('upgrade')
    .description('Take the newer code that the registry offers, if any.')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `\nExamples:\n  chrysalis ${kind} upgrade\n  chrysalis ${kind} upgrade --yes --json\n\n` +
        'Your item keeps its address, stake and history. New code holds your stake from then\n' +
        'on: read it first. Nobody can take it in your place, and staying as you are is allowed.\n',
    )
    .action((options: UpgradeOptions) => runVerb(options, () => take(kind, options)))
  if (kind === 'provider') upgrade.option('--role <name>', 'folder of keys', 'provider')
  addCommon(upgrade)
}

async function take(kind: 'provider' | 'scheduler', options: UpgradeOptions): Promise<void> {
  const { openRole } = await import('./openRole.ts')
  const { isOffered, readUpgrade, upgradeItem } = await import('../deploy/itemUpgrade.ts')
  const { registry, chain, clock, wallet } = await openRole(options, options.role ?? kind)
  const found = await readUpgrade(chain, registry, { kind, owner: wallet.address })
  const { item, version, codeHash, offered } = found
  const value = { item: item.toString(), version, codeHash, offered }
  const runs = `item       ${item}, code version ${version}, ${codeHash}`
  if (!isOffered(found)) {
    return printResult(options, { ...value, upgraded: false }, [
      runs,
      'offered    nothing newer: the item runs the newest code of the registry',
    ])
  }
  const news = `offered    version ${offered.version}, ${offered.codeHash}`
  for (const line of [runs, news]) say(line)
  await consent(options, 'Let your item run it?')
  await upgradeItem({ chain, clock, wallet }, found)
  printResult(options, { ...value, upgraded: true }, [
    `upgraded   ${item} runs version ${offered.version}, ${offered.codeHash}`,
  ])
}
