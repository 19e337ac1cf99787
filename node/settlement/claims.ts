/**
 * Turning vouchers into TON: a payee claims its best voucher, rarely.
 *
 * An external claim needs no wallet balance but must move a least amount; a smaller one goes
 * through the payee's own wallet. Anyone may relay an external claim, so a payee that is away can
 * be helped.
 * Clauses: contracts/tolk/channel/README.md.
 * @module
 */
import type { Address } from '@ton/core'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Chain, Clock, Logger, Wallet } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import {
  CHANNEL_VALUE,
  type ChannelView,
  claimBody,
  cooperativeCloseBody,
} from '../../contracts/wrappers/Channel.ts'
import { untilChannel, viewChannel } from './channels.ts'
import type { HeldVoucher, PayeeAccount } from './payeeAccount.ts'

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
  // A payout to a wallet that is not deployed bounces: the wallet itself sends its first claim.
  const { status } = await deps.chain.account(deps.wallet.address, signal)
  const external = status === 'active' && worthExternal(before, moves)
  if (external && (await claimedOutside(deps, held, target, signal))) return moves
  await deps.wallet.send(
    [
      {
        to: channel,
        value: CHANNEL_VALUE.claim,
        body: claimBody(held.voucher, held.signature),
        bounce: true,
      },
    ],
    signal,
  )
  await untilChannel(deps, channel, (view) => view.claimed >= target, signal)
  return moves
}

/** Claims the best voucher, if there is one, and closes the channel at once; for the payee. */
export async function closeAsPayee(
  deps: ClaimDeps,
  channel: Address,
  last: HeldVoucher | undefined,
  signal?: AbortSignal,
): Promise<void> {
  await deps.wallet.send(
    [{ to: channel, value: CHANNEL_VALUE.cooperativeClose, body: cooperativeCloseBody(last) }],
    signal,
  )
  await untilChannel(deps, channel, (view) => view.status === 'closed', signal)
}

/** True where the contract takes a claim of this much from outside: its least, and not bounced. */
export function worthExternal(view: ChannelView, moves: NanoTon): boolean {
  const { deposited, claimed, bounced } = view
  const isEnough = moves >= deposited / 64n || claimed + moves === deposited
  return !bounced && isEnough && moves >= LEAST_EXTERNAL_CLAIM
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

/** What the contract asks at mainnet's prices: 100 times gas, import and forwarding of a claim. */
export const LEAST_EXTERNAL_CLAIM: NanoTon = 52_220_200n

/** What claiming one channel moved. */
export interface ClaimReport {
  readonly channel: string
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
      reports.push({ channel: account.channel, moved, claimed: view.claimed })
    } catch (thrown) {
      const { code } = asMarketError(thrown)
      deps.logger.error({ channel: account.channel, code }, 'claim failed; the voucher is kept')
    }
  }
  return reports
}
