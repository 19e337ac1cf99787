/**
 * A model of the channel contract in TypeScript: one message in, what it changes and sends out.
 *
 * It follows `contracts/tolk/channel/channel.tolk` check by check, with the same exit codes and the
 * same fees, and is proved equal to the compiled contract, to the nanoTON, by
 * `test/node/chain/simulatedChannel.test.ts`. The simulated chain runs it in place of the TVM.
 * @module
 */
import { type Address, beginCell, type Cell, type Slice } from '@ton/core'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MAX_COINS, type NanoTon } from '../../contracts/base/units.ts'
import { verifyVoucher } from '../../contracts/money/voucher.ts'
import {
  CHANNEL_CODE,
  CHANNEL_EXIT,
  CHANNEL_FLOOR,
  CHANNEL_OP,
  CHANNEL_OUT,
  CHANNEL_RENT_RESERVE,
  type ChannelConfig,
} from '../../contracts/wrappers/Channel.ts'
import {
  type CellSize,
  CHANNEL_GAS,
  CONTRACT_GAS,
  forwardFee,
  gasFee,
  type PriceTable,
  sizeOf,
} from './simulatedFees.ts'

/** Data of a channel. `closeAt` is 0 while open and `CLOSED_AT` once closed, as in the contract. */
export interface ChannelState {
  readonly config: ChannelConfig
  readonly deposited: NanoTon
  readonly claimed: NanoTon
  readonly closeAt: number
  readonly receiptsHash: Bytes
  readonly bounced: boolean
}

export const CLOSED_AT = 0xffffffff

/** A message that reaches a channel. */
export type ChannelInput =
  | {
      readonly kind: 'internal'
      readonly from: Address
      readonly value: NanoTon
      readonly body: Cell
    }
  | { readonly kind: 'external'; readonly body: Cell; readonly hasInit: boolean }
  | { readonly kind: 'bounced'; readonly value: NanoTon; readonly body: Cell }

export interface ChannelContext {
  readonly address: Address
  readonly networkId: number
  readonly nowS: number
  /** After rent, the value of the message, and an external message's import fee. */
  readonly balance: NanoTon
  readonly prices: PriceTable
}

/** A message of the channel. `value` arrives; `fee` was taken for forwarding it. */
export interface ChannelOutput {
  readonly to: Address
  readonly value: NanoTon
  readonly fee: NanoTon
  readonly body: Cell
  readonly bounce: boolean
}

export interface ChannelResult {
  /** 0, or the exit code of the refusal; a refused message changes nothing and sends nothing. */
  readonly exit: number
  readonly gas: bigint
  readonly state: ChannelState
  readonly out: readonly ChannelOutput[]
}

/** A channel before its first message. */
export function newChannel(config: ChannelConfig): ChannelState {
  const receiptsHash = new Uint8Array(32)
  return { config, deposited: 0n, claimed: 0n, closeAt: 0, receiptsHash, bounced: false }
}

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

interface SignedVoucher {
  readonly cumulative: NanoTon
  readonly receiptsHash: Bytes
  readonly signature: Bytes
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

class Refusal extends Error {
  readonly exit: number
  constructor(exit: number) {
    super(`exit ${exit}`)
    this.exit = exit
  }
}

function assert(holds: boolean, exit: number): asserts holds {
  if (!holds) throw new Refusal(exit)
}

function refusal(state: ChannelState, exit: number): ChannelResult {
  const gas = exit === CHANNEL_EXIT.unknownMessage ? CHANNEL_GAS.unknown : CHANNEL_GAS.refused
  return { exit, gas, state, out: [] }
}

type Internal = Extract<ChannelInput, { kind: 'internal' }>

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

  const target = least(voucher.cumulative, state.deposited)
  const paid = target - state.claimed
  const fee = externalClaimFee(prices)
  assert(paid >= LEAST_CLAIM_FEES * (fee + prices.forwardLump), CHANNEL_EXIT.tooSmall)
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
  const fees = gasFee(prices, CONTRACT_GAS.claim) + prices.forwardLump
  assert(input.value >= fees, CHANNEL_EXIT.tooLittleValue)
  const paid = least(
    least(voucher.cumulative, state.deposited) - state.claimed,
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

function startClose(state: ChannelState, input: Internal, context: ChannelContext): ChannelResult {
  const gas = CHANNEL_GAS.startClose
  assert(state.closeAt === 0, CHANNEL_EXIT.notOpen)
  assert(input.from.equals(state.config.payer), CHANNEL_EXIT.notPayer)
  const closeAt = Math.min(context.nowS + state.config.closeDelayS, CLOSED_AT - 1)
  const back = input.value - gasFee(context.prices, gas)
  const out = toPayer(CHANNEL_OUT.excess, state, back, context.prices)
  return { exit: 0, gas, state: { ...state, closeAt }, out }
}

function finishClose(state: ChannelState, input: Internal, context: ChannelContext): ChannelResult {
  const gas = CHANNEL_GAS.finishClose
  assert(state.closeAt !== 0 && state.closeAt !== CLOSED_AT, CHANNEL_EXIT.notClosing)
  assert(context.nowS >= state.closeAt, CHANNEL_EXIT.tooEarly)
  const next = { ...state, deposited: state.claimed, closeAt: CLOSED_AT }
  const held = available(input.value, context)
  const value = most(0n, held) + input.value - gasFee(context.prices, gas)
  return {
    exit: 0,
    gas,
    state: next,
    out: toPayer(CHANNEL_OUT.refund, state, value, context.prices),
  }
}

function cooperativeClose(
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
  const fees = gasFee(prices, CONTRACT_GAS.close) + prices.forwardLump
  assert(input.value >= fees, CHANNEL_EXIT.tooLittleValue)
  const held = available(input.value, context)
  let paid = 0n
  if (last) {
    checkVoucher(state, last, context)
    paid = most(0n, least(least(last.cumulative, state.deposited) - state.claimed, held))
  }
  const claimed = state.claimed + paid
  const receiptsHash = last?.receiptsHash ?? state.receiptsHash
  const next = { ...state, claimed, deposited: claimed, closeAt: CLOSED_AT, receiptsHash }
  const out = payout(state, paid, paid + input.value - gasFee(prices, gas), prices)
  const rest = toPayer(CHANNEL_OUT.refund, state, held - paid, prices)
  return { exit: 0, gas, state: next, out: [out, ...rest] }
}

function sweep(state: ChannelState, input: Internal, context: ChannelContext): ChannelResult {
  const gas = CHANNEL_GAS.sweep
  assert(state.closeAt === CLOSED_AT, CHANNEL_EXIT.notClosed)
  const excess = available(input.value, context) - (state.deposited - state.claimed)
  const value = most(0n, excess) + input.value - gasFee(context.prices, gas)
  return { exit: 0, gas, state, out: toPayer(CHANNEL_OUT.refund, state, value, context.prices) }
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
  const back = most(0n, input.value - gasFee(context.prices, CONTRACT_GAS.bounce))
  const claimed = state.claimed - least(paid, back)
  return { exit: 0, gas: CHANNEL_GAS.bounced, state: { ...state, claimed, bounced: true }, out: [] }
}

function checkVoucher(state: ChannelState, voucher: SignedVoucher, context: ChannelContext): void {
  const { network, voucherKey } = state.config
  assert(network === context.networkId, CHANNEL_EXIT.wrongNetwork)
  const { cumulative, receiptsHash, signature } = voucher
  const signed = { network, channel: context.address, cumulative, receiptsHash }
  assert(verifyVoucher(signed, signature, voucherKey), CHANNEL_EXIT.badSignature)
}

function loadVoucher(body: Slice): SignedVoucher {
  const cumulative = body.loadCoins()
  const receiptsHash = new Uint8Array(body.loadBuffer(32))
  return { cumulative, receiptsHash, signature: new Uint8Array(body.loadBuffer(64)) }
}

function externalClaimFee(prices: PriceTable): NanoTon {
  return gasFee(prices, CONTRACT_GAS.claim) + forwardFee(prices, 1023n, 1n)
}

function available(value: NanoTon, context: ChannelContext): NanoTon {
  return context.balance - value - CHANNEL_FLOOR
}

function payout(
  state: ChannelState,
  paid: NanoTon,
  value: NanoTon,
  prices: PriceTable,
): ChannelOutput {
  const body = beginCell().storeUint(CHANNEL_OUT.payout, 32).storeCoins(paid).endCell()
  const fee = prices.forwardLump
  return { to: state.config.payee, value: value - fee, fee, body, bounce: true }
}

/** A message to the payer that ignores errors: what does not pay its own way is not sent. */
function toPayer(
  op: number,
  state: ChannelState,
  value: NanoTon,
  prices: PriceTable,
): ChannelOutput[] {
  const fee = prices.forwardLump
  if (value < fee) return []
  const body = beginCell().storeUint(op, 32).endCell()
  return [{ to: state.config.payer, value: value - fee, fee, body, bounce: false }]
}

function coinsBits(amount: NanoTon): bigint {
  const bytes = amount === 0n ? 0 : Math.ceil(toBitLength(amount) / 8)
  return 4n + 8n * BigInt(bytes)
}

function toBitLength(amount: bigint): number {
  return amount.toString(2).length
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
