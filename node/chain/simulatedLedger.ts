/**
 * The ledger of the simulated chain: accounts, messages, transactions and fees, without blocks.
 *
 * It knows version 4 wallets, channels, and accounts without code; it runs the phases of a TON
 * transaction (rent, credit, compute, action, bounce) in their order. Simplified on purpose, and
 * so stated: wallets pay no rent, an account is never frozen, and a refused message costs an
 * estimated amount of gas. `test/node/chain/simulatedLedger.test.ts` runs it against the sandbox.
 * @module
 */
import {
  type Address,
  beginCell,
  type Cell,
  contractAddress,
  loadMessageRelaxed,
  type StateInit,
  storeStateInit,
} from '@ton/core'
import { type Bytes, toHex, u64, utf8 } from '../../contracts/base/bytes.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { ChainTransaction } from '../../contracts/base/ports.ts'
import { sha256, verifySignature } from '../../contracts/base/signing.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { CHANNEL_CODE_HASH, parseChannelData } from '../../contracts/wrappers/Channel.ts'
import { WALLET_CODE_HASH, WALLET_ID } from '../../contracts/wrappers/wallet.ts'
import {
  type ChannelOutput,
  type ChannelState,
  channelSize,
  runChannel,
} from './simulatedChannel.ts'
import {
  DEFAULT_PRICES,
  forwardFee,
  gasFee,
  type PriceTable,
  sizeOf,
  storageFee,
  WALLET_GAS,
} from './simulatedFees.ts'

/** What runs at an account. `plain` takes every message: code this model does not know. */
export type SimulatedCode =
  | { readonly kind: 'channel'; state: ChannelState }
  | { readonly kind: 'wallet'; readonly publicKey: Bytes; seqno: number }
  | { readonly kind: 'plain' }

export interface SimulatedAccount {
  readonly address: Address
  balance: NanoTon
  code?: SimulatedCode
  codeHash?: Bytes
  /** Unix seconds until which rent is paid. */
  paidUntilS: number
  /** Rent that the balance did not cover: the next messages pay it first. */
  debt: NanoTon
  /** Newest last; the oldest are forgotten beyond `LIMITS.simulatedTransactions`. */
  readonly transactions: ChainTransaction[]
}

/** A message to an account, from a contract or from outside. */
export interface LedgerMessage {
  readonly to: Address
  readonly body: Cell
  readonly init?: StateInit
  /** None for an external message. */
  readonly from?: Address
  readonly value: NanoTon
  readonly bounce: boolean
  readonly bounced: boolean
}

export interface Ledger {
  account(address: Address): SimulatedAccount | undefined
  /** Money from nowhere: what `totals().faucet` counts. */
  faucet(address: Address, amount: NanoTon, nowS: number): void
  /** Exit code with which an external message would be refused now, or 0. Changes nothing. */
  check(message: LedgerMessage, nowS: number): number
  /**
   * Runs a message and everything it causes. Gives the exit code of the first transaction; an
   * external message that is refused causes none.
   */
  deliver(message: LedgerMessage, nowS: number): number
  totals(): LedgerTotals
}

/** `balances + fees === faucet`, always. */
export interface LedgerTotals {
  readonly balances: NanoTon
  readonly fees: NanoTon
  readonly faucet: NanoTon
}

/** An empty ledger. */
export function createLedger(networkId: number, prices: PriceTable = DEFAULT_PRICES): Ledger {
  const world: World = { networkId, prices, accounts: new Map(), fees: 0n, faucet: 0n, lt: 0n }
  return {
    account: (address) => world.accounts.get(address.toRawString()),
    faucet(address, amount, nowS) {
      const account = accountOf(world, address)
      account.balance += amount
      world.faucet += amount
      record(world, account, {
        ...{ at: nowS, fees: 0n, exitCode: 0, aborted: false, out: [] },
        in: { value: amount, source: FAUCET },
      })
    },
    check: (message, nowS) => runExternal(world, message, nowS).exit,
    deliver: (message, nowS) => deliver(world, message, nowS),
    totals() {
      const balances = [...world.accounts.values()].reduce((sum, one) => sum + one.balance, 0n)
      return { balances, fees: world.fees, faucet: world.faucet }
    },
  }
}

interface World {
  readonly networkId: number
  readonly prices: PriceTable
  readonly accounts: Map<string, SimulatedAccount>
  fees: NanoTon
  faucet: NanoTon
  lt: bigint
}

/** What a transaction did, before it is written down. `code` replaces the account's. */
interface Run {
  readonly exit: number
  readonly gas: bigint
  readonly code?: SimulatedCode
  readonly out: readonly (ChannelOutput & { readonly init?: StateInit })[]
}

const NO_STATE = -256
/** Source of the faucet's transactions: an address that nobody has. */
const FAUCET = `0:${'00'.repeat(32)}`
const OUT_OF_GAS = 13

function deliver(world: World, first: LedgerMessage, nowS: number): number {
  const queue: LedgerMessage[] = []
  const exit = first.from ? receive(world, first, nowS, queue) : accept(world, first, nowS, queue)
  for (let message = queue.shift(); message; message = queue.shift()) {
    receive(world, message, nowS, queue)
  }
  return exit
}

/** An external message: refused without a trace, or run at the account's cost. */
function accept(
  world: World,
  message: LedgerMessage,
  nowS: number,
  queue: LedgerMessage[],
): number {
  const run = runExternal(world, message, nowS)
  if (run.exit !== 0) return run.exit
  const account = accountOf(world, message.to)
  const rent = payRent(account, rentDue(world, account, nowS), nowS)
  const own = importFee(world, message) + gasFee(world.prices, run.gas)
  if (message.init && !account.code) account.codeHash = hashOf(message.init)
  account.code = run.code
  account.balance -= own
  const fees = rent + own
  world.fees += fees
  finish(world, account, message, run, fees, nowS, queue)
  return 0
}

/** An internal message: always a transaction; one that is refused may bounce. */
function receive(
  world: World,
  message: LedgerMessage,
  nowS: number,
  queue: LedgerMessage[],
): number {
  const { prices } = world
  const account = accountOf(world, message.to)
  // Rent comes first, and from the balance alone, where the message may bounce; otherwise the
  // message is credited first and pays an older debt too. Its size is that of the stored state.
  const due = rentDue(world, account, nowS)
  if (!message.bounce) account.balance += message.value
  const rent = payRent(account, due, nowS)
  if (message.bounce) account.balance += message.value
  world.fees += rent
  const value = least(message.value, account.balance)
  if (!account.code && message.init && matches(message.init, message.to)) {
    account.code = codeOf(message.init)
    account.codeHash = hashOf(message.init)
    account.paidUntilS = nowS
  }
  const run = runInternal(world, account, { ...message, value }, nowS)
  const gas = least(gasFee(prices, run.gas), value)
  if (run.exit === 0) account.code = run.code
  account.balance -= gas
  world.fees += gas
  const bounced =
    run.exit !== 0 && message.bounce ? bounceOf(world, { ...message, value }, gas) : undefined
  const out = bounced ? [bounced] : run.out
  finish(world, account, message, { ...run, out }, rent + gas, nowS, queue, bounced !== undefined)
  return run.exit
}

function finish(
  world: World,
  account: SimulatedAccount,
  message: LedgerMessage,
  run: Run,
  fees: NanoTon,
  nowS: number,
  queue: LedgerMessage[],
  bounced = false,
): void {
  for (const out of run.out) {
    account.balance -= out.value + out.fee
    world.fees += out.fee
    queue.push({ ...out, from: account.address, bounced })
  }
  record(world, account, {
    at: nowS,
    fees: run.out.reduce((sum, { fee }) => sum + fee, fees),
    exitCode: run.exit,
    aborted: run.exit !== 0,
    in: { value: message.value, source: message.from?.toRawString(), body: message.body },
    out: run.out.map(({ value, to }) => ({ value, destination: to.toRawString() })),
  })
}

/** Writes a transaction down, under the next logical time. */
function record(
  world: World,
  account: SimulatedAccount,
  transaction: Omit<ChainTransaction, 'hash' | 'lt'>,
): void {
  world.lt += 1_000_000n
  const { transactions, address } = account
  if (transactions.length >= LIMITS.simulatedTransactions) transactions.shift()
  const hash = toHex(sha256(utf8(address.toRawString()), u64(world.lt)))
  transactions.push({ ...transaction, hash, lt: world.lt })
}

function runInternal(
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

function runExternal(world: World, message: LedgerMessage, nowS: number): Run {
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

/** 0xffffffff and the first 256 bits of the refused body, with what the way left of the value. */
function bounceOf(world: World, message: LedgerMessage, gas: NanoTon): ChannelOutput | undefined {
  const fee = world.prices.forwardLump
  const value = message.value - gas - fee
  if (value <= 0n || !message.from) return undefined
  const slice = message.body.beginParse()
  const kept = slice.loadBits(Math.min(256, slice.remainingBits))
  const body = beginCell().storeUint(0xffffffff, 32).storeBits(kept).endCell()
  return { to: message.from, value, fee, body, bounce: false }
}

function contextOf(world: World, account: SimulatedAccount, nowS: number) {
  const { networkId, prices } = world
  return { address: account.address, networkId, nowS, prices }
}

/** Takes rent from the balance; what it lacks stays as a debt. Gives what was taken. */
function payRent(account: SimulatedAccount, due: NanoTon, nowS: number): NanoTon {
  const rent = least(due, account.balance)
  account.debt = due - rent
  account.balance -= rent
  account.paidUntilS = nowS
  return rent
}

function rentDue(world: World, account: SimulatedAccount, nowS: number): NanoTon {
  if (account.code?.kind !== 'channel') return account.debt
  const size = channelSize(account.code.state, account.balance)
  return account.debt + storageFee(world.prices, size, nowS - account.paidUntilS)
}

function importFee(world: World, message: LedgerMessage): NanoTon {
  const roots = [message.body]
  if (message.init) roots.push(beginCell().store(storeStateInit(message.init)).endCell())
  const { bits, cells } = sizeOf(roots)
  return forwardFee(world.prices, bits, cells)
}

function codeOf(init: StateInit): SimulatedCode {
  if (!init.code || !init.data) return { kind: 'plain' }
  const hash = init.code.hash().toString('hex')
  if (hash === CHANNEL_CODE_HASH) return { kind: 'channel', state: parseChannelData(init.data) }
  if (hash !== WALLET_CODE_HASH) return { kind: 'plain' }
  const data = init.data.beginParse()
  const seqno = data.loadUint(32)
  data.skip(32)
  return { kind: 'wallet', seqno, publicKey: new Uint8Array(data.loadBuffer(32)) }
}

function hashOf(init: StateInit): Bytes | undefined {
  return init.code ? new Uint8Array(init.code.hash()) : undefined
}

function matches(init: StateInit, address: Address): boolean {
  return contractAddress(address.workChain, init).equals(address)
}

function accountOf(world: World, address: Address): SimulatedAccount {
  const key = address.toRawString()
  const known = world.accounts.get(key)
  if (known) return known
  const fresh: SimulatedAccount = {
    address,
    balance: 0n,
    paidUntilS: 0,
    debt: 0n,
    transactions: [],
  }
  world.accounts.set(key, fresh)
  return fresh
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
