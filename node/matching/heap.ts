/**
 * A binary heap whose items know their place in it, so that any of them can leave or move.
 *
 * The queue has many small ones (a line of jobs each, a lane of tenants each): so a heap is a plain
 * record and these are functions over it.
 * @module
 */

export interface Heap<T> {
  /** Those of place `p` are before those of `2p + 1` and `2p + 2`; the first is before all. */
  readonly items: T[]
  readonly order: Order<T>
}

export interface Order<T> {
  /** A strict order. */
  before(a: T, b: T): boolean
  /** Where an item is told its place, and asked for it. */
  place(item: T, at: number): void
  placeOf(item: T): number
}

/** An empty heap. */
export function heap<T>(order: Order<T>): Heap<T> {
  return { items: [], order }
}

export function push<T>(heap: Heap<T>, item: T): void {
  up(heap, item, heap.items.length)
}

export function remove<T>(heap: Heap<T>, item: T): void {
  const { items, order } = heap
  const place = order.placeOf(item)
  const last = items.pop()!
  if (last === item) return
  put(heap, last, place)
  moved(heap, last)
}

/** Tells that the item's order has changed. */
export function moved<T>(heap: Heap<T>, item: T): void {
  const place = heap.order.placeOf(item)
  if (up(heap, item, place) === place) down(heap, item, place)
}

function put<T>({ items, order }: Heap<T>, item: T, place: number): void {
  items[place] = item
  order.place(item, place)
}

function up<T>(heap: Heap<T>, item: T, from: number): number {
  const { items, order } = heap
  let place = from
  while (place > 0) {
    const parent = (place - 1) >> 1
    if (!order.before(item, items[parent]!)) break
    put(heap, items[parent]!, place)
    place = parent
  }
  put(heap, item, place)
  return place
}

function down<T>(heap: Heap<T>, item: T, from: number): void {
  const { items, order } = heap
  let place = from
  for (;;) {
    let child = 2 * place + 1
    if (child >= items.length) break
    if (child + 1 < items.length && order.before(items[child + 1]!, items[child]!)) child++
    if (!order.before(items[child]!, item)) break
    put(heap, items[child]!, place)
    place = child
  }
  put(heap, item, place)
}
