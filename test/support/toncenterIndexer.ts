/**
 * A small indexer on toncenter's API v2, of the kind that explorers are built on: it walks the
 * masterchain, follows the shards, and lists what is in their blocks, page by page.
 * @module
 */
import type { Json } from './localnet.ts'
import type { ToncenterWorld } from './toncenterWorld.ts'

/** A transaction as it was found in a block. */
export interface Found {
  readonly workchain: number
  readonly seqno: number
  readonly account: string
  readonly lt: string
  readonly hash: string
}

export type Ask = ToncenterWorld['result']

export const SHARD = '-9223372036854775808'

/** Every transaction of the blocks from 1 to the last, in the order in which they were found. */
export async function walk(ask: Ask, pageSize: number): Promise<Found[]> {
  const { last } = await ask('getMasterchainInfo')
  const found: Found[] = []
  const known = new Map<string, number>()
  for (let seqno = 1; seqno <= Number(last?.seqno); seqno++) {
    found.push(...(await transactionsOf(ask, { workchain: -1, shard: SHARD, seqno }, pageSize)))
    const { shards } = await ask('shards', { seqno })
    for (const top of Object.values(shards!)) {
      const place = `${top.workchain}:${top.shard}`
      for (let next = (known.get(place) ?? 0) + 1; next <= Number(top.seqno); next++) {
        const block = { workchain: Number(top.workchain), shard: String(top.shard), seqno: next }
        found.push(...(await transactionsOf(ask, block, pageSize)))
      }
      known.set(place, Math.max(known.get(place) ?? 0, Number(top.seqno)))
    }
  }
  return found
}

async function transactionsOf(
  ask: Ask,
  block: { workchain: number; shard: string; seqno: number },
  count: number,
): Promise<Found[]> {
  const { workchain, seqno } = block
  const found: Found[] = []
  let after = {}
  for (;;) {
    const page = await ask('getBlockTransactions', { ...block, count, ...after })
    const short = Object.values(page.transactions!)
    const full = await ask('getBlockTransactionsExt', { ...block, count, ...after })
    sameTransactions(short, Object.values(full.transactions!))
    for (const { account, lt, hash } of short) {
      const text = { account: String(account), lt: String(lt), hash: String(hash) }
      found.push({ workchain, seqno, ...text })
    }
    if (!page.incomplete) return found
    const { account, lt } = short.at(-1)!
    after = { after_lt: lt, after_hash: account }
  }
}

function sameTransactions(short: readonly Json[], full: readonly Json[]): void {
  const ids = short.map(({ account, lt, hash }) => `${account} ${lt} ${hash}`)
  const fullIds = full.map(({ account, transaction_id: id }) => `${account} ${id?.lt} ${id?.hash}`)
  if (ids.join() !== fullIds.join()) throw new Error(`two lists: ${ids} and ${fullIds}`)
}

/** The whole history of an account, by pages that start where the last one ended. */
export async function historyOf(ask: Ask, address: string, limit: number): Promise<Json[]> {
  const { last_transaction_id: last } = await ask('getAddressInformation', { address })
  const found: Json[] = []
  let from = { lt: String(last?.lt), hash: String(last?.hash) }
  while (from.lt !== '0') {
    const page = await ask('getTransactionsStd', { address, limit, ...from })
    found.push(...Object.values(page.transactions!))
    const next = page.previous_transaction_id!
    from = { lt: String(next.lt), hash: String(next.hash) }
  }
  return found
}
