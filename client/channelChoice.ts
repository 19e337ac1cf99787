/**
 * Which channel is meant: the one named, the one in use, or the only one there is.
 * @module
 */
import { Address } from '@ton/core'
import { sameAsset } from '../contracts/base/assets.ts'
import { MarketError } from '../contracts/base/errors.ts'
import type { Store } from '../contracts/base/ports.ts'
import type { Asset } from '../contracts/base/terms.ts'
import { type ChannelRecord, channelRecords } from './channelRecords.ts'
import type { SchedulerLine } from './line.ts'

interface ChoiceNeeds {
  readonly store: Store
  readonly line: SchedulerLine
  /** Channels in use are those of this asset; TON where it is absent. */
  readonly asset?: Asset
}

/** Not in use and not known to be closed: what may be closing. */
export function unfinishedChannels({ store }: ChoiceNeeds): ChannelRecord[] {
  const records = channelRecords(store)
  return records.all().filter((record) => !record.closed && !records.isCurrent(record))
}

/** The named channel, or the one in use, or the only one that is not closed. */
export function chooseChannel(needs: ChoiceNeeds, named: string | undefined): ChannelRecord {
  if (named !== undefined) return findChannel(needs, named)
  const records = channelRecords(needs.store)
  const { open } = needs.line
  const all = records.all().filter(({ closed }) => !closed)
  const live = open && all.find(({ address }) => address.equals(open.channel.address))
  if (live) return live
  const ofAsset = all.filter(({ config }) => sameAsset(config.minter, needs.asset))
  const inUse = ofAsset.filter(records.isCurrent)
  const [only, ...others] = inUse.length > 0 ? inUse : ofAsset
  if (!only) throw new MarketError('no-channel')
  if (others.length > 0) {
    const expected = 'one of several channels by its address'
    throw new MarketError('bad-input', { field: 'address', expected })
  }
  return only
}

export function findChannel({ store }: ChoiceNeeds, named: string): ChannelRecord {
  let wanted: Address
  try {
    wanted = Address.parse(named)
  } catch (cause) {
    throw new MarketError('bad-input', { field: 'address' }, { cause })
  }
  const found = channelRecords(store)
    .all()
    .find(({ address }) => address.equals(wanted))
  if (found) return found
  const action = 'Run `chrysalis channel list` for the channels of this client.'
  throw new MarketError('no-channel', { address: named.slice(0, 80) }, { action })
}
