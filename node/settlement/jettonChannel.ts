/**
 * Channels of a jetton, as a kind (`channelKind.ts`).
 *
 * Opening takes two steps: the contract first learns of its own jetton wallet from the minter, for
 * a deposit that came before would go back.
 * Clauses: contracts/tolk/jettonChannel/README.md.
 * @module
 */
import type { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { type ChannelConfig, checkExpected } from '../../contracts/wrappers/Channel.ts'
import {
  type JettonChannelConfig,
  jettonChannelAddress,
  jettonChannelStateInit,
  readJettonChannel,
} from '../../contracts/wrappers/JettonChannel.ts'
import {
  JETTON_DEPOSIT_FORWARD,
  JETTON_TRANSFER_VALUE,
  jettonBalance,
  jettonTransferBody,
  jettonWalletAddress,
} from '../../contracts/wrappers/jetton.ts'
import {
  JETTON_CHANNEL_VALUE,
  jettonClaimBody,
  jettonCooperativeCloseBody,
  jettonFinishCloseBody,
  jettonStartCloseBody,
  openBody,
} from '../../contracts/wrappers/jettonChannelMessages.ts'
import type { ChannelKind } from './channelKindTypes.ts'
import { type ChannelDeps, requireFunds, untilFinal } from './channelView.ts'

const DEPOSIT_VALUE = JETTON_TRANSFER_VALUE + JETTON_DEPOSIT_FORWARD
/**
 * What a claim costs in TON has no price in a jetton here: a cent of a dollar, well above it,
 * stands for it.
 */
const CLAIM_FEES = 10_000n

/** Deposits are transfers of jettons; only the payee claims, with TON of its own. */
export const jettonChannels: ChannelKind = {
  address: (config) => jettonChannelAddress(ofJetton(config)),
  check(config, expected) {
    checkExpected(config, expected)
    try {
      return jettonChannelAddress(ofJetton(config))
    } catch (cause) {
      throw new MarketError('bad-channel', {}, { cause })
    }
  },
  async deposit(deps, given, missing, _, signal) {
    const config = ofJetton(given)
    await requireJettons(deps, config, missing)
    const channel = await openAt(deps, config, signal)
    await requireFunds(deps, DEPOSIT_VALUE)
    const { chain, wallet } = deps
    const to = await jettonWalletAddress(chain, config.minter, wallet.address)
    const body = jettonTransferBody({
      ...{ amount: missing, to: channel, excesses: wallet.address },
      forward: JETTON_DEPOSIT_FORWARD,
    })
    await wallet.send([{ to, value: DEPOSIT_VALUE, body }], signal)
  },
  claim: ({ voucher, signature }) => ({
    to: voucher.channel,
    value: JETTON_CHANNEL_VALUE.claim,
    body: jettonClaimBody(voucher, signature),
  }),
  cooperativeClose: (to, last) => ({
    ...{ to, value: JETTON_CHANNEL_VALUE.cooperativeClose, body: jettonCooperativeCloseBody(last) },
  }),
  startClose: (to) => ({
    ...{ to, value: JETTON_CHANNEL_VALUE.startClose, body: jettonStartCloseBody() },
  }),
  finishClose: (to) => ({
    ...{ to, value: JETTON_CHANNEL_VALUE.finishClose, body: jettonFinishCloseBody() },
  }),
  worthExternal: () => false,
  worthClaiming: ({ deposited }, moves) => moves >= 100n * CLAIM_FEES && moves >= deposited / 64n,
  claimFees: CLAIM_FEES,
  chainFees: {
    open: JETTON_CHANNEL_VALUE.open + DEPOSIT_VALUE,
    close: JETTON_CHANNEL_VALUE.startClose + JETTON_CHANNEL_VALUE.finishClose,
  },
}

/** The channel, once it knows its own wallet. */
async function openAt(
  deps: ChannelDeps,
  config: JettonChannelConfig,
  signal?: AbortSignal,
): Promise<Address> {
  const { chain, wallet } = deps
  const to = jettonChannelAddress(config)
  const look = async () =>
    (await chain.account(to, signal)).status === 'active' ? readJettonChannel(chain, to) : undefined
  if ((await look())?.wallet) return to
  const value = JETTON_CHANNEL_VALUE.open
  await requireFunds(deps, value)
  const init = jettonChannelStateInit(config)
  await wallet.send([{ to, value, body: openBody(), init }], signal)
  await untilFinal(deps, to, look, (view) => view.wallet !== undefined, signal)
  return to
}

async function requireJettons(
  { chain, wallet }: ChannelDeps,
  { minter }: JettonChannelConfig,
  needed: bigint,
): Promise<void> {
  const balance = await jettonBalance(chain, minter, wallet.address)
  if (balance >= needed) return
  const facts = { wallet: wallet.address.toString(), asset: minter.toString(), balance, needed }
  throw new MarketError('no-funds', facts)
}

function ofJetton(config: ChannelConfig): JettonChannelConfig {
  const { minter } = config
  if (!minter) throw new MarketError('bad-input', { channel: 'minter' })
  return { ...config, minter }
}
