/**
 * Turning vouchers into TON: a payee claims its best voucher, rarely.
 *
 * An external claim needs no wallet balance but must move a least amount; a smaller one goes through
 * the payee's own wallet. Anyone may relay an external claim, so a payee that is away can be helped.
 * Clauses: DESIGN "On TON", channel.
 * @module
 */
import type { Address } from '@ton/core'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Chain, Clock, Wallet } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import type { Voucher } from '../../contracts/money/voucher.ts'
import {
  CHANNEL_VALUE,
  type ChannelView,
  claimBody,
  cooperativeCloseBody,
} from '../../contracts/wrappers/Channel.ts'
import { untilChannel, viewChannel } from './channels.ts'

/** A voucher with its signature, as its payee holds it. */
export interface HeldVoucher {
  readonly voucher: Voucher
  readonly signature: Bytes
}

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
  if (worthExternal(before, moves) && (await claimedOutside(deps, held, target, signal))) {
    return moves
  }
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

/** An external claim must move a 64th of the deposit, or all that is left of it. */
function worthExternal(view: ChannelView, moves: NanoTon): boolean {
  return moves >= view.deposited / 64n && moves >= LEAST_EXTERNAL_CLAIM
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

/** 100 times the fee of an external claim at the default price table, rounded up. */
const LEAST_EXTERNAL_CLAIM = 300_000_000n
