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
import { addCommon, tonOption } from './options.ts'
import { type CommonOptions, printResult, runVerb, say, table } from './output.ts'

interface ChannelOptions extends CommonOptions {
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
    .argument('<ton>', 'deposit in TON, like 2.5', tonOption)
    .addHelpText('after', '\nExamples:\n  chrysalis channel open 5\n')
    .action((ton: bigint, options: ChannelOptions) => runVerb(options, () => openOne(ton, options)))
  const deposit = channel
    .command('deposit')
    .description('Add to the deposit of the channel in use, from the wallet.')
    .argument('<ton>', 'amount in TON, like 2.5', tonOption)
    .argument('[address]', 'a channel of `channel list`; default: the one in use')
    .addHelpText('after', '\nExamples:\n  chrysalis channel deposit 1.5\n')
    .action((ton: bigint, address: string | undefined, options: ChannelOptions) =>
      runVerb(options, () => topUp(ton, address, options)),
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
    addCommon(verb).option('--profile <name>', 'whose channels; the gateway has its own', 'client')
  }
}

async function listAll(options: ChannelOptions): Promise<void> {
  await using market = await look(options)
  const channels = await market.channels()
  const rows = channels.map((each) => [
    each.address,
    each.status + (each.inUse ? ', in use' : ''),
    formatTon(each.deposited),
    formatTon(each.claimed),
    formatTon(each.signed),
    each.closeAtS === undefined ? '' : dateOf(each.closeAtS),
  ])
  const head = ['CHANNEL', 'STATUS', 'DEPOSITED', 'CLAIMED', 'SIGNED', 'CLOSES AT']
  const lines = channels.length > 0 ? table(head, rows) : ['No channel has been opened.']
  printResult(options, { channels }, lines)
}

async function openOne(depositNano: bigint, options: ChannelOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  const { home, profile } = options
  const network = options.network ?? 'localnet'
  await using market = await connect({ network, home, profile, deposit: depositNano })
  const channel = (await market.channels()).find(({ inUse }) => inUse)
  if (!channel) throw new MarketError('no-channel')
  const before = channel.deposited === depositNano ? '' : ' (it was open before)'
  printResult(options, { channel }, [
    `channel  ${channel.address}${before}`,
    `         deposited ${formatTon(channel.deposited)} TON`,
  ])
}

async function topUp(
  amountNano: bigint,
  address: string | undefined,
  options: ChannelOptions,
): Promise<void> {
  await using market = await look(options)
  const channel = await market.topUp(amountNano, address)
  printResult(options, { channel }, [
    `channel  ${channel.address}`,
    `         deposited ${formatTon(channel.deposited)} TON, ${formatTon(amountNano)} of it now`,
  ])
}

async function closeOne(address: string | undefined, options: ChannelOptions): Promise<void> {
  await using market = await look(options)
  const { CHANNEL_VALUE } = await import('../../contracts/wrappers/channelMessages.ts')
  const { CHANNEL_FLOOR } = await import('../../contracts/wrappers/Channel.ts')
  const channel = chosen(await market.channels(), address)
  if (channel.status === 'open') {
    const atMost = CHANNEL_VALUE.startClose + CHANNEL_VALUE.finishClose
    const [deposited, signed] = [formatTon(channel.deposited), formatTon(channel.signed)]
    say(`This closes the channel ${channel.address}.`)
    say(`  deposited   ${deposited} TON`)
    say(`  at worst    ${formatTon(channel.deposited - channel.signed)} TON of it come back: the`)
    say(`              scheduler may claim all ${signed} TON that were signed`)
    say(`  fees        two transactions, less than ${formatTon(atMost)} TON together; and`)
    say(`              ${formatTon(CHANNEL_FLOOR)} TON stays on the closed contract`)
    say(`  locked for  ${hours(channel.closeDelayS)} from now; nothing can be spent from it then`)
    await consent(options, 'Close it?')
  }
  const result = await finishOrClose(market, channel)
  const now = (await market.channels()).find(({ address: each }) => each === channel.address)
  printClosing(options, result, now ?? channel)
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
  { address, status, closeAtS, refundable }: ClosingChannel,
  { claimed, deposited }: ChannelInfo,
): void {
  const lines =
    status === 'closed'
      ? [
          `channel  ${address} is closed`,
          `         returned ${formatTon(deposited - claimed)} TON of ${formatTon(deposited)}`,
        ]
      : [
          `channel  ${address} is closing`,
          `         at least ${formatTon(refundable)} TON come back`,
          `         from ${dateOf(closeAtS ?? 0)} on: run \`chrysalis channel close\` again then`,
        ]
  const returned = status === 'closed' ? { returned: deposited - claimed } : {}
  printResult(options, { channel: { address, status, closeAtS, refundable, ...returned } }, lines)
}

/** A client that opens nothing and needs no scheduler. */
async function look({ network = 'localnet', home, profile }: ChannelOptions): Promise<Market> {
  const { connect } = await import('../../client/index.ts')
  return connect({ network, home, profile, openChannel: false })
}

function dateOf(atS: number): string {
  return new Date(atS * 1000).toISOString().replace('.000', '')
}

function hours(seconds: number): string {
  const whole = seconds / 3600
  return `${Number.isInteger(whole) ? whole : whole.toFixed(1)} hours`
}
