/**
 * Turning vouchers into TON or jettons: a payee claims its best voucher, rarely.
 *
 * An external claim needs no wallet balance but must move a least amount; a smaller one, and every
 * one of a jetton, goes through the payee's own wallet. Anyone may relay an external claim, so a
 * payee that is away can be helped.
 * Clauses: contracts/tolk/channel/README.md, contracts/tolk/jettonChannel/README.md.
 * @module
 */
import type { Address } from '@ton/core'
import { assetKey } from '../../contracts/base/assets.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Chain, Clock, Logger, Wallet } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import {
  type ChannelConfig,
  type ChannelView,
  claimBody,
} from '../../contracts/wrappers/Channel.ts'
import { channelAddress, kindOf } from './channelKind.ts'
import type { HeldVoucher } from './channelKindTypes.ts'
import { untilChannel, viewChannel } from './channelView.ts'
import type { PayeeAccount } from './payeeAccount.ts'

/** What claiming needs. `wallet` is the payee's. */
export interface ClaimDeps {
  readonly chain: Chain
  readonly wallet: Wallet
  readonly clock: Clock
}

/**
 * Claims a voucher and resolves with what it moved once that is final on chain; 0 where the chain
 * has already paid it. Tries the external way first where the amount allows it. Throws
 * `no-channel`, `no-funds`, `timeout`, `chain-unavailable`.
 */
export async function claimVoucher(
  deps: ClaimDeps,
  held: HeldVoucher,
  signal?: AbortSignal,
): Promise<NanoTon> {
  const { channel, cumulative } = held.voucher
  const before = await viewOf(deps.chain, channel)
  const target = cumulative < before.deposited ? cumulative : before.deposited
  const moves = target - before.claimed
  if (moves <= 0n) return 0n
  const kind = kindOf(before.config)
  // A payout to a wallet that is not deployed bounces: the wallet itself sends its first claim.
  const { status } = await deps.chain.account(deps.wallet.address, signal)
  const external = status === 'active' && kind.worthExternal(before, moves)
  if (external && (await claimedOutside(deps, held, target, signal))) return moves
  await deps.wallet.send([kind.claim(held)], signal)
  await untilChannel(deps, channel, (view) => view.claimed >= target, signal)
  return moves
}

/** Claims the best voucher, if there is one, and closes the channel at once; for the payee. */
export async function closeAsPayee(
  deps: ClaimDeps,
  config: ChannelConfig,
  last: HeldVoucher | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const channel = channelAddress(config)
  await deps.wallet.send([kindOf(config).cooperativeClose(channel, last)], signal)
  await untilChannel(deps, channel, (view) => view.status === 'closed', signal)
}

async function claimedOutside(
  deps: ClaimDeps,
  held: HeldVoucher,
  target: NanoTon,
  signal?: AbortSignal,
): Promise<boolean> {
  const { channel } = held.voucher
  try {
    await deps.chain.sendExternal(channel, claimBody(held.voucher, held.signature))
    await untilChannel(deps, channel, (view) => view.claimed >= target, signal)
    return true
  } catch (error) {
    const { code } = asMarketError(error)
    // The contract refused it (price table, reserve): the payee's own wallet can still claim.
    if (code === 'contract-failed' || code === 'bad-input' || code === 'timeout') return false
    throw error
  }
}

async function viewOf(chain: Chain, channel: Address): Promise<ChannelView> {
  const view = await viewChannel(chain, channel)
  if (!view) throw new MarketError('no-channel', { channel: channel.toString() })
  return view
}

/** What claiming one channel moved. */
export interface ClaimReport {
  readonly channel: string
  /** What the amounts are in: `ton` for nanoTON, or a minter's raw address. */
  readonly asset: string
  readonly moved: NanoTon
  readonly claimed: NanoTon
}

/** Claims the best voucher of every account, one after the other; one failure stops none. */
export async function claimAll(
  deps: ClaimDeps & { readonly logger: Logger },
  accounts: readonly PayeeAccount[],
  signal?: AbortSignal,
): Promise<ClaimReport[]> {
  const reports: ClaimReport[] = []
  for (const account of accounts) {
    const held = account.best()
    if (!held) continue
    try {
      const moved = await claimVoucher(deps, held, signal)
      const view = await viewOf(deps.chain, held.voucher.channel)
      await account.refresh(view)
      const asset = assetKey(account.config.minter)
      reports.push({ channel: account.channel, asset, moved, claimed: view.claimed })
    } catch (thrown) {
      const { code } = asMarketError(thrown)
      deps.logger.error({ channel: account.channel, code }, 'claim failed; the voucher is kept')
    }
  }
  return reports
}
