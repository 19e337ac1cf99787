/**
 * toncenter's JSON of transactions, in the three forms its methods have.
 *
 * `TonClient` refuses an answer whose fields differ: fees are strings of nanoTON, `data` is the
 * whole transaction as a bag of cells.
 * @module
 */
import { Address, Cell, Dictionary, loadTransaction, type Transaction } from '@ton/core'
import { feesOf } from './block.ts'
import type { StoredTransaction } from './history.ts'
import { type MessageForm, messageJson } from './messageJson.ts'

/** Of `getTransactions` and `tryLocate..`; `getTransactionsStd`; `getBlockTransactionsExt`. */
export type TransactionForm = 'plain' | 'standard' | 'block'

const TYPES = {
  plain: 'ext.transaction',
  standard: 'raw.transaction',
  block: 'raw.transactionExt',
} as const satisfies Record<TransactionForm, string>

/** Account, logical time and hash are present; the page may have begun after a place. */
const SHORT_MODE = 135

export function shortTransaction({ account, lt, hash }: StoredTransaction): object {
  return {
    '@type': 'blocks.shortTxId',
    mode: SHORT_MODE,
    account,
    lt: lt.toString(),
    hash: hash.toString('base64'),
  }
}

export function transactionJson(stored: StoredTransaction, form: TransactionForm): object {
  const cell = Cell.fromBase64(stored.boc)
  const transaction = loadTransaction(cell.beginParse())
  const fee = feesOf(transaction)
  const storage = storageFeeOf(transaction)
  const { inward, outward } = messageCells(cell)
  const messageForm: MessageForm = form === 'plain' ? 'plain' : 'standard'
  const toJson = (message: Cell) => messageJson(message, messageForm)
  return {
    '@type': TYPES[form],
    address: accountAddress(Address.parseRaw(stored.account)),
    ...(form === 'standard' ? {} : { account: stored.account }),
    utime: stored.utime,
    data: stored.boc,
    transaction_id: transactionId(stored.lt, stored.hash),
    fee: fee.toString(),
    storage_fee: storage.toString(),
    other_fee: (fee - storage).toString(),
    ...(inward && { in_msg: toJson(inward) }),
    out_msgs: outward.map(toJson),
  }
}

/** Where the list of the account goes on, before this transaction. */
export function previousId(stored: StoredTransaction | undefined): object {
  if (!stored) return transactionId(0n, Buffer.alloc(32))
  const { lt, hash } = previousPlace(stored)
  return transactionId(lt, hash)
}

/** Where the account's list goes on; 0 and zeros before its first. */
export function previousPlace({ boc }: StoredTransaction): { lt: bigint; hash: Buffer } {
  const { prevTransactionLt: lt, prevTransactionHash } = loadTransaction(
    Cell.fromBase64(boc).beginParse(),
  )
  return { lt, hash: bigintHash(prevTransactionHash) }
}

export function transactionId(lt: bigint, hash: Buffer) {
  return {
    '@type': 'internal.transactionId',
    lt: lt.toString(),
    hash: hash.toString('base64'),
  }
}

export function accountAddress(address: Address): object {
  return { '@type': 'accountAddress', account_address: address.toString() }
}

export function bigintHash(hash: bigint): Buffer {
  return Buffer.from(hash.toString(16).padStart(64, '0'), 'hex')
}

/** True where the transaction sent a message of this logical time to `destination`. */
export function hasSent(stored: StoredTransaction, destination: Address, created: bigint): boolean {
  const { outMessages } = loadTransaction(Cell.fromBase64(stored.boc).beginParse())
  return outMessages
    .values()
    .some(
      ({ info }) =>
        info.type === 'internal' && info.createdLt === created && info.dest.equals(destination),
    )
}

/**
 * The messages as they are in the transaction: one parsed and written again could have another
 * layout, so another hash than the one its sender knows.
 */
function messageCells(transaction: Cell): { inward: Cell | undefined; outward: Cell[] } {
  const slice = transaction.refs[0]!.beginParse()
  const inward = slice.loadMaybeRef() ?? undefined
  const outward = slice.loadDict(Dictionary.Keys.Uint(15), Dictionary.Values.Cell())
  return { inward, outward: outward.values() }
}

function storageFeeOf({ description }: Transaction): bigint {
  if (description.type !== 'generic') return 0n
  return description.storagePhase?.storageFeesCollected ?? 0n
}
