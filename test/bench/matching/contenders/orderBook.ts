/**
 * `nodejs-order-book`: a book a model, where a slot sells its free places at its tick and a job
 * buys one. A book knows price and time only, so this answers another rule (`price-time`): no wait,
 * no classes; the price is the tick itself, from 1.
 * @module
 */
import { type LimitOrderOptions, OrderBook, Side } from 'nodejs-order-book'
import type { Contender, ContenderFactory, Setup } from '../contender.ts'

export const ORDER_BOOK: ContenderFactory = {
  name: 'nodejs-order-book',
  rule: 'price-time',
  mostSlots: 100_000,
  create: createOrderBook,
}

/** The package does not export its enum. */
const IMMEDIATE = 'IOC' as LimitOrderOptions['timeInForce']

function createOrderBook({ slots, models }: Setup): Contender {
  const books = Array.from({ length: models }, () => new OrderBook())
  const bookOf: (OrderBook | undefined)[] = Array.from({ length: slots })
  const ids = Array.from({ length: slots }, (_, slot) => `s${slot}`)
  const price = new Int32Array(slots)
  const capacity = new Int32Array(slots)
  const running = new Int32Array(slots)
  /** Places on sale. */
  const standing = new Int32Array(slots)

  /** Sells what is free now, behind those who stand at the price already. */
  function stand(slot: number, count: number): void {
    running[slot] = count
    const book = bookOf[slot]!
    const id = ids[slot]!
    const size = Math.max(capacity[slot]! - count, 0)
    if (standing[slot]! > 0 && size > 0) book.modify(id, { size, price: price[slot]! })
    else if (standing[slot]! > 0) book.cancel(id)
    else if (size > 0) book.limit({ side: Side.SELL, id, size, price: price[slot]! })
    standing[slot] = size
  }

  return {
    offer(slot, spec) {
      const count = bookOf[slot] ? running[slot]! : 0
      const book = books[spec.model]!
      if (bookOf[slot] && bookOf[slot] !== book) {
        capacity[slot] = 0
        stand(slot, count)
      }
      bookOf[slot] = book
      price[slot] = spec.tick + 1
      capacity[slot] = spec.capacity
      stand(slot, count)
    },
    leave(slot) {
      capacity[slot] = 0
      stand(slot, 0)
      bookOf[slot] = undefined
    },
    load: stand,
    place({ model, maxTick }) {
      const { partial, done, quantityLeft } = books[model]!.limit({
        side: Side.BUY,
        id: 'job',
        size: 1,
        price: maxTick + 1,
        timeInForce: IMMEDIATE,
      })
      if (quantityLeft > 0) return -1
      const slot = Number((partial ?? done[0]!).id.slice(1))
      running[slot]!++
      standing[slot]!--
      return slot
    },
    finish: (slot) => stand(slot, Math.max(running[slot]! - 1, 0)),
    bytes: () => 0,
  }
}
