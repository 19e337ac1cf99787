/**
 * Figures of an audit that no getter tells: what follows from a contract's state and the balance of
 * its account. Pure; `contracts/tolk/README.md` says for every figure where it comes from.
 * @module
 */
import type { NanoTon } from '../base/units.ts'
import { CHANNEL_FLOOR, type ChannelView } from './Channel.ts'
import { JETTON_CHANNEL_FLOOR, type JettonChannelView } from './JettonChannel.ts'

/** Whether an account covers what its contract owes. */
export interface Solvency {
  /** What others may still claim or get back: base units of the asset. */
  readonly owed: bigint
  /** What there is for it: for TON the balance above the floor, at least 0. */
  readonly covered: bigint
  /** Stays on the account for ever. A contract that owes nothing may have less: rent took it. */
  readonly floor: NanoTon
  readonly solvent: boolean
}

/**
 * Of a channel: its balance against what is deposited and not claimed, and the floor that the
 * contract never touches.
 *
 * @example
 * const { solvent } = channelSolvency(await readChannel(chain, address), balance)
 */
export function channelSolvency(
  { deposited, claimed }: Pick<ChannelView, 'deposited' | 'claimed'>,
  balance: NanoTon,
): Solvency {
  const owed = deposited - claimed
  const covered = balance > CHANNEL_FLOOR ? balance - CHANNEL_FLOOR : 0n
  return { owed, covered, floor: CHANNEL_FLOOR, solvent: owed <= covered }
}

/**
 * Of a jetton-channel: what its own jetton wallet holds against what is deposited and not claimed,
 * and a refund that came back. Its TON is for rent alone: whoever moves jettons attaches the gas.
 */
export function jettonChannelSolvency(
  { deposited, claimed, rest }: Pick<JettonChannelView, 'deposited' | 'claimed' | 'rest'>,
  jettons: bigint,
): Solvency {
  const owed = deposited - claimed + rest
  return { owed, covered: jettons, floor: JETTON_CHANNEL_FLOOR, solvent: owed <= jettons }
}
