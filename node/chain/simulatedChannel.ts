/**
 * A model of the channel contract in TypeScript: one message in, what it changes and sends out.
 *
 * It follows `contracts/tolk/channel/channel.tolk` check by check, with the same exit codes and the
 * same fees, and is proved equal to the compiled contract, to the nanoTON, by
 * `test/node/chain/simulatedLedger.test.ts`. The simulated chain runs it in place of the TVM.
 * @module
 */
import type { Slice } from '@ton/core'
import { greater, lesser, MAX_COINS, type NanoTon } from '../../contracts/base/units.ts'
import {
  CHANNEL_CODE,
  CHANNEL_EXIT,
  CHANNEL_FLOOR,
  CHANNEL_RENT_RESERVE,
} from '../../contracts/wrappers/Channel.ts'
import { CHANNEL_OP, CHANNEL_OUT } from '../../contracts/wrappers/channelMessages.ts'
import { cooperativeClose, finishClose, startClose, sweep } from './simulatedChannelClose.ts'
import {
  assert,
  available,
  type ChannelContext,
  type ChannelInput,
  type ChannelResult,
  type ChannelState,
  checkVoucher,
  externalClaimFee,
  type Internal,
  loadVoucher,
  payout,
  Refusal,
} from './simulatedChannelParts.ts'
import { type CellSize, CHANNEL_GAS, CONTRACT_GAS, gasFee, sizeOf } from './simulatedFees.ts'

/**
 * Runs one message. Never throws: a malformed body is a refusal, as on chain.
 *
 * @example
 * const { exit, state, out } = runChannel(before, { kind: 'internal', from, value, body }, context)
 */
export function runChannel(
  state: ChannelState,
  input: ChannelInput,
  context: ChannelContext,
): ChannelResult {
  try {
    if (input.kind === 'bounced') return bounced(state, input, context)
    if (input.kind === 'external') return claim(state, input, context)
    const result = internal(state, input, context)
    const afford = gasFee(context.prices, result.gas) <= input.value
    return afford ? result : refusal(state, OUT_OF_GAS)
  } catch (error) {
    return refusal(state, error instanceof Refusal ? error.exit : MALFORMED)
  }
}

/** Size of an active channel account, for its rent: every field has its shortest form. */
export function channelSize(state: ChannelState, balance: NanoTon): CellSize {
  const root = coinsBits(state.claimed) + 256n + 1n + coinsBits(state.deposited) + 32n
  const bits = CODE_SIZE.bits + CONFIG_BITS + root + ACCOUNT_BITS + coinsBits(balance)
  return { bits, cells: CODE_SIZE.cells + 3n }
}

const OUT_OF_GAS = 13
const MALFORMED = 9
const LEAST_CLAIM_FEES = 100n
const LEAST_CLAIM_SHIFT = 6n
const CODE_SIZE = sizeOf([CHANNEL_CODE])
/** payee, voucher key, network, close delay, payer, nonce */
const CONFIG_BITS = 267n + 256n + 32n + 32n + 267n + 128n
/** Account storage beside the balance: logical time, no extra currencies, state tag, StateInit. */
const ACCOUNT_BITS = 64n + 1n + 1n + 5n

function refusal(state: ChannelState, exit: number): ChannelResult {
  const gas = exit === CHANNEL_EXIT.unknownMessage ? CHANNEL_GAS.unknown : CHANNEL_GAS.refused
  return { exit, gas, state, out: [] }
}

function internal(state: ChannelState, input: Internal, context: ChannelContext): ChannelResult {
  const body = input.body.beginParse()
  const op = body.remainingBits >= 32 ? body.loadUint(32) : 0
  switch (op) {
    case CHANNEL_OP.cooperativeClose:
      return cooperativeClose(state, input, body, context)
    case CHANNEL_OP.finishClose:
      return finishClose(state, input, context)
    case CHANNEL_OP.claim:
      return claimByPayee(state, input, body, context)
    case CHANNEL_OP.topUp:
      return topUp(state, body, context)
    case CHANNEL_OP.startClose:
      return startClose(state, input, context)
    case CHANNEL_OP.sweep:
      return sweep(state, input, context)
    default:
      throw new Refusal(CHANNEL_EXIT.unknownMessage)
  }
}

function topUp(state: ChannelState, body: Slice, context: ChannelContext): ChannelResult {
  const { prices } = context
  const amount = body.loadCoins()
  assert(state.closeAt === 0, CHANNEL_EXIT.notOpen)
  const deposited = state.deposited + amount
  const fees = gasFee(prices, CONTRACT_GAS.topUp) + externalClaimFee(prices)
  const reserve = CHANNEL_FLOOR + CHANNEL_RENT_RESERVE
  assert(context.balance >= deposited - state.claimed + reserve + fees, CHANNEL_EXIT.reserve)
  assert(deposited <= MAX_COINS, RANGE)
  return { exit: 0, gas: CHANNEL_GAS.topUp, state: { ...state, deposited }, out: [] }
}

const RANGE = 5

function claim(
  state: ChannelState,
  input: Extract<ChannelInput, { kind: 'external' }>,
  context: ChannelContext,
): ChannelResult {
  const { prices, balance } = context
  assert(!input.hasInit, CHANNEL_EXIT.stateInit)
  const body = input.body.beginParse()
  assert(body.loadUint(32) === CHANNEL_OP.claim, 63)
  const voucher = loadVoucher(body)
  assert(body.remainingBits === 0 && body.remainingRefs === 0, MALFORMED)
  assert(!state.bounced, CHANNEL_EXIT.bounced)
  checkVoucher(state, voucher, context)

  const target = lesser(voucher.cumulative, state.deposited)
  const paid = target - state.claimed
  const fee = externalClaimFee(prices)
  assert(paid >= LEAST_CLAIM_FEES * (fee + prices.forward.lump), CHANNEL_EXIT.tooSmall)
  const enough = paid >= state.deposited >> LEAST_CLAIM_SHIFT || target === state.deposited
  assert(enough, CHANNEL_EXIT.tooSmall)
  const owed = state.deposited - state.claimed
  assert(balance >= owed + CHANNEL_FLOOR + fee, CHANNEL_EXIT.reserve)

  const next = { ...state, claimed: target, receiptsHash: voucher.receiptsHash }
  const out = payout(state, paid, paid - fee, prices)
  return { exit: 0, gas: CHANNEL_GAS.claim, state: next, out: [out] }
}

function claimByPayee(
  state: ChannelState,
  input: Internal,
  body: Slice,
  context: ChannelContext,
): ChannelResult {
  const { prices } = context
  const gas = CHANNEL_GAS.claimByPayee
  const voucher = loadVoucher(body)
  assert(input.from.equals(state.config.payee), CHANNEL_EXIT.notPayee)
  checkVoucher(state, voucher, context)
  const fees = gasFee(prices, CONTRACT_GAS.claim) + prices.forward.lump
  assert(input.value >= fees, CHANNEL_EXIT.tooLittleValue)
  const paid = lesser(
    lesser(voucher.cumulative, state.deposited) - state.claimed,
    available(input.value, context),
  )
  assert(paid > 0n, CHANNEL_EXIT.nothingToPay)
  const claimed = state.claimed + paid
  const value = paid + input.value - gasFee(prices, gas)
  const out = payout(state, paid, value, prices)
  return {
    exit: 0,
    gas,
    state: { ...state, claimed, receiptsHash: voucher.receiptsHash, bounced: false },
    out: [out],
  }
}

/** A payout came back: what arrived is owed again, less the gas of noting it. */
function bounced(
  state: ChannelState,
  input: Extract<ChannelInput, { kind: 'bounced' }>,
  context: ChannelContext,
): ChannelResult {
  const body = input.body.beginParse()
  body.skip(32)
  assert(body.loadUint(32) === CHANNEL_OUT.payout, 63)
  const paid = body.loadCoins()
  const back = greater(0n, input.value - gasFee(context.prices, CONTRACT_GAS.bounce))
  const claimed = state.claimed - lesser(paid, back)
  return { exit: 0, gas: CHANNEL_GAS.bounced, state: { ...state, claimed, bounced: true }, out: [] }
}

function coinsBits(amount: NanoTon): bigint {
  const bytes = amount === 0n ? 0 : Math.ceil(toBitLength(amount) / 8)
  return 4n + 8n * BigInt(bytes)
}

function toBitLength(amount: bigint): number {
  return amount.toString(2).length
}
