/**
 * The anchor of a payee's books: what changes it, and what does not.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../contracts/base/bytes.ts'
import { booksAnchor } from '../../../node/settlement/anchor.ts'

const books = (channel: string, spent: bigint, fill = 1) => ({
  channel,
  spent,
  receiptsHash: new Uint8Array(32).fill(fill),
})

describe('the anchor of books', () => {
  const two = [books('0:a', 5n), books('0:b', 7n)]
  const anchor = (list = two, network = -7) => toHex(booksAnchor(network, list))

  it('does not depend on the order of channels', () => {
    expect(anchor(two.toReversed())).toBe(anchor())
  })

  it.each([
    ['an amount', [books('0:a', 6n), two[1]!]],
    ['a receipt', [books('0:a', 5n, 2), two[1]!]],
    ['a channel', [books('0:c', 5n), two[1]!]],
    ['the number of channels', [two[0]!]],
  ])('changes with %s', (_, other) => {
    expect(anchor(other)).not.toBe(anchor())
  })

  it('names the network', () => {
    expect(anchor(two, -8)).not.toBe(anchor())
  })
})
