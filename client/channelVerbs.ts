/**
 * What the owner of a channel can do about it: list, top up, close, finish.
 *
 * Closing is unilateral: it needs the chain and the own wallet, and no scheduler. The payee may
 * claim what was signed until the delay has passed; nothing else can take from the deposit.
 * Called by `market.ts`; one change at a time, so that no transaction is sent twice.
 * Clauses: contracts/tolk/channel/README.md (top-up, start-close, finish-close).
 * @module
 */
import type { Address } from '@ton/core'
import { assetKey } from '../contracts/base/assets.ts'
import { MarketError } from '../contracts/base/errors.ts'
import type { Chain, Clock, Logger, Store, Wallet } from '../contracts/base/ports.ts'
import type { Asset } from '../contracts/base/terms.ts'
import { greater, MAX_COINS, type NanoTon } from '../contracts/base/units.ts'
import type { ChannelView } from '../contracts/wrappers/Channel.ts'
import { kindOf } from '../node/settlement/channelKind.ts'
import { openChannel } from '../node/settlement/channels.ts'
import { untilChannel, viewChannel } from '../node/settlement/channelView.ts'
import { savedPayer } from '../node/settlement/savedPayer.ts'
import { chooseChannel, findChannel, unfinishedChannels } from './channelChoice.ts'
import { type ChannelRecord, channelRecords } from './channelRecords.ts'
import type { ChannelInfo, ClosingChannel } from './channelTypes.ts'
import type { SchedulerLine } from './line.ts'

export interface ChannelVerbNeeds {
  readonly chain: Chain
  readonly wallet: Wallet
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly line: SchedulerLine
  /** What this client's channels in use are of. */
  readonly asset: Asset
  /** Puts free coins into the wallet where the network has a faucet. */
  fund(needed: NanoTon): Promise<void>
  /** The same for a deposit in the asset of this client's channels. */
  fundDeposit(needed: bigint): Promise<void>
  /** Jobs that wait or run. */
  openJobs(): number
}

export interface ChannelVerbs {
  channels(): Promise<readonly ChannelInfo[]>
  topUp(amountNano: NanoTon, address?: string): Promise<ChannelInfo>
  closeChannel(address?: string): Promise<ClosingChannel>
  finishClose(address?: string): Promise<readonly ClosingChannel[]>
  /** Finishes what is due; true while a channel that is not in use is still closing. */
  finishDue(signal?: AbortSignal): Promise<boolean>
}

/** The verbs over the records of one client. */
export function createChannelVerbs(needs: ChannelVerbNeeds): ChannelVerbs {
  const records = channelRecords(needs.store)
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const done = turn.then(task)
    turn = done.catch(() => undefined) // the caller has the error
    return done
  }

  return {
    channels: () => Promise.all(records.all().map((record) => describe(needs, record))),
    topUp: (amountNano, address) => inTurn(() => topUp(needs, amountNano, address)),
    closeChannel: async (address) => {
      const jobs = needs.openJobs()
      if (jobs > 0) {
        const action = 'Wait for the open jobs to end, or abort them; then close.'
        throw new MarketError('too-many-jobs', { open: jobs, most: 0 }, { action })
      }
      // Before the first wait, so that no job slips in between.
      const record = chooseChannel(needs, address)
      const isInUse = records.isCurrent(record)
      if (isInUse) needs.line.retire()
      try {
        return await inTurn(() => close(needs, record))
      } catch (error) {
        if (isInUse && records.isCurrent(record)) needs.line.retire(false)
        throw error
      }
    },
    finishClose: (address) => inTurn(() => finish(needs, address)),
    finishDue: (signal) => inTurn(() => finishDue(needs, signal)),
  }
}

async function describe(needs: ChannelVerbNeeds, record: ChannelRecord): Promise<ChannelInfo> {
  const { address, config, scheduler, openedAtMs, deposited } = record
  const view = await viewChannel(needs.chain, address)
  if (view) await channelRecords(needs.store).seen(record, view)
  return {
    address: address.toString(),
    asset: assetKey(config.minter),
    scheduler,
    status: view?.status ?? 'unopened',
    inUse: channelRecords(needs.store).isCurrent(record),
    deposited: greater(deposited, view?.deposited ?? 0n),
    claimed: view?.claimed ?? 0n,
    signed: signedOn(needs, record, view),
    ...(view?.closeAtS !== undefined && { closeAtS: view.closeAtS }),
    closeDelayS: config.closeDelayS,
    openedAtMs,
  }
}

async function topUp(
  needs: ChannelVerbNeeds,
  amountNano: NanoTon,
  named: string | undefined,
): Promise<ChannelInfo> {
  if (typeof amountNano !== 'bigint' || amountNano <= 0n || amountNano > MAX_COINS) {
    throw new MarketError('bad-input', { field: 'amountNano', expected: 'a positive bigint' })
  }
  const record = chooseChannel(needs, named)
  const { address, config } = record
  const view = await viewChannel(needs.chain, address)
  if (view && view.status !== 'open') throw notOpen(address, view)
  await needs.fundDeposit(amountNano)
  await openChannel(needs, config, (view?.deposited ?? 0n) + amountNano)
  await accountOf(needs, record)?.refresh()
  return describe(needs, record)
}

async function close(needs: ChannelVerbNeeds, record: ChannelRecord): Promise<ClosingChannel> {
  const { chain, wallet, store, logger } = needs
  const { address } = record
  const records = channelRecords(store)
  let view = await viewChannel(chain, address)
  if (!view) throw new MarketError('no-channel', { channel: address.toString() })
  await records.seen(record, view) // the deposit is told no more once it is closed
  if (view.status === 'open') {
    const message = kindOf(record.config).startClose(address)
    await needs.fund(message.value)
    await wallet.send([message])
    view = await untilChannel(needs, address, ({ status }) => status !== 'open')
    logger.info({ channel: address.toString(), closeAtS: view.closeAtS }, 'channel closing')
  }
  await records.retire(record)
  // The account's own books then refuse grants; where it has just ended there is nothing to tell.
  await accountOf(needs, record)
    ?.refresh()
    .catch(() => undefined)
  return closing(needs, record, view)
}

async function finish(
  needs: ChannelVerbNeeds,
  named: string | undefined,
): Promise<readonly ClosingChannel[]> {
  const candidates = named === undefined ? unfinishedChannels(needs) : [findChannel(needs, named)]
  const finished: ClosingChannel[] = []
  let early: MarketError | undefined
  for (const record of candidates) {
    const done = await finishOne(needs, record)
    if (done === 'early') early ??= await tooEarly(needs, record)
    else if (done) finished.push(done)
  }
  if (finished.length > 0) return finished
  throw early ?? new MarketError('no-channel', { closing: 0 }, { action: 'None is closing.' })
}

async function finishDue(needs: ChannelVerbNeeds, signal?: AbortSignal): Promise<boolean> {
  let left = false
  for (const record of unfinishedChannels(needs)) {
    signal?.throwIfAborted()
    if ((await finishOne(needs, record, signal)) === 'early') left = true
  }
  return left
}

/** Finishes one channel; `early` before its delay has passed, nothing where it is not closing. */
async function finishOne(
  needs: ChannelVerbNeeds,
  record: ChannelRecord,
  signal?: AbortSignal,
): Promise<ClosingChannel | 'early' | undefined> {
  const { chain, wallet, store, logger } = needs
  const { address } = record
  const view = await viewChannel(chain, address)
  if (!view) return undefined
  await channelRecords(store).seen(record, view)
  if (view.status !== 'closing') return undefined
  if ((await chain.now(signal)) < (view.closeAtS ?? 0)) return 'early'
  const message = kindOf(record.config).finishClose(address)
  await needs.fund(message.value)
  await wallet.send([message], signal)
  const closed = await untilChannel(needs, address, ({ status }) => status === 'closed', signal)
  await channelRecords(store).seen(record, closed)
  logger.info({ channel: address.toString() }, 'channel closed')
  return closing(needs, record, closed)
}

function closing(
  needs: ChannelVerbNeeds,
  record: ChannelRecord,
  view: ChannelView,
): ClosingChannel {
  const of = { address: record.address.toString(), asset: assetKey(record.config.minter) }
  if (view.status === 'closed') return { ...of, status: 'closed', refundable: 0n }
  const refundable = greater(view.deposited - signedOn(needs, record, view), 0n)
  return { ...of, status: 'closing', closeAtS: view.closeAtS, refundable }
}

/** What the scheduler can have of a channel: signed here, or claimed by a copy of these keys. */
function signedOn(
  needs: ChannelVerbNeeds,
  record: ChannelRecord,
  view: ChannelView | undefined,
): NanoTon {
  const books =
    accountOf(needs, record)?.state() ?? savedPayer(needs.store, record.address.toRawString())
  return greater(books?.cumulative ?? 0n, view?.claimed ?? 0n)
}

function accountOf({ line }: ChannelVerbNeeds, { address }: ChannelRecord) {
  const { open } = line
  return open?.channel.address.equals(address) ? open.account : undefined
}

async function tooEarly(needs: ChannelVerbNeeds, record: ChannelRecord): Promise<MarketError> {
  const view = await viewChannel(needs.chain, record.address)
  const { closeAtS } = view ?? {}
  const action = 'Finish it after the time named here (Unix seconds); a running client does so.'
  return new MarketError('channel-closing', { closeAtS }, { action })
}

function notOpen(address: Address, { status }: ChannelView): MarketError {
  return new MarketError('channel-closing', { channel: address.toString(), status })
}
