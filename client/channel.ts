/**
 * The client's channel to a scheduler: found again, or opened with a deposit.
 *
 * The configuration is on disk before the deposit leaves the wallet: after a crash at any point the
 * same channel is found, and topped up if its deploy never happened. One record per scheduler
 * identity in table `channel`.
 * @module
 */
import { Address } from '@ton/core'
import { fromHex, toHex, utf8 } from '../contracts/base/bytes.ts'
import { MarketError } from '../contracts/base/errors.ts'
import type { Chain, Clock, Logger, Random, Store, Wallet } from '../contracts/base/ports.ts'
import type { SigningKey } from '../contracts/base/signing.ts'
import type { NanoTon } from '../contracts/base/units.ts'
import { type ChannelConfig, channelAddress } from '../contracts/wrappers/Channel.ts'
import { openChannel, viewChannel } from '../node/settlement/channels.ts'
import type { Keystore } from '../node/system/keystore.ts'

const TABLE = 'channel'

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

/** True where this client has had a channel to the scheduler: it is asked first the next time. */
export function knowsChannel(store: Store, scheduler: string): boolean {
  return store.get(TABLE, scheduler) !== undefined
}

/**
 * The channel to a scheduler (identity in hex). Opens one with `deposit` where none is usable.
 * `fund` is called with the least wallet balance needed before a deposit is made.
 * Throws `no-funds`, `chain-unavailable`, `timeout`.
 */
export async function channelTo(
  needs: ChannelNeeds,
  scheduler: { identity: string; wallet: Address; closeDelayS: number },
  options: { networkId: number; deposit: NanoTon; fund: (needed: NanoTon) => Promise<void> },
  signal?: AbortSignal,
): Promise<OwnChannel> {
  const { store, chain, logger } = needs
  const known = store.get(TABLE, scheduler.identity)
  if (known !== undefined) {
    const config = decodeConfig(known)
    const ours = config.network === options.networkId && config.payee.equals(scheduler.wallet)
    const view = ours ? await viewChannel(chain, channelAddress(config)) : undefined
    // None on chain: the process died between the record and the deploy.
    const usable = ours && (view === undefined || view.status === 'open')
    if (usable && config.closeDelayS >= scheduler.closeDelayS) {
      if (view === undefined || view.deposited === 0n) await open(needs, config, options, signal)
      return own(needs, config)
    }
    logger.info(
      { scheduler: scheduler.identity },
      'the known channel is not usable: opening another',
    )
  }
  const config = freshConfig(needs, scheduler, options.networkId)
  await store.write([{ table: TABLE, key: scheduler.identity, value: encodeConfig(config) }])
  await open(needs, config, options, signal)
  return own(needs, config)
}

async function open(
  needs: ChannelNeeds,
  config: ChannelConfig,
  options: { deposit: NanoTon; fund: (needed: NanoTon) => Promise<void> },
  signal?: AbortSignal,
): Promise<void> {
  await options.fund(options.deposit)
  const address = await openChannel(needs, config, options.deposit, signal)
  needs.logger.info({ channel: address.toString(), deposit: options.deposit }, 'channel open')
}

function freshConfig(
  { random, wallet, keystore }: ChannelNeeds,
  scheduler: { wallet: Address; closeDelayS: number },
  networkId: number,
): ChannelConfig {
  const nonce = random.bytes(16)
  return {
    payer: wallet.address,
    payee: scheduler.wallet,
    voucherKey: keystore.key('voucher', toHex(nonce)).publicKey,
    nonce,
    closeDelayS: scheduler.closeDelayS,
    network: networkId,
  }
}

function own({ keystore }: ChannelNeeds, config: ChannelConfig): OwnChannel {
  const voucherKey = keystore.key('voucher', toHex(config.nonce))
  if (toHex(voucherKey.publicKey) !== toHex(config.voucherKey)) {
    throw new MarketError('key-file', { channel: channelAddress(config).toString(), other: true })
  }
  return { config, address: channelAddress(config), voucherKey }
}

function encodeConfig(config: ChannelConfig): Uint8Array {
  const { payer, payee, voucherKey, nonce, closeDelayS, network } = config
  return utf8(
    JSON.stringify({
      payer: payer.toRawString(),
      payee: payee.toRawString(),
      voucherKey: toHex(voucherKey),
      nonce: toHex(nonce),
      closeDelayS,
      network,
    }),
  )
}

function decodeConfig(bytes: Uint8Array): ChannelConfig {
  try {
    const json = JSON.parse(new TextDecoder().decode(bytes))
    return {
      payer: Address.parseRaw(json.payer),
      payee: Address.parseRaw(json.payee),
      voucherKey: fromHex(json.voucherKey, 32),
      nonce: fromHex(json.nonce, 16),
      closeDelayS: Number(json.closeDelayS),
      network: Number(json.network),
    }
  } catch (cause) {
    throw new MarketError('store-failed', { table: TABLE }, { cause })
  }
}
