/**
 * The channels that this client has ever opened, on its own disk.
 *
 * A record is written before its deposit leaves the wallet, and is never deleted: whatever happens,
 * the deposit can be found again from it and the key file. Tables: `channel` by the channel's raw
 * address, JSON (the configuration, the scheduler's identity, when it was opened, the highest
 * deposit seen, whether it is known to be closed); `channel-current` by scheduler identity, and the
 * minter where it is of a jetton, the raw address of the channel in use.
 * @module
 */
import { Address } from '@ton/core'
import { assetKey } from '../contracts/base/assets.ts'
import { utf8 } from '../contracts/base/bytes.ts'
import { MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import type { Store } from '../contracts/base/ports.ts'
import type { Asset } from '../contracts/base/terms.ts'
import type { ChannelConfig, ChannelView } from '../contracts/wrappers/Channel.ts'
import { decodeConfig, encodeConfig } from '../node/settlement/channelCodec.ts'
import { channelAddress } from '../node/settlement/channelKind.ts'

const RECORDS = 'channel'
const CURRENT = 'channel-current'

export interface ChannelRecord {
  readonly address: Address
  readonly config: ChannelConfig
  /** Identity of the scheduler that is its payee, hex. */
  readonly scheduler: string
  readonly openedAtMs: number
  /** Highest deposit seen on chain, in the channel's asset: a closed channel no longer tells it. */
  readonly deposited: bigint
  /** Seen closed on chain: nothing is left to do about it. */
  readonly closed: boolean
}

export interface ChannelRecords {
  /** The channel in use towards a scheduler (identity in hex), in an asset; TON where absent. */
  current(scheduler: string, asset?: Asset): ChannelRecord | undefined
  /** Every channel ever opened, oldest first. */
  all(): readonly ChannelRecord[]
  /** True where it is the channel in use towards its scheduler. */
  isCurrent(record: ChannelRecord): boolean
  /** Keeps a new channel, in use from now on. Durable when it resolves. */
  begin(config: ChannelConfig, scheduler: string, openedAtMs: number): Promise<ChannelRecord>
  /** Remembers what the chain says, where it is news. */
  seen(record: ChannelRecord, view: ChannelView): Promise<void>
  /** The channel is no longer in use: the next connection opens another. */
  retire(record: ChannelRecord): Promise<void>
}

/** The records in `store`. */
export function channelRecords(store: Store): ChannelRecords {
  const read = (raw: string): ChannelRecord | undefined => {
    const bytes = store.get(RECORDS, raw)
    return bytes && decode(raw, bytes)
  }
  const currentOf = (scheduler: string): string | undefined => {
    const bytes = store.get(CURRENT, scheduler)
    return bytes && new TextDecoder().decode(bytes)
  }
  const isCurrent = (record: ChannelRecord) => currentOf(keyOf(record)) === rawOf(record)

  return {
    current(scheduler, asset) {
      const raw = currentOf(currentKey(scheduler, asset))
      return raw === undefined ? undefined : read(raw)
    },
    all: () => [...everything(store)].sort((a, b) => a.openedAtMs - b.openedAtMs),
    isCurrent,
    async begin(config, scheduler, openedAtMs) {
      const address = channelAddress(config)
      const record = { address, config, scheduler, openedAtMs, deposited: 0n, closed: false }
      await store.write([
        { table: RECORDS, key: rawOf(record), value: encode(record) },
        { table: CURRENT, key: keyOf(record), value: utf8(rawOf(record)) },
      ])
      return record
    },
    async seen(record, { deposited, status }) {
      const known = read(rawOf(record)) ?? record
      const closed = status === 'closed'
      if (deposited <= known.deposited && closed === known.closed) return
      const most = deposited > known.deposited ? deposited : known.deposited
      const next = { ...known, deposited: most, closed }
      await store.write([{ table: RECORDS, key: rawOf(record), value: encode(next) }])
    },
    async retire(record) {
      if (!isCurrent(record)) return
      await store.write([{ table: CURRENT, key: keyOf(record), value: undefined }])
    },
  }
}

function* everything(store: Store): Generator<ChannelRecord> {
  const limit = LIMITS.storePage
  for (let after: string | undefined; ; ) {
    const page = store.list(RECORDS, { after, limit })
    for (const [raw, bytes] of page) yield decode(raw, bytes)
    if (page.length < limit) return
    after = page.at(-1)?.[0]
  }
}

function currentKey(scheduler: string, asset: Asset | undefined): string {
  const key = assetKey(asset)
  return key === 'ton' ? scheduler : `${scheduler}/${key}`
}

function keyOf({ scheduler, config }: ChannelRecord): string {
  return currentKey(scheduler, config.minter)
}

function rawOf({ address }: ChannelRecord): string {
  return address.toRawString()
}

function encode({ config, scheduler, openedAtMs, deposited, closed }: ChannelRecord): Uint8Array {
  const fixed = JSON.parse(new TextDecoder().decode(encodeConfig(config)))
  const more = { scheduler, openedAtMs, deposited: deposited.toString(), closed }
  return utf8(JSON.stringify({ ...fixed, ...more }))
}

function decode(raw: string, bytes: Uint8Array): ChannelRecord {
  try {
    const { scheduler, openedAtMs, deposited, closed } = JSON.parse(new TextDecoder().decode(bytes))
    return {
      address: Address.parseRaw(raw),
      config: decodeConfig(bytes),
      scheduler: String(scheduler),
      openedAtMs: Number(openedAtMs),
      deposited: BigInt(deposited),
      closed: closed === true,
    }
  } catch (cause) {
    throw new MarketError('store-failed', { table: RECORDS }, { cause })
  }
}
