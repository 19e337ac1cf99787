/**
 * A binary heap whose items know their place in it, so that any of them can leave or move.
 *
 * The queue uses three: jobs by turn, tenants by counter, jobs by deadline.
 * @module
 */

export interface Heap<T> {
  readonly size: number
  /** The item before all others. */
  readonly top: T | undefined
  push(item: T): void
  remove(item: T): void
  /** Tells that the item's order has changed. */
  moved(item: T): void
  /** The item at a place, 0 to `size - 1`; those of place `p` are before those of `2p + 1` and `2p + 2`. */
  at(place: number): T
}

/** An empty heap. `field` of an item holds its place; `before` is a strict order. */
export function heap<Field extends string, T extends Record<Field, number>>(
  field: Field,
  before: (a: T, b: T) => boolean,
): Heap<T> {
  const items: T[] = []
  const places = (item: T): Record<Field, number> => item

  function put(item: T, place: number): void {
    items[place] = item
    places(item)[field] = place
  }

  function up(item: T, from: number): number {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!before(item, items[parent]!)) break
      put(items[parent]!, place)
      place = parent
    }
    put(item, place)
    return place
  }

  function down(item: T, from: number): void {
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= items.length) break
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++
      if (!before(items[child]!, item)) break
      put(items[child]!, place)
      place = child
    }
    put(item, place)
  }

  const moved = (item: T): void => {
    const place = item[field]
    if (up(item, place) === place) down(item, place)
  }

  return {
    get size() {
      return items.length
    },
    get top() {
      return items[0]
    },
    push(item) {
      up(item, items.length)
    },
    remove(item) {
      const place = item[field]
      const last = items.pop()!
      if (last === item) return
      put(last, place)
      moved(last)
    },
    moved,
    at: (place) => items[place]!,
  }
}
