/**
 * toncenter's methods about blocks and past transactions.
 *
 * A list of transactions starts at `lt` (and `hash`), inclusive, newest first; the next page starts
 * at the `prev_trans` of the last one given. History is bounded: what was forgotten is not listed.
 * @module
 */
import type { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Block, StoredTransaction } from './history.ts'
import { blockId, EXTRA, fullTransaction, SHARD, shortTransaction } from './json.ts'
import type { Ledger } from './ledger.ts'
import type { Method } from './methods.ts'
import * as read from './params.ts'

export function historyMethods(ledger: Ledger, networkId: number): Record<string, Method> {
  return { ...blockMethods(ledger, networkId), ...transactionMethods(ledger) }
}

function blockMethods(ledger: Ledger, networkId: number): Record<string, Method> {
  const last = () => ledger.history.last
  return {
    getMasterchainInfo: () => ({
      '@type': 'blocks.masterchainInfo',
      last: blockId(last(), -1),
      state_root_hash: last().hash.toString('base64'),
      init: { ...blockId(last(), -1), seqno: 0 },
      ...EXTRA,
    }),
    getConsensusBlock: () => ({ consensus_block: last().seqno, timestamp: ledger.now() }),
    shards: (params) => ({
      '@type': 'blocks.shards',
      shards: [blockId(blockOf(ledger, params), 0)],
      ...EXTRA,
    }),
    getBlockHeader: (params) => header(blockOf(ledger, params), workchainOf(params), networkId),
    lookupBlock: (params) => {
      const workchain = workchainOf(params)
      const lt = read.optionalLt(params, 'lt')
      const utime = read.optionalLt(params, 'unixtime')
      if (lt === undefined && utime === undefined) {
        return blockId(blockOf(ledger, params), workchain)
      }
      const block = ledger.history.blockAt({ lt, utime })
      if (!block) throw new MarketError('not-found', { block: 'forgotten or not yet made' })
      return { ...blockId(block, workchain), ...EXTRA }
    },
    getBlockTransactions: (params) => {
      const page = blockPage(ledger, params)
      return {
        '@type': 'blocks.transactions',
        ...page.head,
        transactions: page.transactions.map(shortTransaction),
        ...EXTRA,
      }
    },
  }
}

function transactionMethods(ledger: Ledger): Record<string, Method> {
  return {
    getTransactions: (params) => {
      const address = read.address(params)
      const account = address.toRawString()
      const limit = read.integer(params, 'limit', {
        least: 1,
        most: LIMITS.chainPage + 1,
        fallback: 10,
      })
      const lt = read.optionalLt(params, 'lt')
      const until = read.optionalLt(params, 'to_lt') ?? 0n
      const page = ledger.history.page(account, limit, lt)
      if (lt !== undefined) checkPlace(ledger, account, page, lt, read.optionalHash(params, 'hash'))
      return page.filter((each) => each.lt > until).map((each) => fullTransaction(each, address))
    },
    tryLocateTx: (params) => locateResult(ledger, params),
    tryLocateResultTx: (params) => locateResult(ledger, params),
    tryLocateSourceTx: (params) => {
      const source = read.address(params, 'source')
      const created = createdLt(params)
      // The messages of a transaction are numbered from its own logical time upwards.
      const [sender] = ledger.history.page(source.toRawString(), 1, created - 1n)
      return located(sender, source)
    },
  }
}

function locateResult(ledger: Ledger, params: read.Params): object {
  const destination = read.address(params, 'destination')
  const key = `${read.address(params, 'source').toRawString()}:${createdLt(params)}`
  return located(ledger.history.causedBy(destination.toRawString(), key), destination)
}

function located(stored: StoredTransaction | undefined, address: Address): object {
  if (!stored) throw new MarketError('not-found', { transaction: 'not located' })
  return fullTransaction(stored, address)
}

function createdLt(params: read.Params): bigint {
  const value = read.optionalLt(params, 'created_lt')
  if (value === undefined) {
    throw new MarketError('bad-input', { field: 'created_lt', expected: 'a logical time' })
  }
  return value
}

/**
 * A page that starts at `lt` starts with a transaction of this `lt` and `hash`; it is empty where
 * history was forgotten before it. Throws `not-found` where there was never one, as toncenter.
 */
function checkPlace(
  ledger: Ledger,
  account: string,
  [first]: readonly StoredTransaction[],
  lt: bigint,
  hash: Buffer | undefined,
): void {
  const isForgotten = !first && ledger.history.page(account, 1).length > 0
  if (isForgotten || (first?.lt === lt && (!hash || first.hash.equals(hash)))) return
  throw new MarketError('not-found', { transaction: 'no transaction of this lt and hash' })
}

function blockPage(ledger: Ledger, params: read.Params) {
  const { localnetBlockTransactions: most } = LIMITS
  const block = blockOf(ledger, params)
  const workchain = workchainOf(params)
  const count = read.integer(params, 'count', { least: 1, most, fallback: most })
  const after = read.optionalLt(params, 'after_lt') ?? -1n
  const rest = block.transactions.filter(
    (each) => each.account.startsWith(`${workchain}:`) && each.lt > after,
  )
  return {
    head: { id: blockId(block, workchain), req_count: count, incomplete: rest.length > count },
    transactions: rest.slice(0, count),
  }
}

function header(block: Block, workchain: number, networkId: number): object {
  return {
    '@type': 'blocks.header',
    id: blockId(block, workchain),
    global_id: networkId,
    version: 0,
    after_merge: false,
    after_split: false,
    before_split: false,
    want_merge: false,
    want_split: false,
    validator_list_hash_short: 0,
    catchain_seqno: 0,
    min_ref_mc_seqno: block.seqno,
    is_key_block: block.seqno === 1,
    prev_key_block_seqno: 1,
    start_lt: block.startLt.toString(),
    end_lt: block.endLt.toString(),
    gen_utime: block.utime,
    prev_blocks: [],
    ...EXTRA,
  }
}

function blockOf(ledger: Ledger, params: read.Params): Block {
  const shard = read.optionalText(params, 'shard')
  if (shard !== undefined && shard !== SHARD && shard !== '8000000000000000') {
    throw new MarketError('bad-input', { field: 'shard', expected: SHARD })
  }
  const seqno = read.integer(params, 'seqno', { least: 0, most: 2 ** 32 - 1 })
  const block = ledger.history.block(seqno)
  if (!block) throw new MarketError('not-found', { block: seqno })
  return block
}

function workchainOf(params: read.Params): number {
  return read.integer(params, 'workchain', { least: -1, most: 0, fallback: -1 })
}
