/**
 * Opening and funding channels through the Chain and Wallet ports, for whoever pays.
 *
 * The configuration of a channel must be durable before `openChannel` is called: the deposit can be
 * found again only from it.
 * @module
 */
import type { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Random } from '../../contracts/base/ports.ts'
import type { ChannelConfig } from '../../contracts/wrappers/Channel.ts'
import { kindOf } from './channelKind.ts'
import { type ChannelDeps, untilChannel, viewChannel } from './channelView.ts'

/** A new channel's configuration with a fresh nonce. */
export function newChannelConfig(
  random: Random,
  options: Omit<ChannelConfig, 'nonce'>,
): ChannelConfig {
  return { ...options, nonce: random.bytes(16) }
}

/**
 * Deploys a channel with its deposit, or tops up one that exists to at least `deposit` (base units
 * of its asset), and resolves when that is final on chain. Throws `no-funds` where the wallet
 * cannot pay for it.
 */
export async function openChannel(
  deps: ChannelDeps,
  config: ChannelConfig,
  deposit: bigint,
  signal?: AbortSignal,
): Promise<Address> {
  const kind = kindOf(config)
  const address = kind.address(config)
  const known = await viewChannel(deps.chain, address)
  if (known && known.status !== 'open') throw new MarketError('channel-closing', {})
  const missing = deposit - (known?.deposited ?? 0n)
  if (missing <= 0n) return address
  await kind.deposit(deps, config, missing, known, signal)
  await untilChannel(deps, address, (view) => view.deposited >= deposit, signal)
  return address
}
