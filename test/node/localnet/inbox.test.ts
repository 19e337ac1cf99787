/**
 * What waits for a localnet's next block: once each, in order, bounded.
 * @module
 */
import { Address, beginCell } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { createInbox } from '../../../node/localnet/inbox.ts'

const message = (n: number) => ({
  cell: beginCell().storeUint(n, 32).endCell(),
  to: '0:a',
  value: 0n,
  isExternal: true,
})
const to = new Address(0, Buffer.alloc(32))

describe('the inbox', () => {
  it('knows a message by what it is, and gives them back in order', () => {
    const inbox = createInbox()
    for (const n of [1, 2, 3, 2]) inbox.addMessage(message(n))
    expect(inbox.has(message(2))).toBe(true)
    expect(inbox.has(message(4))).toBe(false)
    expect(inbox.messages.map(({ cell }) => cell.beginParse().loadUint(32))).toEqual([1, 2, 3])
    inbox.addGrant({ to, amount: 1n, done: () => {} })
    expect(inbox.size).toBe(4)
    inbox.drop(2, 1)
    expect(inbox.messages.map(({ cell }) => cell.beginParse().loadUint(32))).toEqual([3])
    expect(inbox.grants).toEqual([])
    inbox.clear()
    expect(inbox.size).toBe(0)
  })

  it('is bounded, messages and grants together', () => {
    const inbox = createInbox()
    inbox.addGrant({ to, amount: 1n, done: () => {} })
    for (let n = 1; n < LIMITS.localnetInbox; n++) {
      inbox.checkRoom()
      inbox.addMessage(message(n))
    }
    expect(() => inbox.checkRoom()).toThrow(expect.objectContaining({ code: 'limit-exceeded' }))
    inbox.drop(1, 0)
    inbox.checkRoom()
  })
})
