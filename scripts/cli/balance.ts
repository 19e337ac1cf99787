/**
 * `chrysalis balance`: the money of this client: wallet, channel, what is signed and what is left.
 * @module
 */
import type { Command } from 'commander'
import { formatTon } from '../../contracts/base/units.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'

export function register(program: Command): void {
  const command = program
    .command('balance')
    .description('Show this client’s wallet and channel: deposited, claimed, signed, credit.')
    .addHelpText('after', '\nExamples:\n  chrysalis balance\n  chrysalis balance --json\n')
    .action((options: CommonOptions) => runVerb(options, () => balance(options)))
  addCommon(command)
}

async function balance(options: CommonOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  await using market = await connect({ network: options.network ?? 'localnet', home: options.home })
  const { wallet, channel } = await market.balance()
  const free = channel.deposited - channel.signed + channel.credit
  printResult(options, { wallet, channel: { ...channel, free } }, [
    `wallet   ${wallet.address}`,
    `         ${formatTon(wallet.balance)} TON`,
    `channel  ${channel.address}`,
    `         deposited ${formatTon(channel.deposited)} TON`,
    `         signed    ${formatTon(channel.signed)} TON, ` +
      `of it claimed ${formatTon(channel.claimed)}`,
    `         spent     ${formatTon(channel.spent)} TON`,
    `         credit    ${formatTon(channel.credit)} TON (signed, not used yet)`,
    `         free      ${formatTon(free)} TON`,
  ])
}
