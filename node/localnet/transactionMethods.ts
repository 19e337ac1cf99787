/**
 * toncenter's methods about past transactions of an account and about who caused whom.
 *
 * A list starts at `lt` and `hash`, inclusive, newest first; the next page starts at the previous
 * transaction of the last one given. History is bounded: a list ends where it was forgotten.
 * @module
 */
import type { Address } from '@ton/core'
import { LIMITS } from '../../contracts/base/limits.ts'
import {
  lookedBeforeBlocks,
  transactionMismatch,
  transactionNotFound,
  transactionNotInBlock,
} from './failures.ts'
import type { History, StoredTransaction } from './history.ts'
import type { Ledger } from './ledger.ts'
import type { Method, MethodTable } from './methods.ts'
import * as read from './params.ts'
import { hasSent, previousId, previousPlace, transactionJson } from './transactionJson.ts'

export function transactionMethods(ledger: Ledger): MethodTable {
  const result: Method = (params) => {
    const { source, destination, created } = messageOf(params)
    const key = `${source.toRawString()}:${created}`
    return located(ledger.history.causedBy(destination.toRawString(), key))
  }
  return {
    getTransactions: (params) => {
      // toncenter's older form takes a logical time of zero for none.
      const isLatest = read.optionalLt(params, 'lt') === 0n
      const page = pageOf(ledger.history, isLatest ? { ...params, lt: undefined } : params)
      return page.map((each) => transactionJson(each, 'plain'))
    },
    getTransactionsStd: (params) => {
      const page = pageOf(ledger.history, params)
      return {
        '@type': 'raw.transactions',
        transactions: page.map((each) => transactionJson(each, 'standard')),
        previous_transaction_id: previousId(page.at(-1)),
      }
    },
    tryLocateTx: result,
    tryLocateResultTx: result,
    tryLocateSourceTx: (params) => {
      const { source, destination, created } = messageOf(params)
      // The messages of a transaction are numbered from its own logical time upwards.
      const [sender] = ledger.history.page(source.toRawString(), 1, created - 1n)
      return located(sender && hasSent(sender, destination, created) ? sender : undefined)
    },
  }
}

function located(stored: StoredTransaction | undefined): object {
  if (!stored) throw transactionNotFound()
  return transactionJson(stored, 'plain')
}

function messageOf(params: read.Params): {
  source: Address
  destination: Address
  created: bigint
} {
  return {
    source: read.address(params, 'source'),
    destination: read.address(params, 'destination'),
    created: read.lt(params, 'created_lt'),
  }
}

function pageOf(history: History, params: read.Params): readonly StoredTransaction[] {
  const account = read.address(params).toRawString()
  const bounds = { least: 1, most: LIMITS.toncenterPage, fallback: PAGE }
  const limit = read.integer(params, 'limit', bounds)
  const lt = read.optionalLt(params, 'lt')
  const hash = read.optionalHash(params, 'hash')
  const until = read.optionalLt(params, 'to_lt') ?? 0n
  read.optionalFlag(params, 'archival') // there is one archive, and it is asked always
  if ((lt === undefined) !== (hash === undefined)) {
    throw read.wrong('lt, hash', 'both or neither')
  }
  const page = history.page(account, limit, lt)
  if (lt !== undefined && hash) checkPlace(history, account, page[0], { lt, hash })
  return withinBytes(page.filter((each) => each.lt > until))
}

/** toncenter's own default. */
const PAGE = 10

/**
 * A page that starts at `lt` starts with a transaction of this `lt` and `hash`. It is empty where
 * it is the one before the oldest that is kept: a reader who pages on comes to an end there.
 */
function checkPlace(
  history: History,
  account: string,
  first: StoredTransaction | undefined,
  { lt, hash }: { lt: bigint; hash: Buffer },
): void {
  if (first?.lt === lt) {
    if (!hash.equals(first.hash)) throw transactionMismatch()
    return
  }
  const oldest = first ? undefined : history.oldest(account)
  const before = oldest && previousPlace(oldest)
  if (before?.lt === lt && before.hash.equals(hash)) return
  if (!history.blockAt({ lt })) throw lookedBeforeBlocks(account, lt)
  throw transactionNotInBlock()
}

/** As many as one answer may hold, one at least: the reader pages on from the last one given. */
function withinBytes(page: readonly StoredTransaction[]): readonly StoredTransaction[] {
  let bytes = 0
  const end = page.findIndex((each) => {
    bytes += each.boc.length
    return bytes > LIMITS.toncenterPageBytes
  })
  return end < 0 ? page : page.slice(0, Math.max(1, end))
}
