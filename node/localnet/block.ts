/**
 * One block in the making: messages run in order, effects gathered aside until the block is whole.
 * @module
 */
import { loadTransaction, type Message, type Transaction } from '@ton/core'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Logger } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { type Account, EMPTY_ACCOUNT } from './account.ts'
import type { StoredTransaction } from './history.ts'
import { runMessage, type TvmContext } from './tvm.ts'

/** Logical time between two transactions: room for the messages of one. */
const LT_STEP = 1_000_000n

export interface BlockResult {
  /** Accounts that changed, by raw address. */
  readonly accounts: ReadonlyMap<string, Account>
  readonly transactions: readonly StoredTransaction[]
  /** Messages that did not fit; they open the next block. */
  readonly waiting: readonly Message[]
  readonly fees: NanoTon
  readonly lt: bigint
}

export interface BlockStart {
  readonly lt: bigint
  /** A message from outside; where it fails there is no block. */
  readonly first: Message | undefined
  readonly waiting: readonly Message[]
  account(key: string): Account | undefined
}

/**
 * Runs messages until none is left or the block is full. Throws `contract-failed` where `first` is
 * not taken. A later message that the emulator cannot run at all is dropped, its value a fee.
 */
export async function makeBlock(
  start: BlockStart,
  context: TvmContext,
  logger: Logger,
): Promise<BlockResult> {
  const accounts = new Map<string, Account>()
  const transactions: StoredTransaction[] = []
  const queue = start.first ? [start.first, ...start.waiting] : [...start.waiting]
  let { lt } = start
  let fees = 0n
  for (let run = 0; run < LIMITS.localnetBlockTransactions; run++) {
    const message = queue.shift()
    if (!message) break
    const key = destinationOf(message).toRawString()
    const account = accounts.get(key) ?? start.account(key) ?? EMPTY_ACCOUNT
    try {
      lt = nextLt(lt)
      const after = await runMessage(context, { message, account, lt })
      const transaction = loadTransaction(after.transaction.beginParse())
      if (transaction.lt > lt) lt = transaction.lt
      accounts.set(key, after.account)
      fees += feesOf(transaction)
      for (const out of transaction.outMessages.values()) {
        if (out.info.type === 'internal') queue.push(out)
      }
      const boc = after.transaction.toBoc().toString('base64')
      transactions.push(store(key, transaction, boc))
    } catch (thrown) {
      if (message === start.first) throw thrown
      logger.error({ error: asMarketError(thrown).report(), account: key }, 'message dropped')
      fees += valueIn(message)
    }
  }
  return { accounts, transactions, waiting: queue, fees, lt }
}

/** The logical time of the next transaction. */
export function nextLt(lt: bigint): bigint {
  return (lt / LT_STEP + 1n) * LT_STEP
}

/**
 * All that a transaction took from its account beyond the value it sent on: collected fees, and the
 * forwarding fees that its messages carry to whoever imports them (nobody pays those out here).
 */
export function feesOf(transaction: Transaction): NanoTon {
  let fees = transaction.totalFees.coins
  for (const { info } of transaction.outMessages.values()) {
    if (info.type === 'internal') fees += info.forwardFee + info.ihrFee
  }
  return fees
}

export function valueIn({ info }: Message): NanoTon {
  return info.type === 'internal' ? info.value.coins : 0n
}

function destinationOf({ info }: Message) {
  if (info.type === 'external-out') throw new MarketError('internal', { message: 'outbound' })
  return info.dest
}

function store(account: string, transaction: Transaction, boc: string): StoredTransaction {
  const info = transaction.inMessage?.info
  return {
    account,
    lt: transaction.lt,
    hash: transaction.hash(),
    boc,
    utime: transaction.now,
    inKey: info?.type === 'internal' ? `${info.src.toRawString()}:${info.createdLt}` : undefined,
  }
}
