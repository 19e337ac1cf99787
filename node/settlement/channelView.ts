/**
 * A channel as it stands on chain, of whatever asset: their views have one shape.
 * @module
 */
import type { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain, Clock, Wallet } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { type ChannelView, readChannel } from '../../contracts/wrappers/Channel.ts'

/** What opening and watching channels needs. */
export interface ChannelDeps {
  readonly chain: Chain
  readonly wallet: Wallet
  readonly clock: Clock
}

/** The channel as it stands on chain, or `undefined` where none is deployed yet. */
export async function viewChannel(
  chain: Chain,
  address: Address,
): Promise<ChannelView | undefined> {
  const { status } = await chain.account(address)
  return status === 'active' ? readChannel(chain, address) : undefined
}

/** Waits until the channel on chain is as `wanted` says. Throws `timeout`. */
export function untilChannel(
  deps: Pick<ChannelDeps, 'chain' | 'clock'>,
  address: Address,
  wanted: (view: ChannelView) => boolean,
  signal?: AbortSignal,
): Promise<ChannelView> {
  return untilFinal(deps, address, () => viewChannel(deps.chain, address), wanted, signal)
}

/** Looks until what is there is as `wanted` says. Throws `timeout`. */
export async function untilFinal<View>(
  { clock }: Pick<ChannelDeps, 'clock'>,
  address: Address,
  look: () => Promise<View | undefined>,
  wanted: (view: View) => boolean,
  signal?: AbortSignal,
): Promise<View> {
  const until = clock.monotonicMs() + LIMITS.chainFinalMs
  for (;;) {
    const view = await look()
    if (view && wanted(view)) return view
    if (clock.monotonicMs() > until) {
      throw new MarketError('timeout', { waiting: 'channel', address: address.toString() })
    }
    await clock.sleep(LIMITS.chainPollMs, signal)
  }
}

/** Throws `no-funds` where the wallet has not so many nanoTON, and its own fees. */
export async function requireFunds(
  deps: Pick<ChannelDeps, 'chain' | 'wallet'>,
  value: NanoTon,
): Promise<void> {
  const { balance } = await deps.chain.account(deps.wallet.address)
  // Room for the wallet's own fees, and its first deployment.
  const needed = value + WALLET_FEES
  if (balance < needed) {
    throw new MarketError('no-funds', { wallet: deps.wallet.address.toString(), balance, needed })
  }
}

const WALLET_FEES = 20_000_000n
