/**
 * Opening, funding and reading channels through the Chain and Wallet ports, for whoever pays.
 *
 * The configuration of a channel must be durable before `openChannel` is called: the deposit can be
 * found again only from it.
 * @module
 */
import type { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain, Clock, Random, Wallet } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import {
  type ChannelConfig,
  type ChannelView,
  channelAddress,
  channelStateInit,
  readChannel,
  topUpBody,
  topUpValue,
} from '../../contracts/wrappers/Channel.ts'

/** What opening and watching channels needs. */
export interface ChannelDeps {
  readonly chain: Chain
  readonly wallet: Wallet
  readonly clock: Clock
}

/** A new channel's configuration with a fresh nonce. */
export function newChannelConfig(
  random: Random,
  options: Omit<ChannelConfig, 'nonce'>,
): ChannelConfig {
  return { ...options, nonce: random.bytes(16) }
}

/**
 * Deploys a channel with its deposit, or tops up one that exists to at least `depositNano`, and
 * resolves when that is final on chain. Throws `no-funds` where the wallet cannot pay for it.
 */
export async function openChannel(
  deps: ChannelDeps,
  config: ChannelConfig,
  depositNano: NanoTon,
  signal?: AbortSignal,
): Promise<Address> {
  const address = channelAddress(config)
  const known = await viewChannel(deps.chain, address)
  if (known && known.status !== 'open') throw new MarketError('channel-closing', {})
  const missing = depositNano - (known?.deposited ?? 0n)
  if (missing <= 0n) return address
  const { balance } = await deps.chain.account(address, signal)
  const value = topUpValue(missing, known && { balance, ...known })
  await requireFunds(deps, value)
  await deps.wallet.send(
    [{ to: address, value, body: topUpBody(missing), init: channelStateInit(config) }],
    signal,
  )
  await untilChannel(deps, address, (view) => view.deposited >= depositNano, signal)
  return address
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
export async function untilChannel(
  deps: Pick<ChannelDeps, 'chain' | 'clock'>,
  address: Address,
  wanted: (view: ChannelView) => boolean,
  signal?: AbortSignal,
): Promise<ChannelView> {
  const until = deps.clock.monotonicMs() + LIMITS.chainFinalMs
  for (;;) {
    const view = await viewChannel(deps.chain, address)
    if (view && wanted(view)) return view
    if (deps.clock.monotonicMs() > until) {
      throw new MarketError('timeout', { waiting: 'channel', address: address.toString() })
    }
    await deps.clock.sleep(LIMITS.chainPollMs, signal)
  }
}

async function requireFunds(deps: ChannelDeps, value: NanoTon): Promise<void> {
  const { balance } = await deps.chain.account(deps.wallet.address)
  // Room for the wallet's own fees, and its first deployment.
  const needed = value + WALLET_FEES
  if (balance < needed) {
    throw new MarketError('no-funds', {
      wallet: deps.wallet.address.toString(),
      balance,
      needed,
    })
  }
}

const WALLET_FEES = 20_000_000n
