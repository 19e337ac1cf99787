/**
 * The ways in which the channel model closes: by the payer after the delay, by the payee at once;
 * and the sweep of what a closed channel still holds.
 *
 * Called by `simulatedChannel.ts`, which dispatches messages.
 * @module
 */
import type { Slice } from '@ton/core'
import { greater, lesser } from '../../contracts/base/units.ts'
import { CHANNEL_EXIT } from '../../contracts/wrappers/Channel.ts'
import { CHANNEL_OUT } from '../../contracts/wrappers/channelMessages.ts'
import {
  assert,
  available,
  type ChannelContext,
  type ChannelResult,
  type ChannelState,
  CLOSED_AT,
  checkVoucher,
  type Internal,
  loadVoucher,
  payout,
  toPayer,
} from './simulatedChannelParts.ts'
import { CHANNEL_GAS, CONTRACT_GAS, gasFee } from './simulatedFees.ts'

export function startClose(
  state: ChannelState,
  input: Internal,
  context: ChannelContext,
): ChannelResult {
  const gas = CHANNEL_GAS.startClose
  assert(state.closeAt === 0, CHANNEL_EXIT.notOpen)
  assert(input.from.equals(state.config.payer), CHANNEL_EXIT.notPayer)
  const closeAt = Math.min(context.nowS + state.config.closeDelayS, CLOSED_AT - 1)
  const back = input.value - gasFee(context.prices, gas)
  const out = toPayer(CHANNEL_OUT.excess, state, back, context.prices)
  return { exit: 0, gas, state: { ...state, closeAt }, out }
}

export function finishClose(
  state: ChannelState,
  input: Internal,
  context: ChannelContext,
): ChannelResult {
  const gas = CHANNEL_GAS.finishClose
  assert(state.closeAt !== 0 && state.closeAt !== CLOSED_AT, CHANNEL_EXIT.notClosing)
  assert(context.nowS >= state.closeAt, CHANNEL_EXIT.tooEarly)
  const next = { ...state, deposited: state.claimed, closeAt: CLOSED_AT }
  const held = available(input.value, context)
  const value = greater(0n, held) + input.value - gasFee(context.prices, gas)
  return {
    exit: 0,
    gas,
    state: next,
    out: toPayer(CHANNEL_OUT.refund, state, value, context.prices),
  }
}

export function cooperativeClose(
  state: ChannelState,
  input: Internal,
  body: Slice,
  context: ChannelContext,
): ChannelResult {
  const { prices } = context
  const last = body.loadBit() ? loadVoucher(body) : undefined
  const gas = last ? CHANNEL_GAS.cooperativeCloseLast : CHANNEL_GAS.cooperativeClose
  assert(state.closeAt !== CLOSED_AT, CHANNEL_EXIT.notOpen)
  assert(input.from.equals(state.config.payee), CHANNEL_EXIT.notPayee)
  const fees = gasFee(prices, CONTRACT_GAS.close) + prices.forward.lump
  assert(input.value >= fees, CHANNEL_EXIT.tooLittleValue)
  const held = available(input.value, context)
  let paid = 0n
  if (last) {
    checkVoucher(state, last, context)
    paid = greater(0n, lesser(lesser(last.cumulative, state.deposited) - state.claimed, held))
  }
  const claimed = state.claimed + paid
  const receiptsHash = last?.receiptsHash ?? state.receiptsHash
  const next = { ...state, claimed, deposited: claimed, closeAt: CLOSED_AT, receiptsHash }
  const out = payout(state, paid, paid + input.value - gasFee(prices, gas), prices)
  const rest = toPayer(CHANNEL_OUT.refund, state, held - paid, prices)
  return { exit: 0, gas, state: next, out: [out, ...rest] }
}

export function sweep(
  state: ChannelState,
  input: Internal,
  context: ChannelContext,
): ChannelResult {
  const gas = CHANNEL_GAS.sweep
  assert(state.closeAt === CLOSED_AT, CHANNEL_EXIT.notClosed)
  const excess = available(input.value, context) - (state.deposited - state.claimed)
  const value = greater(0n, excess) + input.value - gasFee(context.prices, gas)
  return { exit: 0, gas, state, out: toPayer(CHANNEL_OUT.refund, state, value, context.prices) }
}
