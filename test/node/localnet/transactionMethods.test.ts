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

describe('where a list starts', () => {
  const account = walletOf(1).toRawString()
  const list = (lt: bigint, hash: Buffer) => () =>
    transactionMethods(world.ledger).getTransactions!({
      address,
      lt: `${lt}`,
      hash: hash.toString('base64'),
    })
  const text = (part: string) =>
    expect.objectContaining({
      facts: {
        toncenter: 500,
        text: expect.stringMatching(`^LITE_SERVER_UNKNOWN: .*${part}$`),
      },
    })

  it('is a transaction of the account', () => {
    const all = world.ledger.history.page(account, 9)
    for (const [at, { lt, hash }] of all.entries()) {
      expect(list(lt, hash)()).toHaveLength(all.length - at)
    }
  })

  it('is refused at a time without a transaction, and at another hash', () => {
    const words = 'cannot locate transaction in block with specified logical time'
    expect(list(stored.lt + 1n, stored.hash)).toThrow(text(words))
    const first = world.ledger.history.oldest(account)!
    expect(list(first.lt - 1n, first.hash)).toThrow(text(words))
    expect(list(1n, first.hash)).toThrow(text(words))
    const other = Buffer.alloc(32, 1)
    expect(list(stored.lt, other)).toThrow(text('transaction hash mismatch'))
  })

  it('is empty at the one before the oldest that is kept', () => {
    const [newest] = world.ledger.history.page(account, 1)
    const { lt, hash } = world.ledger.history.page(account, 2)[1]!
    const history = {
      ...{ page: () => [], oldest: () => newest, blockAt: () => undefined },
    }
    const forgetful = { history } as unknown as Ledger
    const ask = (at: bigint) => () =>
      transactionMethods(forgetful).getTransactions!({
        address,
        lt: `${at}`,
        hash: hash.toString('base64'),
      })
    expect(ask(lt)()).toEqual([])
    // Before every block, in the words of a lite server.
    const place = `\\(0,${account.slice(2, 18)}\\) lt=${lt - 1n}`
    expect(ask(lt - 1n)).toThrow(text(`: cannot find block ${place}: lt not in db`))
  })
})
