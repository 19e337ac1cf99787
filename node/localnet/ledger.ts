/**
 * The state of a localnet and the only code that changes it: accounts, messages, time, money.
 *
 * Transactions are run by TON's own transaction emulator (the executor of @ton/sandbox: the real
 * TVM, real fees), one at a time. With a pace, messages from outside wait for the next block, which
 * `produce` makes when it is due; without one (`blockMs` 0) `send` makes its block at once. Either
 * way what a block causes runs in later blocks. A block is applied whole or not at all.
 * @module
 */
import {
  type Address,
  type Cell,
  loadTransaction,
  type Transaction,
  type TupleItem,
} from '@ton/core'
import type { NanoTon } from '../../contracts/base/units.ts'
import { type Account, EMPTY_ACCOUNT } from './account.ts'
import { ltOf } from './block.ts'
import {
  appendEmpty,
  type Core,
  type CoreOptions,
  changePace,
  createCore,
  lastSeqno,
  tvmAt,
  wake,
} from './core.ts'
import type { History, StoredTransaction } from './history.ts'
import { externalInput } from './inputs.ts'
import { accept, grant, produce, runNow } from './produce.ts'
import { type GetMethodResult, runGetMethod, runMessage } from './tvm.ts'

/** Sums over the whole network: `minted = balances + fees + inFlight`, to the nanoTON. */
export interface Totals {
  readonly balances: NanoTon
  readonly fees: NanoTon
  readonly minted: NanoTon
  /** Value of messages that wait for the next block. */
  readonly inFlight: NanoTon
}

/** Not safe against calls at the same time: a writer puts them in order. */
export interface Ledger {
  readonly config: Cell
  readonly history: History
  /** Messages that wait for the next block. */
  readonly waiting: number
  /** Milliseconds until the next block must be made; undefined where nothing waits for one. */
  readonly dueInMs: number | undefined
  readonly isPaused: boolean
  readonly accounts: number
  readonly transactions: number
  /** Unix seconds: the clock's time and what was added to it; never goes back by itself. */
  now(): number
  /** Undefined where nothing was ever sent to the address. Reading creates nothing. */
  account(address: Address): Account | undefined
  /**
   * Takes an external message: resolves when it has run, with all that it caused, or, where blocks
   * have a pace, when it is accepted for the next one. Throws `bad-input`, `contract-failed`,
   * `limit-exceeded`.
   */
  send(message: Cell): Promise<void>
  /** What `send` would do to the account itself; signatures are not checked unless asked. */
  estimate(message: Cell, ignoreSignatures?: boolean): Promise<Transaction>
  /**
   * Sends new money to an address, as an internal message. The inner promise is settled by the
   * block that runs it. Throws `paused`, `limit-exceeded`.
   */
  mint(to: Address, amount: NanoTon): Promise<{ readonly done: Promise<StoredTransaction> }>
  /** Makes the block that is due, where one is. */
  produce(): Promise<void>
  get(address: Address, method: number, stack: TupleItem[]): Promise<GetMethodResult>
  advance(seconds: number): void
  pause(): void
  resume(): void
  totals(): Totals
  snapshot(name: string): void
  restore(name: string): void
  reset(): void
  close(): void
}

/** Opens the ledger of a database; a new one begins with block 1. */
export function createLedger(options: CoreOptions): Ledger {
  const core = createCore(options)
  const { books, inbox } = core
  const nowS = () => Math.floor(books.nowMs() / 1_000)
  const readContext = () => tvmAt(core, lastSeqno(core), books.nowMs())
  const account = (address: Address) => books.accounts.get(address.toRawString())
  changePace(core)
  wake(core)
  return {
    config: options.config,
    history: books.history,
    get waiting() {
      return books.figures.waiting.length + inbox.size
    },
    get dueInMs() {
      return core.dueMs === undefined ? undefined : Math.max(0, core.dueMs - books.nowMs())
    },
    get isPaused() {
      return books.figures.isPaused
    },
    get accounts() {
      return books.figures.accounts
    },
    get transactions() {
      return books.figures.transactions
    },
    now: nowS,
    account,
    async send(cell) {
      const input = externalInput(cell)
      if (options.blockMs > 0 || books.figures.isPaused) await accept(core, input)
      else await runNow(core, input)
    },
    async estimate(cell, ignoreSignatures = true) {
      const { to } = externalInput(cell)
      const run = {
        message: cell,
        account: books.accounts.get(to) ?? EMPTY_ACCOUNT,
        lt: ltOf(books.figures.lt, 0),
        ignoreSignatures,
      }
      return loadTransaction((await runMessage(readContext(), run)).transaction.beginParse())
    },
    mint: (to, amount) => grant(core, to, amount),
    produce: () => produce(core),
    get: (address, method, stack) =>
      runGetMethod(readContext(), { address, account: account(address), method, stack }),
    ...timeControls(core),
    ...stateControls(core),
    close: () => options.database.close(),
  }
}

function timeControls(core: Core): Pick<Ledger, 'advance' | 'pause' | 'resume'> {
  const { books } = core
  const setPaused = (isPaused: boolean) => {
    if (books.figures.isPaused === isPaused) return
    books.commit({ figures: { isPaused } })
    changePace(core)
    wake(core)
  }
  return {
    advance(seconds) {
      const seqno = lastSeqno(core) + 1
      const offsetMs = books.figures.offsetMs + seconds * 1_000
      books.commit({ figures: { offsetMs } })
      if (!books.figures.isPaused) appendEmpty(core, seqno)
      core.dueMs = undefined
      wake(core)
    },
    pause: () => setPaused(true),
    resume: () => setPaused(false),
  }
}

function stateControls(core: Core): Pick<Ledger, 'totals' | 'snapshot' | 'restore' | 'reset'> {
  const { books, inbox } = core
  const begin = () => {
    inbox.clear()
    core.dueMs = undefined
    changePace(core)
    wake(core)
  }
  return {
    totals() {
      const { fees, minted, waiting } = books.figures
      const inFlight = waiting.reduce((sum, { value }) => sum + value, 0n)
      const balances = books.accounts.balances()
      return { balances, fees, minted, inFlight }
    },
    snapshot: books.takeSnapshot,
    restore(name) {
      books.restore(name)
      begin()
    },
    reset() {
      books.reset()
      begin()
    },
  }
}
