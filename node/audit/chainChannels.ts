/**
 * Sums over channels that were found, of TON and of each jetton apart: amounts of several assets
 * are never added up.
 *
 * A channel counts where its address follows from its own configuration, as a payee would check:
 * the pinned code over preset amounts lives elsewhere, and would make up whatever sums it likes.
 * @module
 */
import type { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import {
  CHANNEL_CODE_HASH,
  type ChannelView,
  channelAddress,
  readChannel,
} from '../../contracts/wrappers/Channel.ts'
import {
  JETTON_CHANNEL_CODE_HASH,
  type JettonChannelView,
  jettonChannelAddress,
  readJettonChannel,
} from '../../contracts/wrappers/JettonChannel.ts'
import { channelSolvency, jettonChannelSolvency } from '../../contracts/wrappers/solvency.ts'
import { answerOf, type FoundAccount } from './chainAccounts.ts'

/** Sums over the channels of one asset that were found, in its base units. */
export interface ChannelSums {
  readonly found: number
  readonly open: number
  readonly closing: number
  readonly closed: number
  readonly deposited: bigint
  readonly claimed: bigint
  /** Deposited and not claimed, and refunds that came back. */
  readonly locked: bigint
  /** Channels that do not cover what is locked. */
  readonly insolvent: readonly string[]
}

/** Of one jetton. */
export interface JettonSums extends ChannelSums {
  /** Raw address of the minter. */
  readonly minter: string
}

export interface ChannelsByAsset {
  readonly ton: ChannelSums
  /** By minter. */
  readonly jettons: readonly JettonSums[]
}

/** A channel as it adds to a sum. */
interface Counted {
  readonly address: Address
  readonly view: ChannelView
  readonly owed: bigint
  readonly solvent: boolean
}

/** Reads those of the accounts that are channels. Throws `chain-unavailable`. */
export async function sumChannels(
  chain: Chain,
  accounts: readonly FoundAccount[],
  signal?: AbortSignal,
): Promise<ChannelsByAsset> {
  const tons: Counted[] = []
  const jettons = new Map<string, Counted[]>()
  for (const account of accounts) {
    if (account.codeHash === CHANNEL_CODE_HASH) {
      const counted = await countTon(chain, account, signal)
      if (counted) tons.push(counted)
    } else if (account.codeHash === JETTON_CHANNEL_CODE_HASH) {
      const counted = await countJetton(chain, account)
      const minter = counted?.view.config.minter?.toRawString()
      if (counted && minter) jettons.set(minter, [...(jettons.get(minter) ?? []), counted])
    }
  }
  const byMinter = [...jettons].toSorted(([one], [other]) => (one < other ? -1 : 1))
  return {
    ton: sumOf(tons),
    jettons: byMinter.map(([minter, channels]) => ({ minter, ...sumOf(channels) })),
  }
}

function sumOf(channels: readonly Counted[]): ChannelSums {
  const count = (status: ChannelView['status']) =>
    channels.filter(({ view }) => view.status === status).length
  const sum = (figure: (each: Counted) => bigint) =>
    channels.reduce((total, each) => total + figure(each), 0n)
  return {
    ...{ found: channels.length, open: count('open') },
    ...{ closing: count('closing'), closed: count('closed') },
    deposited: sum(({ view }) => view.deposited),
    claimed: sum(({ view }) => view.claimed),
    locked: sum(({ owed }) => owed),
    insolvent: channels.filter(({ solvent }) => !solvent).map(({ address }) => `${address}`),
  }
}

async function countTon(
  chain: Chain,
  { address }: FoundAccount,
  signal?: AbortSignal,
): Promise<Counted | undefined> {
  return twice(async () => {
    const view = await answerOf(readChannel(chain, address))
    if (!view || !isAt(address, () => channelAddress(view.config))) return undefined
    const { balance } = await chain.account(address, signal)
    const { owed, solvent } = channelSolvency(view, balance)
    return { address, view, owed, solvent }
  })
}

async function countJetton(chain: Chain, { address }: FoundAccount): Promise<Counted | undefined> {
  return twice(async () => {
    const view = await answerOf(readJettonChannel(chain, address))
    if (!view || !isAt(address, () => jettonChannelAddress(view.config))) return undefined
    const { owed, solvent } = jettonChannelSolvency(view, await heldBy(chain, view))
    return { address, view, owed, solvent }
  })
}

/** State and balance may be of two blocks: what looks insolvent is looked at again. */
async function twice(look: () => Promise<Counted | undefined>): Promise<Counted | undefined> {
  const first = await look()
  return first?.solvent === false ? look() : first
}

/** What the channel's own wallet holds; nothing where it does not say. */
async function heldBy(chain: Chain, { wallet }: JettonChannelView): Promise<bigint> {
  if (!wallet) return 0n
  const reader = await answerOf(chain.getter(wallet, 'get_wallet_data'))
  try {
    return reader?.readBigNumber() ?? 0n
  } catch {
    return 0n
  }
}

function isAt(address: Address, computed: () => Address): boolean {
  try {
    return computed().equals(address)
  } catch (thrown) {
    if (thrown instanceof MarketError) return false
    throw thrown
  }
}
