/**
 * The client's channel to a scheduler: found again, or opened with a deposit.
 *
 * The configuration is on disk before the deposit leaves the wallet (`channelRecords.ts`): after a
 * crash at any point the same channel is found, and topped up if its deploy never happened.
 * @module
 */
import type { Address } from '@ton/core'
import { toHex } from '../contracts/base/bytes.ts'
import { MarketError } from '../contracts/base/errors.ts'
import type { Chain, Clock, Logger, Random, Store, Wallet } from '../contracts/base/ports.ts'
import type { SigningKey } from '../contracts/base/signing.ts'
import type { Asset } from '../contracts/base/terms.ts'
import type { ChannelConfig } from '../contracts/wrappers/Channel.ts'
import { channelAddress } from '../node/settlement/channelKind.ts'
import { openChannel } from '../node/settlement/channels.ts'
import { viewChannel } from '../node/settlement/channelView.ts'
import type { Keystore } from '../node/system/keystore.ts'
import { type ChannelRecord, channelRecords } from './channelRecords.ts'

export interface ChannelNeeds {
  readonly chain: Chain
  readonly wallet: Wallet
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly keystore: Keystore
  readonly logger: Logger
}

/** A channel that is funded, final on chain and ours to sign for. */
export interface OwnChannel {
  readonly config: ChannelConfig
  readonly address: Address
  readonly voucherKey: SigningKey
}

interface OpenOptions {
  readonly networkId: number
  /** What the channel is of (absent: TON), and the deposit in its base units. */
  readonly asset?: Asset
  readonly deposit: bigint
  /** False: a deposit is never made here; absent: it is, where no channel is usable. */
  readonly mayOpen?: boolean
  /** Called with what a deposit takes from the wallet, before it is made. */
  readonly fund: (needed: bigint) => Promise<void>
}

/** True where this client has a channel to the scheduler: it is asked first the next time. */
export function knowsChannel(store: Store, scheduler: string, asset: Asset): boolean {
  return channelRecords(store).current(scheduler, asset) !== undefined
}

/**
 * The channel to a scheduler (identity in hex). Opens one with `deposit` where none is usable; the
 * one before stays in the records. Throws `no-funds`, `chain-unavailable`, `timeout`, and
 * `no-channel` where it must not open one.
 */
export async function channelTo(
  needs: ChannelNeeds,
  scheduler: { identity: string; wallet: Address; closeDelayS: number },
  options: OpenOptions,
  signal?: AbortSignal,
): Promise<OwnChannel> {
  const records = channelRecords(needs.store)
  const known = records.current(scheduler.identity, options.asset)
  if (known && (await isUsable(needs, known, scheduler, options, signal))) {
    return own(needs, known.config)
  }
  if (options.mayOpen === false) throw new MarketError('no-channel')
  if (known) {
    const facts = { scheduler: scheduler.identity, channel: known.address.toString() }
    needs.logger.info(facts, 'the known channel is not usable: opening another')
  }
  const config = freshConfig(needs, scheduler, options)
  const record = await records.begin(config, scheduler.identity, needs.clock.nowMs())
  await open(needs, record, options, signal)
  return own(needs, config)
}

/** Whether the known channel will do; one whose deploy never happened is deployed now. */
async function isUsable(
  needs: ChannelNeeds,
  known: ChannelRecord,
  scheduler: { wallet: Address; closeDelayS: number },
  options: OpenOptions,
  signal?: AbortSignal,
): Promise<boolean> {
  const { config, address } = known
  if (config.network !== options.networkId) return false
  if (!config.payee.equals(scheduler.wallet)) return false
  if (config.closeDelayS < scheduler.closeDelayS) return false
  const view = await viewChannel(needs.chain, address)
  if (view) await channelRecords(needs.store).seen(known, view)
  if (view && view.status !== 'open') return false
  // None on chain: the process died between the record and the deploy.
  if (view && view.deposited > 0n) return true
  if (options.mayOpen === false) return false
  await open(needs, known, options, signal)
  return true
}

async function open(
  needs: ChannelNeeds,
  record: ChannelRecord,
  options: OpenOptions,
  signal?: AbortSignal,
): Promise<void> {
  await options.fund(options.deposit)
  const address = await openChannel(needs, record.config, options.deposit, signal)
  const view = await viewChannel(needs.chain, address)
  if (view) await channelRecords(needs.store).seen(record, view)
  needs.logger.info({ channel: address.toString(), deposit: options.deposit }, 'channel open')
}

function freshConfig(
  { random, wallet, keystore }: ChannelNeeds,
  scheduler: { wallet: Address; closeDelayS: number },
  { networkId, asset = 'ton' }: OpenOptions,
): ChannelConfig {
  const nonce = random.bytes(16)
  return {
    payer: wallet.address,
    payee: scheduler.wallet,
    voucherKey: keystore.key('voucher', toHex(nonce)).publicKey,
    nonce,
    closeDelayS: scheduler.closeDelayS,
    network: networkId,
    ...(asset === 'ton' ? {} : { minter: asset }),
  }
}

function own({ keystore }: ChannelNeeds, config: ChannelConfig): OwnChannel {
  const voucherKey = keystore.key('voucher', toHex(config.nonce))
  if (toHex(voucherKey.publicKey) !== toHex(config.voucherKey)) {
    throw new MarketError('key-file', { channel: channelAddress(config).toString(), other: true })
  }
  return { config, address: channelAddress(config), voucherKey }
}
