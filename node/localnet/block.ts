/**
 * One block in the making: messages run in order, effects gathered aside until the block is whole.
 *
 * A block runs what was there before it: messages that earlier blocks made, and messages from
 * outside. What these cause is run by the next block at the earliest, as on any TON network.
 * @module
 */
import { type Cell, Dictionary, loadMessage, type Message, type Transaction } from '@ton/core'
import { asMarketError, type MarketError } from '../../contracts/base/errors.ts'
import type { Logger } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { type Account, EMPTY_ACCOUNT } from './account.ts'
import type { Waiting } from './figures.ts'
import type { StoredTransaction } from './history.ts'
import { type Ran, runMessage, type TvmContext } from './tvm.ts'

/** Logical time between two transactions: room for the messages of one. */
const LT_STEP = 1_000_000n

/** A message of a block: a waiting one, or one from outside, which has no value. */
export interface Input extends Waiting {
  readonly isExternal?: boolean
  /** What running it gave when it was accepted; it counts where nothing has changed since. */
  readonly rehearsal?: Rehearsal
}

/** A run of a message before its block, and all that it depended on. */
export interface Rehearsal {
  readonly ran: Ran
  readonly account: string
  readonly lt: bigint
  readonly now: number
  readonly seed: Buffer
}

export interface BlockStart {
  /** Of the newest transaction so far. */
  readonly lt: bigint
  readonly inputs: readonly Input[]
  account(key: string): Account | undefined
}

export interface BlockResult {
  /** Accounts that changed, by raw address. */
  readonly accounts: ReadonlyMap<string, Account>
  /** Accounts among them that were not there before. */
  readonly fresh: number
  readonly transactions: readonly StoredTransaction[]
  /** For each input its transaction, or why there is none. */
  readonly outcomes: readonly (StoredTransaction | MarketError)[]
  /** Messages that these transactions sent. */
  readonly made: readonly Waiting[]
  readonly fees: NanoTon
  readonly lt: bigint
}

/**
 * Runs the inputs. An external message that is not taken makes no transaction; an internal one
 * that the emulator cannot run at all is dropped, its value a fee. Each input has the logical time
 * of its place, so that what a rehearsal assumed can come true.
 */
export async function makeBlock(
  start: BlockStart,
  context: TvmContext,
  logger: Logger,
): Promise<BlockResult> {
  const accounts = new Map<string, Account>()
  const transactions: StoredTransaction[] = []
  const outcomes: (StoredTransaction | MarketError)[] = []
  const made: Waiting[] = []
  let { lt } = start
  let fees = 0n
  let fresh = 0
  for (const [place, input] of start.inputs.entries()) {
    const { to } = input
    const before = accounts.get(to) ?? start.account(to)
    const account = before ?? EMPTY_ACCOUNT
    try {
      const ran = await run(context, input, account, ltOf(start.lt, place))
      const parsed = readTransaction(ran.transaction)
      lt = parsed.lt
      accounts.set(to, ran.account)
      if (!before) fresh += 1
      fees += parsed.fees
      made.push(...parsed.sent)
      const { inKey } = parsed
      const hash = ran.transaction.hash()
      const stored = { account: to, lt, hash, boc: ran.boc, utime: context.now, inKey }
      transactions.push(stored)
      outcomes.push(stored)
    } catch (thrown) {
      const error = asMarketError(thrown)
      outcomes.push(error)
      fees += input.value
      const level = input.isExternal ? 'info' : 'error'
      logger[level]({ error: error.report(), account: to }, 'message dropped')
    }
  }
  return { accounts, fresh, transactions, outcomes, made, fees, lt }
}

/** The logical time of the transaction at a place of the block after `lt`. */
export function ltOf(lt: bigint, place: number): bigint {
  return (lt / LT_STEP + 1n + BigInt(place)) * LT_STEP
}

async function run(
  context: TvmContext,
  { cell, rehearsal }: Input,
  account: Account,
  lt: bigint,
): Promise<Ran> {
  const isTrue =
    rehearsal?.account === account.boc &&
    rehearsal.lt === lt &&
    rehearsal.now === context.now &&
    rehearsal.seed.equals(context.seed)
  return isTrue ? rehearsal.ran : runMessage(context, { message: cell, account, lt })
}

/**
 * What the books need of a transaction, by block.tlb:
 * `transaction$0111 account_addr:bits256 lt:uint64 prev_trans_hash:bits256 prev_trans_lt:uint64
 * now:uint32 outmsg_cnt:uint15 orig_status:2 end_status:2 ^[in_msg:(Maybe ^Message)
 * out_msgs:(HashmapE 15 ^Message)] total_fees:CurrencyCollection ..`. Messages stay the cells they
 * are: written anew, one could have another hash.
 */
function readTransaction(cell: Cell) {
  const slice = cell.beginParse().skip(4 + 256)
  const lt = slice.loadUintBig(64)
  slice.skip(256 + 64 + 32 + 15 + 2 + 2)
  const messages = slice.loadRef().beginParse()
  const inbound = messages.loadMaybeRef()
  const outbound = messages.loadDict(Dictionary.Keys.Uint(15), Dictionary.Values.Cell())
  let fees = slice.loadCoins()
  const sent: Waiting[] = []
  for (const out of outbound.values()) {
    const { info } = loadMessage(out.beginParse())
    if (info.type !== 'internal') continue
    fees += info.forwardFee
    sent.push({ cell: out, to: info.dest.toRawString(), value: info.value.coins })
  }
  return { lt, fees, sent, inKey: inbound ? keyOf(loadMessage(inbound.beginParse())) : undefined }
}

function keyOf({ info }: Message): string | undefined {
  if (info.type !== 'internal') return undefined
  return `${info.src.toRawString()}:${info.createdLt}`
}

/**
 * All that a transaction took from its account beyond the value it sent on: collected fees, and
 * the forwarding fees that its messages carry to whoever imports them (nobody pays those out here).
 * What stands where the fee of instant routing was are flags of bouncing since TVM 12, no money.
 */
export function feesOf(transaction: Transaction): NanoTon {
  let fees = transaction.totalFees.coins
  for (const { info } of transaction.outMessages.values()) {
    if (info.type === 'internal') fees += info.forwardFee
  }
  return fees
}
