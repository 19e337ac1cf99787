/**
 * The jetton-channel as TypeScript sees it: its address, its messages, its state.
 *
 * Its view has the shape of a channel's, with the own jetton wallet beside it, so that whoever
 * keeps accounts treats both alike. `jettonChannelMessages.ts` has the bodies.
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
import { MarketError } from '../base/errors.ts'
import type { Chain } from '../base/ports.ts'
import type { NanoTon } from '../base/units.ts'
import {
  CHANNEL_EXIT,
  type ChannelConfig,
  type ChannelExpectation,
  type ChannelView,
  checkChannelConfig,
  checkExpected,
  readChannelView,
} from './Channel.ts'
import artefact from './compiled/jettonChannel.json' with { type: 'json' }

/** What is fixed in the address of a jetton-channel. */
export interface JettonChannelConfig extends ChannelConfig {
  /** Minter of the jetton: the one that says which wallet is the channel's own. */
  readonly minter: Address
}

/** State of a jetton-channel on chain; amounts in base units of the jetton. */
export interface JettonChannelView extends ChannelView {
  readonly config: JettonChannelConfig
  /** The channel's own jetton wallet. Deposits sent before it is known come back. */
  readonly wallet?: Address
  /** Due to the payer where a close could not pay it: `sweep` sends it. */
  readonly rest: bigint
}

/** What a payee asks of a jetton-channel. */
export interface JettonChannelExpectation extends ChannelExpectation {
  /** Minters of the jettons that it takes. */
  readonly minters: readonly Address[]
}

/** Exit codes of the contract (`contracts/tolk/jettonChannel/errors.tolk`). */
export const JETTON_CHANNEL_EXIT = {
  notOpen: CHANNEL_EXIT.notOpen,
  notClosing: CHANNEL_EXIT.notClosing,
  tooEarly: CHANNEL_EXIT.tooEarly,
  notClosed: CHANNEL_EXIT.notClosed,
  notPayee: CHANNEL_EXIT.notPayee,
  notPayer: CHANNEL_EXIT.notPayer,
  wrongNetwork: CHANNEL_EXIT.wrongNetwork,
  badSignature: CHANNEL_EXIT.badSignature,
  nothingToPay: CHANNEL_EXIT.nothingToPay,
  reserve: CHANNEL_EXIT.reserve,
  tooLittleValue: CHANNEL_EXIT.tooLittleValue,
  notMinter: 715,
  noWallet: 716,
  unknownMessage: CHANNEL_EXIT.unknownMessage,
} as const

/** What stays on the account for ever (`FLOOR` in fees.tolk). */
export const JETTON_CHANNEL_FLOOR: NanoTon = 10_000_000n
/** Five years of rent at the default price table (`RENT_RESERVE` in fees.tolk). */
export const JETTON_CHANNEL_RENT_RESERVE: NanoTon = 90_000_000n

/** Code of the jetton-channel. */
export const JETTON_CHANNEL_CODE = Cell.fromBase64(artefact.code)
/** Hash of that code, lower-case hex. */
export const JETTON_CHANNEL_CODE_HASH: string = artefact.codeHash

/** Initial state of a jetton-channel: its configuration, and zeros. Throws `bad-input`. */
export function jettonChannelStateInit(config: JettonChannelConfig): StateInit {
  checkChannelConfig(config)
  if (!Address.isAddress(config.minter)) throw new MarketError('bad-input', { channel: 'minter' })
  const terms = beginCell()
    .storeUint(config.closeDelayS, 32)
    .storeAddress(config.payer)
    .storeBuffer(Buffer.from(config.nonce), 16)
    .storeAddress(config.minter)
    .endCell()
  const fixed = beginCell()
    .storeAddress(config.payee)
    .storeBuffer(Buffer.from(config.voucherKey), 32)
    .storeInt(config.network, 32)
    .storeRef(terms)
    .endCell()
  const data = beginCell()
    .storeCoins(0)
    .storeUint(0, 256)
    .storeCoins(0)
    .storeCoins(0)
    .storeUint(0, 32)
    .storeAddress(null)
    .storeRef(fixed)
    .endCell()
  return { code: JETTON_CHANNEL_CODE, data }
}

/** Address of a jetton-channel, in workchain 0. Throws `bad-input`. */
export function jettonChannelAddress(config: JettonChannelConfig): Address {
  return contractAddress(0, jettonChannelStateInit(config))
}

/**
 * A payee's refusal of jetton-channels that it cannot trust: as `checkChannel`, and of every jetton
 * whose minter it does not take. Throws `bad-channel` naming the first field, `bad-asset`.
 *
 * @example
 * const expected = { payee: mine, network: -3, minCloseDelayS: 86_400, minters: [usdt] }
 * const address = checkJettonChannel(shown, expected)
 */
export function checkJettonChannel(
  config: JettonChannelConfig,
  expected: JettonChannelExpectation,
): Address {
  checkExpected(config, expected)
  if (!expected.minters.some((minter) => minter.equals(config.minter))) {
    throw new MarketError('bad-asset', { minter: config.minter.toRawString() })
  }
  try {
    return jettonChannelAddress(config)
  } catch (cause) {
    throw new MarketError('bad-channel', {}, { cause })
  }
}

/**
 * State of a jetton-channel, final on chain. Throws `contract-failed` where there is none.
 *
 * @example
 * const { deposited, claimed, wallet } = await readJettonChannel(chain, address)
 */
export async function readJettonChannel(
  chain: Chain,
  address: Address,
): Promise<JettonChannelView> {
  return parseJettonChannelView(await chain.getter(address, 'get_channel'))
}

/** The answer of `get_channel`. Throws `bad-frame`. */
export function parseJettonChannelView(reader: TupleReader): JettonChannelView {
  try {
    const view = readChannelView(reader)
    const { minter } = view.config
    if (!minter) throw new MarketError('bad-frame', { record: 'channel of TON' })
    const config = { ...view.config, minter }
    const wallet = reader.readAddressOpt()
    const rest = reader.readBigNumber()
    return { ...view, config, ...(wallet ? { wallet } : {}), rest }
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'jetton channel' }, { cause })
  }
}
