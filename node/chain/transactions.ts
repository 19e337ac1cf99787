/**
 * Lists of an account's transactions, newest first, from any logical time on.
 *
 * toncenter starts a page at a transaction named by time *and* hash, which each transaction gives
 * for its predecessor. Those of pages already seen are remembered; for a time never seen the list
 * is walked from its newest end.
 * @module
 */
import type { Address, Transaction } from '@ton/core'
import type { TonClient } from '@ton/ton'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { ChainTransaction } from '../../contracts/base/ports.ts'

/** The transaction a list starts at. */
interface Place {
  readonly lt: bigint
  readonly hash: string
}

interface Cursors {
  /** Where the list goes on below `lt`, if that has been seen. */
  get(address: Address, lt: bigint): Place | undefined
  remember(address: Address, lt: bigint, next: Place): void
}

/** Memory of places, bounded by `LIMITS.chainCursors`, oldest forgotten. */
export function transactionCursors(): Cursors {
  const places = new Map<string, Place>()
  const key = (address: Address, lt: bigint) => `${address.toRawString()}:${lt}`
  return {
    get: (address, lt) => places.get(key(address, lt)),
    remember(address, lt, next) {
      if (places.size >= LIMITS.chainCursors) places.delete(places.keys().next().value!)
      places.set(key(address, lt), next)
    },
  }
}

/** At most `limit` transactions below `beforeLt`. Throws `limit-exceeded` where that is too far. */
export async function listTransactions(
  { client, cursors }: { client: TonClient; cursors: Cursors },
  address: Address,
  limit: number,
  beforeLt: bigint | undefined,
): Promise<ChainTransaction[]> {
  const found: Transaction[] = []
  let place = beforeLt === undefined ? undefined : cursors.get(address, beforeLt)
  for (let page = 0; found.length < limit; page++) {
    if (page >= LIMITS.chainPages) {
      throw new MarketError('limit-exceeded', { limit: 'chainPages' })
    }
    if (place?.lt === 0n) break
    const wanted = beforeLt === undefined || place ? limit - found.length : LIMITS.chainPage
    const list = await client.getTransactions(address, {
      limit: Math.min(wanted, LIMITS.chainPage),
      ...(place && { lt: place.lt.toString(), hash: place.hash, inclusive: true }),
    })
    const last = list.at(-1)
    if (!last) break
    place = placeBefore(last)
    for (const each of list) {
      if (beforeLt === undefined || each.lt < beforeLt) found.push(each)
    }
  }
  const given = found.slice(0, limit)
  const oldest = given.at(-1)
  if (oldest) cursors.remember(address, oldest.lt, placeBefore(oldest))
  return given.map(toChainTransaction)
}

function placeBefore({ prevTransactionLt, prevTransactionHash }: Transaction): Place {
  const hash = Buffer.from(prevTransactionHash.toString(16).padStart(64, '0'), 'hex')
  return { lt: prevTransactionLt, hash: hash.toString('base64') }
}

function toChainTransaction(transaction: Transaction): ChainTransaction {
  const { inMessage } = transaction
  const outs = [...transaction.outMessages.values()].flatMap(({ info }) =>
    info.type === 'internal' ? [info] : [],
  )
  const inbound = inMessage?.info.type === 'internal' ? inMessage.info : undefined
  return {
    hash: transaction.hash().toString('hex'),
    lt: transaction.lt,
    at: transaction.now,
    // What its messages carry for their forwarding has left the account as well.
    fees: outs.reduce((sum, out) => sum + out.forwardFee, transaction.totalFees.coins),
    ...outcome(transaction),
    in: {
      value: inbound?.value.coins ?? 0n,
      ...(inbound ? { source: inbound.src.toRawString() } : {}),
      ...(inMessage && { body: inMessage.body }),
    },
    out: outs.map((out) => ({
      value: out.value.coins,
      destination: out.dest.toRawString(),
    })),
  }
}

/** The exit code of the compute phase, or of the action phase where that is what failed. */
function outcome({ description }: Transaction): { exitCode: number; aborted: boolean } {
  if (description.type !== 'generic') return { exitCode: 0, aborted: false }
  const { computePhase, actionPhase, aborted } = description
  const computed = computePhase.type === 'vm' ? computePhase.exitCode : 0
  const failed = computePhase.type === 'vm' && !computePhase.success
  return { exitCode: failed ? computed : (actionPhase?.resultCode ?? computed), aborted }
}
