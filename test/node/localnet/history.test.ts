/**
 * History in the database: what is found, what is computed, what is forgotten.
 * @module
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { type Books, identify, openBooks } from '../../../node/localnet/books.ts'
import { openDatabase } from '../../../node/localnet/database.ts'
import type { StoredTransaction } from '../../../node/localnet/history.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'

const START_MS = 1_800_000_000_000
let lastSeqno: number | undefined
let books: Books

beforeEach(() => {
  lastSeqno = undefined
  const database = openDatabase(undefined)
  const clock = createSimulatedClock({ startMs: START_MS })
  const identity = identify(database, {})
  const told = (): number => lastSeqno ?? books.history.anchor.seqno
  books = openBooks({ database, identity, clock, blockMs: 0, lastSeqno: told })
})

function transaction(account: string, lt: bigint): StoredTransaction {
  return { account, lt, hash: Buffer.alloc(32), boc: 'AA==', utime: 0, inKey: undefined }
}

/** Stores a block; its number and time follow the newest stored one unless told. */
function append(transactions: StoredTransaction[], more = {}): void {
  const { seqno, ms } = books.history.anchor
  const block = { seqno: seqno + 1, ms: ms + 1_000, stepMs: 0, lt: 0n, transactions, ...more }
  books.commit({ figures: {}, block })
}

describe('history', () => {
  it('lists an account newest first and finds blocks by number', () => {
    append([transaction('0:a', 10n), transaction('0:b', 20n)])
    append([transaction('0:a', 30n)])
    const { history } = books
    expect(history.page('0:a', 10).map(({ lt }) => lt)).toEqual([30n, 10n])
    expect(history.page('0:a', 1, 29n).map(({ lt }) => lt)).toEqual([10n])
    expect(history.page('0:a', 10, 2n ** 70n)).toHaveLength(2)
    expect(history.page('0:c', 10)).toEqual([])
    expect(history.block(2)).toMatchObject({ startLt: 10n, endLt: 20n })
    expect(history.block(2)!.transactions.map(({ account }) => account)).toEqual(['0:a', '0:b'])
    expect(history.block(4)).toBeUndefined()
    expect(history.block(0)).toBeUndefined()
    expect(history.last).toBe(history.last)
  })

  it('finds blocks by logical time and by time', () => {
    append([transaction('0:a', 10n), transaction('0:a', 20n)])
    append([transaction('0:a', 30n)])
    const at = (by: { lt?: bigint; utime?: bigint }) => books.history.blockAt(by)?.seqno
    const start = BigInt(START_MS / 1_000)
    expect([10n, 15n, 20n, 30n].map((lt) => at({ lt }))).toEqual([2, 2, 2, 3])
    expect(at({ utime: start - 1n })).toBeUndefined()
    expect([0n, 1n, 2n, 2n ** 80n].map((s) => at({ utime: start + s }))).toEqual([1, 2, 3, 3])
    expect(at({ lt: 30n, utime: start + 1n })).toBe(2)
  })

  it('finds what a message caused', () => {
    append([{ ...transaction('0:a', 10n), inKey: '0:b:7' }])
    expect(books.history.causedBy('0:a', '0:b:7')?.lt).toBe(10n)
    expect(books.history.causedBy('0:b', '0:b:7')).toBeUndefined()
    expect(books.history.causedBy('0:a', '0:b:8')).toBeUndefined()
    expect(books.history.causedBy('0:a', `0:b:${2n ** 70n}`)).toBeUndefined()
  })

  it('computes the empty blocks that follow at a pace, the same every time', () => {
    const { history } = books
    append([transaction('0:a', 10n)], { stepMs: 400 })
    lastSeqno = 7
    expect(history.block(8)).toBeUndefined()
    const empty = history.block(5)!
    expect(empty).toMatchObject({ seqno: 5, startLt: 11n, endLt: 11n, transactions: [] })
    expect(empty.utime).toBe(Math.floor((START_MS + 1_000 + 3 * 400) / 1_000))
    append([transaction('0:a', 30n)], { seqno: 8, ms: START_MS + 3_400 })
    lastSeqno = undefined
    expect(history.block(5)).toEqual(empty)
    const hashes = [2, 3, 4, 5, 6, 7, 8].map((seqno) => history.block(seqno)!.hash.toString('hex'))
    expect(new Set(hashes).size).toBe(7)
    const utime = (after: number) => BigInt(START_MS / 1_000 + after)
    expect(history.blockAt({ utime: utime(1) })?.seqno).toBe(4)
    expect(history.blockAt({ utime: utime(2) })?.seqno).toBe(6)
    expect(history.blockAt({ lt: 12n })?.seqno).toBe(7)
    expect(history.blockAt({ lt: 10n })?.seqno).toBe(2)
  })

  it('forgets the oldest beyond its bound, whole blocks at a time', () => {
    const perBlock = 250
    const blocks = LIMITS.localnetTransactions / perBlock + 64
    for (let block = 0; block < blocks; block++) {
      const lt = BigInt(block * perBlock)
      append(Array.from({ length: perBlock }, (_, i) => transaction('0:a', lt + BigInt(i))))
    }
    const { history } = books
    expect(history.block(4)).toBeUndefined()
    expect(history.block(70)?.transactions).toHaveLength(perBlock)
    expect(history.page('0:a', 1, 0n)).toEqual([])
    expect(history.last.seqno).toBe(blocks + 1)
  })
})
