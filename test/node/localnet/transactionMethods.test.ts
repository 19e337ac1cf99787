/**
 * Pages of transactions: as many as were asked for, or as one answer may hold.
 * @module
 */
import { comment } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { TON } from '../../../contracts/base/units.ts'
import type { StoredTransaction } from '../../../node/localnet/history.ts'
import type { Ledger } from '../../../node/localnet/ledger.ts'
import { transactionMethods } from '../../../node/localnet/transactionMethods.ts'
import { type LedgerWorld, ledgerWorld, transfer, walletOf } from '../../support/ledgerWorld.ts'

let world: LedgerWorld
let stored: StoredTransaction
beforeAll(async () => {
  world = await ledgerWorld()
  await world.mint(walletOf(1), TON)
  const body = comment('a long letter '.repeat(400))
  await world.ledger.send(transfer(1, 0, { to: walletOf(2), value: 1n, bounce: false, body }))
  stored = world.ledger.history.page(walletOf(1).toRawString(), 1)[0]!
})
afterAll(() => world?.close())

const address = walletOf(1).toString()

/** The answer over a history that has `count` copies of one transaction. */
function answer(count: number, limit: number): unknown {
  const page = (_account: string, most: number) => Array(Math.min(count, most)).fill(stored)
  const ledger = { history: { page } } as unknown as Ledger
  return transactionMethods(ledger).getTransactions!({ address, limit })
}

describe('a page', () => {
  it('has as many as were asked for', () => {
    expect(answer(30, 20)).toHaveLength(20)
    expect(answer(5, 20)).toHaveLength(5)
  })

  it('ends where one more would be too many bytes', () => {
    const most = Math.floor(LIMITS.toncenterPageBytes / stored.boc.length)
    expect(most).toBeLessThan(LIMITS.toncenterPage)
    expect(answer(LIMITS.toncenterPage, LIMITS.toncenterPage)).toHaveLength(most)
  })
})
