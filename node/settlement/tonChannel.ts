/**
 * Channels of TON, as a kind (`channelKind.ts`).
 * Clauses: contracts/tolk/channel/README.md.
 * @module
 */
import type { NanoTon } from '../../contracts/base/units.ts'
import {
  channelAddress,
  channelStateInit,
  checkChannel,
  topUpValue,
} from '../../contracts/wrappers/Channel.ts'
import {
  CHANNEL_VALUE,
  claimBody,
  cooperativeCloseBody,
  finishCloseBody,
  startCloseBody,
  topUpBody,
} from '../../contracts/wrappers/channelMessages.ts'
import type { ChannelKind } from './channelKindTypes.ts'
import { requireFunds } from './channelView.ts'

/** What the contract asks at mainnet's prices: 100 times gas, import and forwarding of a claim. */
export const LEAST_EXTERNAL_CLAIM: NanoTon = 52_220_200n

/**
 * What a claim through the payee's own wallet costs it at mainnet's prices, nanoTON: 0.00099 TON
 * measured, rounded up. Less than this is not worth claiming.
 */
export const CLAIM_FEES: NanoTon = 1_000_000n

/** True where the contract takes a claim of this much from outside: its least, and not bounced. */
const worthExternal: ChannelKind['worthExternal'] = (view, moves) => {
  const { deposited, claimed, bounced } = view
  const isEnough = moves >= deposited / 64n || claimed + moves === deposited
  return !bounced && isEnough && moves >= LEAST_EXTERNAL_CLAIM
}

/** Deposits are values of messages; a claim may come from anyone. */
export const tonChannels: ChannelKind = {
  address: channelAddress,
  check: checkChannel,
  async deposit(deps, config, missing, known, signal) {
    const to = channelAddress(config)
    const { balance } = await deps.chain.account(to, signal)
    const value = topUpValue(missing, known && { balance, ...known })
    await requireFunds(deps, value)
    const body = topUpBody(missing)
    await deps.wallet.send([{ to, value, body, init: channelStateInit(config) }], signal)
  },
  claim: ({ voucher, signature }) => ({
    to: voucher.channel,
    value: CHANNEL_VALUE.claim,
    body: claimBody(voucher, signature),
    bounce: true,
  }),
  cooperativeClose: (to, last) => ({
    ...{ to, value: CHANNEL_VALUE.cooperativeClose, body: cooperativeCloseBody(last) },
  }),
  startClose: (to) => ({ to, value: CHANNEL_VALUE.startClose, body: startCloseBody() }),
  finishClose: (to) => ({ to, value: CHANNEL_VALUE.finishClose, body: finishCloseBody() }),
  worthExternal,
  worthClaiming: worthExternal,
  claimFees: CLAIM_FEES,
  chainFees: {
    open: CHANNEL_VALUE.open,
    close: CHANNEL_VALUE.startClose + CHANNEL_VALUE.finishClose,
  },
}
