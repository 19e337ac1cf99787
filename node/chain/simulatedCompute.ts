/**
 * The compute phase of the simulated ledger: what an account's code makes of one message.
 *
 * Channels run the model of `simulatedChannel.ts`, wallets the checks of a version 4 wallet.
 * Nothing is changed here: `simulatedLedger.ts` writes down what a run gives.
 * @module
 */
import { type Cell, loadMessageRelaxed, type StateInit } from '@ton/core'
import { verifySignature } from '../../contracts/base/signing.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { WALLET_ID } from '../../contracts/wrappers/wallet.ts'
import {
  codeOf,
  importFee,
  type LedgerMessage,
  matches,
  rentDue,
  type SimulatedAccount,
  type SimulatedCode,
  type World,
} from './simulatedAccount.ts'
import { runChannel } from './simulatedChannel.ts'
import type { ChannelOutput } from './simulatedChannelParts.ts'
import { forwardFee, gasFee, sizeOf, WALLET_GAS } from './simulatedFees.ts'

/** What a transaction did, before it is written down. `code` replaces the account's. */
export interface Run {
  readonly exit: number
  readonly gas: bigint
  readonly code?: SimulatedCode
  readonly out: readonly (ChannelOutput & { readonly init?: StateInit })[]
}

const NO_STATE = -256
const OUT_OF_GAS = 13

export function runInternal(
  world: World,
  account: SimulatedAccount,
  message: LedgerMessage,
  nowS: number,
): Run {
  const { code } = account
  const { body, value } = message
  if (!code) {
    // Kept where the sender asked for no bounce: that is how an account without code is funded.
    const kept = !message.bounce || message.bounced
    return { exit: kept ? 0 : NO_STATE, gas: 0n, out: [] }
  }
  if (code.kind !== 'channel') return { exit: 0, gas: WALLET_GAS.received, code, out: [] }
  if (value === 0n) return { exit: OUT_OF_GAS, gas: 0n, out: [] } // an old debt took all of it
  const from = message.from ?? account.address
  const input = message.bounced
    ? ({ kind: 'bounced', value, body } as const)
    : ({ kind: 'internal', from, value, body } as const)
  const context = { ...contextOf(world, account, nowS), balance: account.balance }
  const { state, ...result } = runChannel(code.state, input, context)
  return { ...result, code: { kind: 'channel', state } }
}

export function runExternal(world: World, message: LedgerMessage, nowS: number): Run {
  const account = world.accounts.get(message.to.toRawString())
  const refused = (exit: number): Run => ({ exit, gas: 0n, out: [] })
  if (!account) return refused(NO_STATE)
  const init = message.init && matches(message.init, message.to) ? message.init : undefined
  const code = account.code ?? (init && codeOf(init))
  if (!code || code.kind === 'plain') return refused(NO_STATE)
  const rent = rentDue(world, account, nowS)
  const balance = account.balance - rent - importFee(world, message)
  if (balance < 0n) return refused(OUT_OF_GAS)
  if (code.kind === 'wallet') return runWallet(world, code, message.body, balance, nowS)
  const input = { kind: 'external', body: message.body, hasInit: !!message.init } as const
  const context = { ...contextOf(world, account, nowS), balance }
  const { state, ...result } = runChannel(code.state, input, context)
  return { ...result, code: { kind: 'channel', state } }
}

/** A version 4 wallet's transfer: exit codes 33 to 36 as in its code. */
function runWallet(
  world: World,
  wallet: Extract<SimulatedCode, { kind: 'wallet' }>,
  body: Cell,
  balance: NanoTon,
  nowS: number,
): Run {
  const refused = (exit: number): Run => ({ exit, gas: 0n, out: [] })
  const slice = body.beginParse()
  if (slice.remainingBits < 512 + 104) return refused(9)
  const signature = new Uint8Array(slice.loadBuffer(64))
  const hash = new Uint8Array(slice.clone().asCell().hash())
  const walletId = slice.loadUint(32)
  if (slice.loadUint(32) <= nowS) return refused(36)
  if (slice.loadUint(32) !== wallet.seqno) return refused(33)
  if (walletId !== WALLET_ID) return refused(34)
  if (!verifySignature(hash, signature, wallet.publicKey)) return refused(35)
  slice.skip(8)
  const count = BigInt(slice.remainingRefs)
  const gas = WALLET_GAS.transfer + count * WALLET_GAS.message
  let left = balance - gasFee(world.prices, gas)
  if (left < 0n) return refused(OUT_OF_GAS)
  const out: Run['out'][number][] = []
  while (slice.remainingRefs > 0) {
    const message = outOf(world, slice.loadRef())
    // Mode 3: fees beside the value, and a message that cannot be paid for is left out.
    if (!message || message.value + message.fee > left) continue
    left -= message.value + message.fee
    out.push(message)
  }
  return { exit: 0, gas, code: { ...wallet, seqno: wallet.seqno + 1 }, out }
}

function outOf(world: World, cell: Cell): Run['out'][number] | undefined {
  const { info, body, init } = loadMessageRelaxed(cell.beginParse())
  if (info.type !== 'internal') return undefined
  const { bits, cells } = sizeOf(cell.refs)
  const fee = forwardFee(world.prices, bits, cells)
  const value = info.value.coins
  return { to: info.dest, value, fee, body, bounce: info.bounce, init: init ?? undefined }
}

function contextOf(world: World, account: SimulatedAccount, nowS: number) {
  const { networkId, prices } = world
  return { address: account.address, networkId, nowS, prices }
}
