/**
 * The ledger of the simulated chain: accounts, messages, transactions and fees, without blocks.
 *
 * It knows version 4 wallets, channels, and accounts without code; it runs the phases of a TON
 * transaction (rent, credit, compute, action, bounce) in their order. Simplified on purpose, and
 * so stated: wallets pay no rent, an account is never frozen, and a refused message costs an
 * estimated amount of gas. `test/node/chain/simulatedLedger.test.ts` runs it against the sandbox.
 * @module
 */
import { type Address, beginCell } from '@ton/core'
import { toHex, u64, utf8 } from '../../contracts/base/bytes.ts'
import {
  CHAIN_PRICES,
  type ChainPrices,
  DEFAULT_CHAIN_PRICES,
} from '../../contracts/base/chainPrices.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { ChainTransaction } from '../../contracts/base/ports.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import { lesser, type NanoTon } from '../../contracts/base/units.ts'
import {
  accountOf,
  codeOf,
  hashOf,
  importFee,
  type LedgerMessage,
  matches,
  payRent,
  rentDue,
  type SimulatedAccount,
  type World,
} from './simulatedAccount.ts'
import type { ChannelOutput } from './simulatedChannelParts.ts'
import { type Run, runExternal, runInternal } from './simulatedCompute.ts'
import { gasFee } from './simulatedFees.ts'

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
export function createLedger(
  networkId: number,
  prices: ChainPrices = CHAIN_PRICES[DEFAULT_CHAIN_PRICES],
): Ledger {
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

/** Source of the faucet's transactions: an address that nobody has. */
const FAUCET = `0:${'00'.repeat(32)}`
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
  const value = lesser(message.value, account.balance)
  if (!account.code && message.init && matches(message.init, message.to)) {
    account.code = codeOf(message.init)
    account.codeHash = hashOf(message.init)
    account.paidUntilS = nowS
  }
  const run = runInternal(world, account, { ...message, value }, nowS)
  const gas = lesser(gasFee(prices, run.gas), value)
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

/** 0xffffffff and the first 256 bits of the refused body, with what the way left of the value. */
function bounceOf(world: World, message: LedgerMessage, gas: NanoTon): ChannelOutput | undefined {
  const fee = world.prices.forward.lump
  const value = message.value - gas - fee
  if (value <= 0n || !message.from) return undefined
  const slice = message.body.beginParse()
  const kept = slice.loadBits(Math.min(256, slice.remainingBits))
  const body = beginCell().storeUint(0xffffffff, 32).storeBits(kept).endCell()
  return { to: message.from, value, fee, body, bounce: false }
}
