/**
 * `chrysalis channel list|open|deposit|close`: the deposits of this client, and the way back.
 *
 * None of these needs a scheduler but `open`: closing is between the wallet and the chain.
 * @module
 */
import type { Command } from 'commander'
import type { ChannelInfo, ClosingChannel } from '../../client/channelTypes.ts'
import type { Market } from '../../client/types.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { formatTon } from '../../contracts/base/units.ts'
import { consent } from './consent.ts'
import { type AssetOptions, addAsset } from './money.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb, say, table } from './output.ts'

interface ChannelOptions extends CommonOptions, AssetOptions {
  readonly profile: string
  readonly yes?: boolean
}

export function register(channel: Command): void {
  const list = channel
    .command('list')
    .description('List every channel ever opened: status, deposited, claimed, signed.')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis channel list\n  chrysalis channel list --json\n',
    )
    .action((options: ChannelOptions) => runVerb(options, () => listAll(options)))
  const open = channel
    .command('open')
    .description('Open a channel to the scheduler, where there is none, with a first deposit.')
    .argument('<amount>', 'deposit in TON, or in the asset, like 2.5')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis channel open 5\n' +
        '  chrysalis channel open 5 --asset usdt-test\n',
    )
    .action((amount: string, options: ChannelOptions) =>
      runVerb(options, () => openOne(amount, options)),
    )
  const deposit = channel
    .command('deposit')
    .description('Add to the deposit of the channel in use, from the wallet.')
    .argument('<amount>', 'amount in TON, or in the asset, like 2.5')
    .argument('[address]', 'a channel of `channel list`; default: the one in use')
    .addHelpText('after', '\nExamples:\n  chrysalis channel deposit 1.5\n')
    .action((amount: string, address: string | undefined, options: ChannelOptions) =>
      runVerb(options, () => topUp(amount, address, options)),
    )
  const close = channel
    .command('close')
    .description('Ask for a deposit back; once its delay has passed, finish and refund it.')
    .argument('[address]', 'a channel of `channel list`; default: the one in use')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis channel close\n  chrysalis channel close --yes --json\n\n' +
        'Nobody has to agree. The scheduler may claim what you signed until the delay has\n' +
        'passed; then run this again, or any command that connects: it finishes the close.\n',
    )
    .action((address: string | undefined, options: ChannelOptions) =>
      runVerb(options, () => closeOne(address, options)),
    )
  for (const verb of [list, open, deposit, close]) {
    addCommon(verb === list ? verb : addAsset(verb)).option(
      '--profile <name>',
      'whose channels; the gateway has its own',
      'client',
    )
  }
}

async function listAll(options: ChannelOptions): Promise<void> {
  await using market = await look(options)
  const { moneyOf } = await import('./assets.ts')
  const channels = await market.channels()
  const rows = channels.map((each) => [
    each.address,
    each.status + (each.inUse ? ', in use' : ''),
    ...[each.deposited, each.claimed, each.signed].map(moneyOf(market.network, each.asset)),
    each.closeAtS === undefined ? '' : dateOf(each.closeAtS),
  ])
  const head = ['CHANNEL', 'STATUS', 'DEPOSITED', 'CLAIMED', 'SIGNED', 'CLOSES AT']
  const lines = channels.length > 0 ? table(head, rows) : ['No channel has been opened.']
  printResult(options, { channels }, lines)
}

async function openOne(amount: string, options: ChannelOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  const { moneyOf } = await import('./assets.ts')
  const { amountOf, assetKey } = await import('../../contracts/base/assets.ts')
  const { network = 'localnet', home, profile, asset } = options
  await using market = await connect({ network, home, profile, asset, deposit: amount })
  const inAsset = assetKey(market.asset.asset)
  const channel = (await market.channels()).find((each) => each.inUse && each.asset === inAsset)
  if (!channel) throw new MarketError('no-channel')
  const before = channel.deposited === amountOf(amount, market.asset) ? '' : ' (it was open before)'
  const money = moneyOf(market.network, channel.asset)
  printResult(options, { channel }, [
    `channel  ${channel.address}${before}`,
    `         deposited ${money(channel.deposited)}`,
  ])
}

async function topUp(
  text: string,
  address: string | undefined,
  options: ChannelOptions,
): Promise<void> {
  const { moneyOf } = await import('./assets.ts')
  const { amountOf } = await import('../../contracts/base/assets.ts')
  await using market = await look(options)
  const amount = amountOf(text, market.asset)
  const channel = await market.topUp(amount, address)
  const money = moneyOf(market.network, channel.asset)
  printResult(options, { channel }, [
    `channel  ${channel.address}`,
    `         deposited ${money(channel.deposited)}, ${money(amount)} of it now`,
  ])
}

async function closeOne(address: string | undefined, options: ChannelOptions): Promise<void> {
  await using market = await look(options)
  const { moneyOf } = await import('./assets.ts')
  const { kindOfAsset } = await import('../../node/settlement/channelKind.ts')
  const { assetKey, assetOf } = await import('../../contracts/base/assets.ts')
  const { CHANNEL_FLOOR } = await import('../../contracts/wrappers/Channel.ts')
  const inAsset = assetKey(market.asset.asset)
  const channels = await market.channels()
  const ofAsset = channels.filter(({ asset }) => address !== undefined || asset === inAsset)
  const channel = chosen(ofAsset, address)
  const money = moneyOf(market.network, channel.asset)
  if (channel.status === 'open') {
    const atMost = kindOfAsset(assetOf(channel.asset)).chainFees.close
    say(`This closes the channel ${channel.address}.`)
    say(`  deposited   ${money(channel.deposited)}`)
    say(`  at worst    ${money(channel.deposited - channel.signed)} of it come back: the`)
    say(`              scheduler may claim all ${money(channel.signed)} that were signed`)
    say(`  fees        two transactions, less than ${formatTon(atMost)} TON together; and`)
    say(`              ${formatTon(CHANNEL_FLOOR)} TON stays on the closed contract`)
    say(`  locked for  ${hours(channel.closeDelayS)} from now; nothing can be spent from it then`)
    await consent(options, 'Close it?')
  }
  const result = await finishOrClose(market, channel)
  const now = (await market.channels()).find(({ address: each }) => each === channel.address)
  printClosing(options, result, now ?? channel, money)
}

/** The channel meant: by address, or the one in use, or else the only one not closed. */
function chosen(channels: readonly ChannelInfo[], address: string | undefined): ChannelInfo {
  const live = channels.filter(({ status }) => status === 'open' || status === 'closing')
  const named = address === undefined ? undefined : live.filter((each) => each.address === address)
  const inUse = live.filter((each) => each.inUse)
  const [only, ...others] = named ?? (inUse.length > 0 ? inUse : live)
  if (!only) {
    const action = 'Run `chrysalis channel list`; a closed channel holds nothing any more.'
    throw new MarketError('no-channel', { address }, { action })
  }
  if (others.length > 0) {
    throw new MarketError('bad-input', { field: 'address', expected: 'one of several channels' })
  }
  return only
}

async function finishOrClose(market: Market, channel: ChannelInfo): Promise<ClosingChannel> {
  try {
    if (channel.status === 'closing') {
      const [finished] = await market.finishClose(channel.address)
      if (finished) return finished
    }
  } catch (error) {
    // Too early, or finished meanwhile by the client's own watch: the channel itself tells which.
    const code = error instanceof MarketError ? error.code : undefined
    if (code !== 'channel-closing' && code !== 'no-channel') throw error
  }
  return market.closeChannel(channel.address)
}

function printClosing(
  options: ChannelOptions,
  { address, asset, status, closeAtS, refundable }: ClosingChannel,
  { claimed, deposited }: ChannelInfo,
  money: (amount: bigint) => string,
): void {
  const lines =
    status === 'closed'
      ? [
          `channel  ${address} is closed`,
          `         returned ${money(deposited - claimed)} of ${money(deposited)}`,
        ]
      : [
          `channel  ${address} is closing`,
          `         at least ${money(refundable)} come back`,
          `         from ${dateOf(closeAtS ?? 0)} on: run \`chrysalis channel close\` again then`,
        ]
  const returned = status === 'closed' ? { returned: deposited - claimed } : {}
  printResult(
    options,
    { channel: { address, asset, status, closeAtS, refundable, ...returned } },
    lines,
  )
}

/** A client that opens nothing and needs no scheduler. */
async function look({
  network = 'localnet',
  home,
  profile,
  asset,
}: ChannelOptions): Promise<Market> {
  const { connect } = await import('../../client/index.ts')
  return connect({ network, home, profile, asset, openChannel: false })
}

function dateOf(atS: number): string {
  return new Date(atS * 1000).toISOString().replace('.000', '')
}

function hours(seconds: number): string {
  const whole = seconds / 3600
  return `${Number.isInteger(whole) ? whole : whole.toFixed(1)} hours`
}
