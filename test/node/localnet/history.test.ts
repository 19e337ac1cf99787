/**
 * Bounded history: what is kept, what is forgotten, and that copies are independent.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { createHistory, type StoredTransaction } from '../../../node/localnet/history.ts'

function transaction(account: string, lt: bigint): StoredTransaction {
  return { account, lt, hash: Buffer.alloc(32), boc: '', utime: 0, inKey: undefined }
}

describe('history', () => {
  it('lists an account oldest first and finds blocks by number', () => {
    const history = createHistory(1, 100)
    history.append(101, 2n, [transaction('0:a', 1n), transaction('0:b', 2n)])
    history.append(102, 3n, [transaction('0:a', 3n)])
    expect(history.of('0:a').map(({ lt }) => lt)).toEqual([1n, 3n])
    expect(history.of('0:c')).toEqual([])
    expect(history.block(2)).toMatchObject({ startLt: 1n, endLt: 2n, utime: 101 })
    expect(history.block(4)).toBeUndefined()
    expect(history.block(0)).toBeUndefined()
    expect(history.findBlock(({ utime }) => utime <= 101)?.seqno).toBe(2)
  })

  it('forgets the oldest blocks beyond its transactions', () => {
    const history = createHistory(1, 0)
    const perBlock = 100
    const blocks = LIMITS.localnetTransactions / perBlock + 10
    for (let block = 0; block < blocks; block++) {
      const lt = BigInt(block * perBlock)
      const made = Array.from({ length: perBlock }, (_, i) =>
        transaction(i % 2 ? '0:odd' : `0:${block}`, lt + BigInt(i)),
      )
      history.append(block, lt, made)
    }
    expect(history.transactions).toBe(LIMITS.localnetTransactions)
    expect(history.of('0:odd')).toHaveLength(LIMITS.localnetTransactions / 2)
    expect(history.of('0:0')).toEqual([])
    expect(history.of('0:odd')[0]!.lt).toBe(10n * 100n + 1n)
    expect(history.block(2)).toBeUndefined()
    expect(history.block(history.last.seqno)).toBe(history.last)
  })

  it('forgets empty blocks beyond their number', () => {
    const history = createHistory(1, 0)
    for (let i = 0; i < LIMITS.localnetBlocks + 5; i++) history.append(i, 0n, [])
    expect(history.block(5)).toBeUndefined()
    expect(history.block(history.last.seqno - LIMITS.localnetBlocks + 1)).toBeDefined()
  })

  it('copies so that neither side sees the other change', () => {
    const history = createHistory(1, 0)
    history.append(1, 1n, [transaction('0:a', 1n)])
    const copy = history.copy()
    history.append(2, 2n, [transaction('0:a', 2n)])
    copy.append(3, 3n, [])
    expect(copy.of('0:a')).toHaveLength(1)
    expect(copy.last.utime).toBe(3)
    expect(history.last.utime).toBe(2)
    expect(history.of('0:a')).toHaveLength(2)
  })

  it('gives two networks different blocks', () => {
    expect(createHistory(1, 0).last.hash).not.toEqual(createHistory(2, 0).last.hash)
  })
})
