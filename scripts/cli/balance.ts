/**
 * `chrysalis balance`: the money of this client: wallet, channel, what is signed and what is left.
 * @module
 */
import type { Command } from 'commander'
import type { Balance } from '../../client/channelTypes.ts'
import type { Market } from '../../client/types.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { formatTon } from '../../contracts/base/units.ts'
import { type AssetOptions, addAsset, amountIn } from './money.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'

interface BalanceOptions extends CommonOptions, AssetOptions {}

export function register(command: Command): void {
  command
    .addHelpText('after', '\nExamples:\n  chrysalis balance\n  chrysalis balance --json\n')
    .action((options: BalanceOptions) => runVerb(options, () => balance(options)))
  addCommon(addAsset(command))
}

async function balance(options: BalanceOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  const { network = 'localnet', home, asset } = options
  await using market = await connect({ network, home, asset, openChannel: false })
  const money = amountIn(market.asset)
  const found = await balanceIfAny(market)
  const { address, balance: inWallet } = found?.wallet ?? (await market.wallet())
  const lines = [`wallet   ${address}`, `         ${formatTon(inWallet)} TON`]
  const wallet = { address, balance: inWallet }
  if (!found) {
    const none = 'channel  none: the first job opens one'
    return printResult(options, { wallet, channel: null }, [...lines, none])
  }
  const { channel, jettons } = found
  if (jettons !== undefined) lines.push(`         ${money(jettons)}`)
  const free = channel.deposited - channel.signed + channel.credit
  printResult(options, { wallet, jettons, channel: { ...channel, free } }, [
    ...lines,
    `channel  ${channel.address}`,
    `         deposited ${money(channel.deposited)}`,
    `         signed    ${money(channel.signed)}, of it claimed ${money(channel.claimed)}`,
    `         spent     ${money(channel.spent)}`,
    `         credit    ${money(channel.credit)} (signed, not used yet)`,
    `         free      ${money(free)}`,
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
