/**
 * `chrysalis balance`: the money of this client: wallet, channel, what is signed and what is left.
 * @module
 */
import type { Command } from 'commander'
import type { Balance } from '../../client/channelTypes.ts'
import type { Market } from '../../client/types.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { formatTon } from '../../contracts/base/units.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'

export function register(command: Command): void {
  command
    .addHelpText('after', '\nExamples:\n  chrysalis balance\n  chrysalis balance --json\n')
    .action((options: CommonOptions) => runVerb(options, () => balance(options)))
  addCommon(command)
}

async function balance(options: CommonOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  const { network = 'localnet', home } = options
  await using market = await connect({ network, home, openChannel: false })
  const found = await balanceIfAny(market)
  const { address, balance: inWallet } = found?.wallet ?? (await market.wallet())
  const lines = [`wallet   ${address}`, `         ${formatTon(inWallet)} TON`]
  const wallet = { address, balance: inWallet }
  if (!found) {
    const none = 'channel  none: the first job opens one'
    return printResult(options, { wallet, channel: null }, [...lines, none])
  }
  const { channel } = found
  const free = channel.deposited - channel.signed + channel.credit
  printResult(options, { wallet, channel: { ...channel, free } }, [
    ...lines,
    `channel  ${channel.address}`,
    `         deposited ${formatTon(channel.deposited)} TON`,
    `         signed    ${formatTon(channel.signed)} TON, ` +
      `of it claimed ${formatTon(channel.claimed)}`,
    `         spent     ${formatTon(channel.spent)} TON`,
    `         credit    ${formatTon(channel.credit)} TON (signed, not used yet)`,
    `         free      ${formatTon(free)} TON`,
  ])
}

async function balanceIfAny(market: Market): Promise<Balance | undefined> {
  try {
    return await market.balance()
  } catch (error) {
    if (error instanceof MarketError && error.code === 'no-channel') return undefined
    throw error
  }
}
