/**
 * toncenter's methods about blocks and what is in them.
 * @module
 */
import { LIMITS } from '../../contracts/base/limits.ts'
import {
  blockId,
  blockOf,
  header,
  lookUp,
  MASTERCHAIN,
  namedBlock,
  stateRootHash,
  zeroState,
} from './blockJson.ts'
import type { StoredTransaction } from './history.ts'
import type { Ledger } from './ledger.ts'
import type { Method, MethodTable } from './methods.ts'
import * as read from './params.ts'
import { shortTransaction, transactionJson } from './transactionJson.ts'

export function blockMethods(ledger: Ledger, networkId: number): MethodTable {
  const last = () => ledger.history.last
  const shards: Method = (params) => ({
    '@type': 'blocks.shards',
    shards: [blockId(blockOf(ledger.history, read.seqno(params), MASTERCHAIN), 0)],
  })
  return {
    getMasterchainInfo: () => ({
      '@type': 'blocks.masterchainInfo',
      last: blockId(last(), MASTERCHAIN),
      state_root_hash: stateRootHash(last()),
      init: zeroState(networkId),
    }),
    getConsensusBlock: () => ({
      '@type': 'ext.blocks.consensusBlock',
      consensus_block: last().seqno,
      timestamp: ledger.now(),
    }),
    shards,
    getShards: shards,
    getBlockHeader: (params) =>
      header(namedBlock(ledger.history, params), ledger.history, networkId),
    lookupBlock: (params) => {
      const { block, workchain } = lookUp(ledger.history, params)
      return blockId(block, workchain)
    },
    getOutMsgQueueSize: () => {
      const size = { '@type': 'blocks.outMsgQueueSize', id: blockId(last(), 0) }
      return {
        '@type': 'blocks.outMsgQueueSizes',
        shards: [{ ...size, size: ledger.waiting }],
        ext_msg_queue_size_limit: LIMITS.localnetInbox,
      }
    },
    getBlockTransactions: (params) =>
      blockPage(ledger, params, 'blocks.transactions', shortTransaction),
    getBlockTransactionsExt: (params) =>
      blockPage(ledger, params, 'blocks.transactionsExt', (each) => transactionJson(each, 'block')),
  }
}

/** In the order of real blocks: by account, then by logical time. */
function blockPage(
  ledger: Ledger,
  params: read.Params,
  type: string,
  toJson: (transaction: StoredTransaction) => object,
): object {
  const { block, workchain } = namedBlock(ledger.history, params)
  const bounds = { least: 1, most: LIMITS.toncenterBlockPage, fallback: BLOCK_PAGE }
  const count = read.integer(params, 'count', bounds)
  const after = placeAfter(params)
  const rest = block.transactions
    .filter(({ account }) => account.startsWith(`${workchain}:`))
    .map((transaction) => ({ transaction, place: placeOf(transaction) }))
    .filter(({ place }) => after === undefined || place > after)
    .sort((a, b) => (a.place < b.place ? -1 : 1))
  return {
    '@type': type,
    id: blockId(block, workchain),
    req_count: count,
    incomplete: rest.length > count,
    transactions: rest.slice(0, count).map(({ transaction }) => toJson(transaction)),
  }
}

/** toncenter's own default. */
const BLOCK_PAGE = 40
const LT_DIGITS = 20

function placeOf({ account, lt }: StoredTransaction): string {
  return placeAt(account.slice(account.indexOf(':') + 1), lt)
}

function placeAt(accountHash: string, lt: bigint): string {
  return `${accountHash}:${lt.toString().padStart(LT_DIGITS, '0')}`
}

/** `after_lt` and `after_hash`: the account, as a hash or as the raw address that pages print. */
function placeAfter(params: read.Params): string | undefined {
  const lt = read.optionalLt(params, 'after_lt')
  const account = read.optionalText(params, 'after_hash')
  if (lt === undefined && account === undefined) return undefined
  if (lt === undefined || account === undefined) {
    throw read.wrong('after_lt, after_hash', 'both or neither')
  }
  const hash = read.parseHash(account.replace(/^(?:-1|0):/, ''), 'after_hash')
  return placeAt(hash.toString('hex'), lt)
}
