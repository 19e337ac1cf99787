/**
 * The payment channel as TypeScript sees it: its address, its messages, its state.
 *
 * The code is pinned by the committed artefact; `channelMessages.ts` has the message bodies.
 * Nothing here touches a network except `readChannel`, which is handed one.
 * @module
 */
import {
  Address,
  beginCell,
  Cell,
  contractAddress,
  type StateInit,
  type TupleReader,
} from '@ton/core'
import { type Bytes, fromBigInt } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { Chain } from '../base/ports.ts'
import type { NanoTon } from '../base/units.ts'
import artefact from './compiled/channel.json' with { type: 'json' }

export {
  CHANNEL_VALUE,
  claimBody,
  cooperativeCloseBody,
  topUpBody,
  topUpValue,
} from './channelMessages.ts'

/** What is fixed in the address of a channel. */
export interface ChannelConfig {
  readonly payer: Address
  readonly payee: Address
  /** Ed25519 public key that signs the payer's vouchers, 32 bytes. */
  readonly voucherKey: Bytes
  /** 16 random bytes. Never used twice, or old vouchers could be paid again. */
  readonly nonce: Bytes
  /** Seconds between start-close and finish-close, unsigned 32 bits. */
  readonly closeDelayS: number
  /** Global id of the chain, signed 32 bits. */
  readonly network: number
  /** Of a channel of a jetton (`JettonChannel.ts`): its minter. A channel of TON has none. */
  readonly minter?: Address
}

/** State of a channel on chain. */
export interface ChannelView {
  readonly status: 'open' | 'closing' | 'closed'
  /** Sum of all top-ups; once closed, what was claimed (and what a bounced payout still owes). */
  readonly deposited: NanoTon
  /** Paid to the payee so far. */
  readonly claimed: NanoTon
  /** While closing: Unix seconds from which anyone may finish. */
  readonly closeAtS?: number
  /** Of the last claimed voucher; zeros before the first. */
  readonly receiptsHash: Bytes
  /** A payout came back: external claims are refused until the payee itself has claimed. */
  readonly bounced: boolean
  readonly config: ChannelConfig
}

/** What a payee asks of a channel. */
export interface ChannelExpectation {
  readonly payee: Address
  readonly network: number
  readonly minCloseDelayS: number
}

/** Exit codes of the contract (`contracts/tolk/channel/errors.tolk`). */
export const CHANNEL_EXIT = {
  notOpen: 701,
  notClosing: 702,
  tooEarly: 703,
  notClosed: 704,
  notPayee: 705,
  notPayer: 706,
  wrongNetwork: 707,
  badSignature: 708,
  nothingToPay: 709,
  tooSmall: 710,
  reserve: 711,
  tooLittleValue: 712,
  stateInit: 713,
  bounced: 714,
  unknownMessage: 0xffff,
} as const

/** What stays on the account for ever (`FLOOR` in fees.tolk). */
export const CHANNEL_FLOOR: NanoTon = 10_000_000n
/** Five years of rent at the default price table (`RENT_RESERVE` in fees.tolk). */
export const CHANNEL_RENT_RESERVE: NanoTon = 60_000_000n

/** Code of the channel. */
export const CHANNEL_CODE = Cell.fromBase64(artefact.code)
/** Hash of that code, lower-case hex. */
export const CHANNEL_CODE_HASH: string = artefact.codeHash

const CLOSED = 0xffffffff
const NO_HASH = new Uint8Array(32)

/** Initial state of a channel: its configuration, and zeros. Throws `bad-input`. */
export function channelStateInit(config: ChannelConfig): StateInit {
  checkChannelConfig(config)
  if (config.minter) throw new MarketError('bad-input', { channel: 'minter' })
  const fixed = beginCell()
    .storeAddress(config.payee)
    .storeBuffer(Buffer.from(config.voucherKey), 32)
    .storeInt(config.network, 32)
    .storeUint(config.closeDelayS, 32)
    .storeAddress(config.payer)
    .storeBuffer(Buffer.from(config.nonce), 16)
    .endCell()
  const data = beginCell()
    .storeCoins(0)
    .storeBuffer(Buffer.from(NO_HASH))
    .storeBit(false)
    .storeCoins(0)
    .storeUint(0, 32)
    .storeRef(fixed)
    .endCell()
  return { code: CHANNEL_CODE, data }
}

/** Address of a channel, in workchain 0. Throws `bad-input`. */
export function channelAddress(config: ChannelConfig): Address {
  return contractAddress(0, channelStateInit(config))
}

/**
 * A payee's refusal of channels it cannot trust, from the configuration that a payer shows.
 *
 * Gives the address that such a channel has: code pinned, amounts zeroed. A channel whose state was
 * preset, or whose code differs, lives elsewhere, so the caller compares and looks there. Throws
 * `bad-channel` naming the first field that is not acceptable.
 *
 * @example
 * const address = checkChannel(shown, { payee: mine, network: -3, minCloseDelayS: 86_400 })
 */
export function checkChannel(config: ChannelConfig, expected: ChannelExpectation): Address {
  checkExpected(config, expected)
  try {
    return channelAddress(config)
  } catch (cause) {
    throw new MarketError('bad-channel', {}, { cause })
  }
}

/** The fields that a payee compares, whatever the asset. Throws `bad-channel` naming the first. */
export function checkExpected(config: ChannelConfig, expected: ChannelExpectation): void {
  if (!config.payee.equals(expected.payee)) throw badChannel('payee')
  if (config.network !== expected.network) throw badChannel('network')
  if (!(config.closeDelayS >= expected.minCloseDelayS)) throw badChannel('closeDelayS')
  if (config.payer.equals(config.payee)) throw badChannel('payer')
}

/**
 * State of a channel, final on chain. The address alone proves code and configuration where it
 * came from `channelAddress`. Throws `contract-failed` where there is no channel.
 *
 * @example
 * const { status, deposited, claimed } = await readChannel(chain, address)
 */
export async function readChannel(chain: Chain, address: Address): Promise<ChannelView> {
  return parseChannelView(await chain.getter(address, 'get_channel'))
}

/** The answer of `get_channel`. Throws `bad-frame`. */
export function parseChannelView(reader: TupleReader): ChannelView {
  try {
    return readChannelView(reader)
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'channel' }, { cause })
  }
}

/** The part of the answer that channels of every asset have. Throws where it is not there. */
export function readChannelView(reader: TupleReader): ChannelView {
  const closeAt = reader.readNumber()
  const deposited = reader.readBigNumber()
  const claimed = reader.readBigNumber()
  const receiptsHash = fromBigInt(reader.readBigNumber(), 32)
  const payer = reader.readAddress()
  const payee = reader.readAddress()
  const voucherKey = fromBigInt(reader.readBigNumber(), 32)
  const nonce = fromBigInt(reader.readBigNumber(), 16)
  const closeDelayS = reader.readNumber()
  const network = reader.readNumber()
  const bounced = reader.readBoolean()
  // A channel of TON says no more; one of a jetton goes on.
  const minter = reader.remaining > 0 ? { minter: reader.readAddress() } : {}
  const config = { payer, payee, voucherKey, nonce, closeDelayS, network, ...minter }
  const status = closeAt === 0 ? 'open' : closeAt === CLOSED ? 'closed' : 'closing'
  const closing = status === 'closing' ? { closeAtS: closeAt } : {}
  return { status, deposited, claimed, ...closing, receiptsHash, bounced, config }
}

/** A channel's data cell; `closeAt` as in storage.tolk. Throws `bad-frame`. */
export function parseChannelData(data: Cell): {
  readonly claimed: NanoTon
  readonly receiptsHash: Bytes
  readonly bounced: boolean
  readonly deposited: NanoTon
  readonly closeAt: number
  readonly config: ChannelConfig
} {
  try {
    const root = data.beginParse()
    const claimed = root.loadCoins()
    const receiptsHash = new Uint8Array(root.loadBuffer(32))
    const bounced = root.loadBit()
    const deposited = root.loadCoins()
    const closeAt = root.loadUint(32)
    const fixed = root.loadRef().beginParse()
    const payee = fixed.loadAddress()
    const voucherKey = new Uint8Array(fixed.loadBuffer(32))
    const network = fixed.loadInt(32)
    const closeDelayS = fixed.loadUint(32)
    const payer = fixed.loadAddress()
    const nonce = new Uint8Array(fixed.loadBuffer(16))
    const config = { payer, payee, voucherKey, nonce, closeDelayS, network }
    return { claimed, receiptsHash, bounced, deposited, closeAt, config }
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'channel data' }, { cause })
  }
}

/** Ranges of the fields that channels of every asset have. Throws `bad-input` naming the first. */
export function checkChannelConfig(config: ChannelConfig): void {
  const { voucherKey, nonce, closeDelayS, network } = config
  const wrong = (field: string): MarketError => new MarketError('bad-input', { channel: field })
  if (!Address.isAddress(config.payer)) throw wrong('payer')
  if (!Address.isAddress(config.payee)) throw wrong('payee')
  if (voucherKey.length !== 32) throw wrong('voucherKey')
  if (nonce.length !== 16) throw wrong('nonce')
  if (closeDelayS !== closeDelayS >>> 0) throw wrong('closeDelayS')
  if (network !== (network | 0)) throw wrong('network')
}

function badChannel(field: string): MarketError {
  return new MarketError('bad-channel', { field })
}
