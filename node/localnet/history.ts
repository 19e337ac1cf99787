/**
 * What happened on a localnet: blocks and the transactions in them, bounded, oldest forgotten.
 *
 * Every message sent from outside makes a block, together with all that it causes. Masterchain and
 * basechain have one block each of the same number; only the workchain of its accounts tells where
 * a transaction is listed.
 * @module
 */
import { createHash } from 'node:crypto'
import { LIMITS } from '../../contracts/base/limits.ts'

/** One transaction, kept as bytes: a parsed one would take ten times the memory. */
export interface StoredTransaction {
  /** Raw address of the account. */
  readonly account: string
  readonly lt: bigint
  readonly hash: Buffer
  /** Bag of cells, base64. */
  readonly boc: string
  readonly utime: number
  /** `sourceRaw:createdLt` of the inbound internal message. */
  readonly inKey: string | undefined
}

export interface Block {
  readonly seqno: number
  readonly utime: number
  readonly startLt: bigint
  readonly endLt: bigint
  readonly hash: Buffer
  readonly transactions: readonly StoredTransaction[]
}

export interface History {
  readonly last: Block
  /** Adds a block of these transactions, in order; forgets the oldest beyond the bounds. */
  append(utime: number, lt: bigint, transactions: readonly StoredTransaction[]): Block
  block(seqno: number): Block | undefined
  /** The newest block that `holds`. */
  findBlock(holds: (block: Block) => boolean): Block | undefined
  /** The newest block that had begun by this logical time, and by this Unix time. */
  blockAt(by: { lt?: bigint; utime?: bigint }): Block | undefined
  /** Transactions of an account, newest first, from `fromLt` (inclusive) downwards. */
  page(account: string, limit: number, fromLt?: bigint): readonly StoredTransaction[]
  /** The transaction of an account that an internal message caused (`inKey`). */
  causedBy(account: string, inKey: string): StoredTransaction | undefined
  /** Transactions of an account, oldest first. */
  of(account: string): readonly StoredTransaction[]
  readonly transactions: number
  /** An independent copy; blocks and transactions are shared, since nothing changes them. */
  copy(): History
}

export function createHistory(networkId: number, utime: number): History {
  const genesis = makeBlock(networkId, 1, utime, 0n, [])
  return historyOf(networkId, [genesis], new Map(), 0)
}

function historyOf(
  networkId: number,
  blocks: Block[],
  byAccount: Map<string, StoredTransaction[]>,
  count: number,
): History {
  let transactions = count
  const forgetOldest = () => {
    const oldest = blocks.shift()
    for (const { account } of oldest?.transactions ?? []) {
      const list = byAccount.get(account) ?? []
      list.shift() // blocks hold an account's transactions in order, so its oldest is this one
      if (list.length === 0) byAccount.delete(account)
      transactions--
    }
  }
  return {
    get last() {
      return blocks[blocks.length - 1]!
    },
    get transactions() {
      return transactions
    },
    append(utime, lt, added) {
      const block = makeBlock(networkId, this.last.seqno + 1, utime, lt, added)
      blocks.push(block)
      for (const transaction of added) {
        const list = byAccount.get(transaction.account)
        if (list) list.push(transaction)
        else byAccount.set(transaction.account, [transaction])
      }
      transactions += added.length
      const { localnetTransactions, localnetBlocks } = LIMITS
      while (
        (transactions > localnetTransactions || blocks.length > localnetBlocks) &&
        blocks.length > 1
      ) {
        forgetOldest()
      }
      return block
    },
    block: (seqno) => blocks[seqno - blocks[0]!.seqno],
    findBlock: (holds) => blocks.findLast(holds),
    blockAt: ({ lt, utime }) =>
      blocks.findLast(
        (block) =>
          (lt === undefined || block.startLt <= lt) &&
          (utime === undefined || BigInt(block.utime) <= utime),
      ),
    page: (account, limit, fromLt) => {
      const list = byAccount.get(account) ?? []
      const end = fromLt === undefined ? list.length : list.findLastIndex((t) => t.lt <= fromLt) + 1
      return list.slice(Math.max(0, end - limit), end).reverse()
    },
    causedBy: (account, inKey) =>
      byAccount.get(account)?.findLast((transaction) => transaction.inKey === inKey),
    of: (account) => byAccount.get(account) ?? [],
    copy: () => {
      const lists = [...byAccount].map(([key, list]): [string, StoredTransaction[]] => [
        key,
        [...list],
      ])
      return historyOf(networkId, [...blocks], new Map(lists), transactions)
    },
  }
}

function makeBlock(
  networkId: number,
  seqno: number,
  utime: number,
  lt: bigint,
  transactions: readonly StoredTransaction[],
): Block {
  const hash = createHash('sha256').update(`block ${networkId} ${seqno} ${utime} ${lt}`)
  for (const transaction of transactions) hash.update(transaction.hash)
  return {
    seqno,
    utime,
    startLt: transactions[0]?.lt ?? lt,
    endLt: transactions.at(-1)?.lt ?? lt,
    hash: hash.digest(),
    transactions,
  }
}
