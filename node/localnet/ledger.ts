/**
 * The state of a localnet and the only code that changes it: accounts, messages, time, money.
 *
 * Transactions are run by TON's own transaction emulator (the executor of @ton/sandbox: the real
 * TVM, real fees, the slim configuration), one at a time. A block is applied whole or not at all.
 * Three figures are kept apart, so that conservation can be checked and not only claimed: balances
 * (from the accounts), fees (from what transactions say they collected), minted (by the faucet).
 * @module
 */
import {
  Address,
  Cell,
  type CommonMessageInfoExternalIn,
  loadMessage,
  loadTransaction,
  type Message,
  type Transaction,
  type TupleItem,
} from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { type Account, EMPTY_ACCOUNT } from './account.ts'
import { makeBlock, nextLt, valueIn } from './block.ts'
import type { Emulator } from './emulator.ts'
import { createHistory, type History, type StoredTransaction } from './history.ts'
import { type GetMethodResult, runGetMethod, runMessage, type TvmContext } from './tvm.ts'

/** Where faucet money comes from: an address without a key. */
export const FAUCET = new Address(0, Buffer.alloc(32, 0xfa))

/** Sums over the whole network: `minted = balances + fees + inFlight`, to the nanoTON. */
export interface Totals {
  readonly balances: NanoTon
  readonly fees: NanoTon
  readonly minted: NanoTon
  /** Value of messages that wait for the next block. */
  readonly inFlight: NanoTon
  readonly accounts: number
  readonly transactions: number
}

interface State {
  readonly accounts: Map<string, Account>
  readonly history: History
  waiting: readonly Message[]
  lt: bigint
  minted: NanoTon
  fees: NanoTon
  /** What was added to the clock's time, seconds. */
  offsetS: number
  /** The latest time told. */
  nowS: number
}

/** A state set aside. Opaque, and never changed. */
export type LedgerSnapshot = Readonly<State>

/** Not safe against calls at the same time: a writer puts them in order. */
export interface Ledger {
  readonly config: Cell
  readonly history: History
  /** Messages that wait for the next block. */
  readonly waiting: number
  /** Unix seconds: the clock's time and what was added to it; never goes back by itself. */
  now(): number
  /** Undefined where nothing was ever sent to the address. Reading creates nothing. */
  account(address: Address): Account | undefined
  /** Runs an external message and what it causes. Throws `bad-input`, `contract-failed`. */
  send(message: Cell): Promise<StoredTransaction>
  /** What `send` would do to the account itself; signatures are not checked unless asked. */
  estimate(message: Cell, ignoreSignatures?: boolean): Promise<Transaction>
  /** Sends new money to an address, as an internal message. */
  mint(to: Address, amount: NanoTon): Promise<StoredTransaction>
  /** Runs messages left over from earlier blocks, as many as a block takes. */
  settle(): Promise<void>
  get(address: Address, method: number, stack: TupleItem[]): Promise<GetMethodResult>
  advance(seconds: number): void
  totals(): Totals
  snapshot(): LedgerSnapshot
  restore(snapshot: LedgerSnapshot): void
  reset(): void
}

export interface LedgerOptions extends Emulator {
  readonly networkId: number
  readonly clock: Clock
  readonly logger: Logger
  /** Called when a block left messages for `settle`. */
  readonly onWaiting: () => void
}

export function createLedger(options: LedgerOptions): Ledger {
  const { executor, config, networkId, clock, logger, onWaiting } = options
  const configBoc = config.toBoc({ idx: false }).toString('base64')
  const wallS = () => Math.floor(clock.nowMs() / 1000)
  let state = emptyState(networkId, wallS())

  const now = () => {
    state.nowS = Math.max(state.nowS, wallS() + state.offsetS)
    return state.nowS
  }
  const context = (): TvmContext => ({ executor, config: configBoc, now: now() })
  const accountOf = (address: Address) => state.accounts.get(address.toRawString())

  const runBlock = async (first: Message | undefined): Promise<readonly StoredTransaction[]> => {
    const { lt, waiting, accounts } = state
    const start = { lt, waiting, first, account: (key: string) => accounts.get(key) }
    const tvm = context()
    const block = await makeBlock(start, tvm, logger)
    for (const [key, account] of block.accounts) state.accounts.set(key, account)
    state.waiting = block.waiting
    state.lt = block.lt
    state.fees += block.fees
    state.history.append(tvm.now, block.lt, block.transactions)
    if (block.waiting.length > 0) onWaiting()
    return block.transactions
  }

  return {
    config,
    get history() {
      return state.history
    },
    get waiting() {
      return state.waiting.length
    },
    now,
    account: accountOf,
    async send(cell) {
      return (await runBlock(parseExternal(cell)))[0]!
    },
    async estimate(cell, ignoreSignatures = true) {
      const message = parseExternal(cell)
      const account = accountOf(message.info.dest) ?? EMPTY_ACCOUNT
      const run = { message, account, lt: nextLt(state.lt), ignoreSignatures }
      return loadTransaction((await runMessage(context(), run)).transaction.beginParse())
    },
    async mint(to, amount) {
      const transactions = await runBlock(faucetMessage(to, amount, now(), state.lt))
      state.minted += amount
      return transactions[0]!
    },
    async settle() {
      if (state.waiting.length > 0) await runBlock(undefined)
    },
    get: (address, method, stack) =>
      runGetMethod(context(), { address, account: accountOf(address), method, stack }),
    advance(seconds) {
      state.offsetS += seconds
      state.history.append(now(), state.lt, [])
    },
    totals: () => sumUp(state),
    snapshot: () => copyState(state),
    restore(snapshot) {
      state = copyState(snapshot)
      if (state.waiting.length > 0) onWaiting()
    },
    reset() {
      state = emptyState(networkId, wallS())
    },
  }
}

function emptyState(networkId: number, nowS: number): State {
  return {
    accounts: new Map(),
    history: createHistory(networkId, nowS),
    waiting: [],
    lt: 0n,
    minted: 0n,
    fees: 0n,
    offsetS: 0,
    nowS,
  }
}

function copyState(state: LedgerSnapshot): State {
  return { ...state, accounts: new Map(state.accounts), history: state.history.copy() }
}

function sumUp({ accounts, history, waiting, fees, minted }: State): Totals {
  let balances = 0n
  for (const { shard } of accounts.values()) balances += shard.account?.storage.balance.coins ?? 0n
  return {
    balances,
    fees,
    minted,
    inFlight: waiting.reduce((sum, message) => sum + valueIn(message), 0n),
    accounts: accounts.size,
    transactions: history.transactions,
  }
}

function parseExternal(cell: Cell): Message & { info: CommonMessageInfoExternalIn } {
  const message = tryLoad(cell)
  const { info } = message
  if (info.type !== 'external-in') {
    throw new MarketError('bad-input', { field: 'boc', expected: 'an external message' })
  }
  return { ...message, info }
}

function tryLoad(cell: Cell): Message {
  try {
    return loadMessage(cell.beginParse())
  } catch (cause) {
    throw new MarketError('bad-input', { field: 'boc', expected: 'a message' }, { cause })
  }
}

function faucetMessage(dest: Address, amount: NanoTon, createdAt: number, lt: bigint): Message {
  return {
    info: {
      type: 'internal',
      ihrDisabled: true,
      bounce: false,
      bounced: false,
      src: FAUCET,
      dest,
      value: { coins: amount },
      ihrFee: 0n,
      forwardFee: 0n,
      createdLt: nextLt(lt) - 1n,
      createdAt,
    },
    body: Cell.EMPTY,
  }
}
