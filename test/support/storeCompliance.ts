/**
 * What every Store must do, whatever it writes to. Run by the tests of each implementation.
 * @module
 */
import { expect, it } from 'vitest'
import { utf8 } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Change, Store } from '../../contracts/base/ports.ts'

/** One place on a disk, opened and opened again. */
export interface StorePlace {
  open(): Store
  /** Makes the next commit of the open store fail. */
  breakDisk(): void
  dispose(): Promise<void> | void
}

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)
const set = (key: string, value: string, table = 't'): Change => ({
  table,
  key,
  value: utf8(value),
})
const cut = (key: string, table = 't'): Change => ({ table, key, value: undefined })
const codeOf = (work: () => unknown): unknown => {
  try {
    work()
  } catch (error) {
    return error instanceof MarketError ? error.code : error
  }
  return 'no error'
}

/** Declares the tests. `createPlace` gives a fresh place for each. */
export function storeCompliance(createPlace: () => StorePlace): void {
  const test = (name: string, body: (place: StorePlace) => Promise<void>) =>
    it(name, async () => {
      const place = createPlace()
      try {
        await body(place)
      } finally {
        await place.dispose()
      }
    })

  test('keeps what was written, across closing and opening', async (place) => {
    const store = place.open()
    await store.write([set('a', '1'), set('empty', '')])
    await store.close()
    const again = place.open()
    expect(text(again.get('t', 'a'))).toBe('1')
    expect(again.get('t', 'empty')).toEqual(new Uint8Array(0))
    expect(again.get('t', 'b')).toBeUndefined()
    expect(again.get('other', 'a')).toBeUndefined()
    await again.close()
  })

  test('reads see writes before they are durable', async (place) => {
    const store = place.open()
    const first = store.write([set('a', '1'), set('b', '1')])
    const second = store.write([set('a', '2'), cut('b')])
    expect(text(store.get('t', 'a'))).toBe('2')
    expect(store.get('t', 'b')).toBeUndefined()
    expect(store.list('t').map(([key]) => key)).toEqual(['a'])
    await Promise.all([first, second])
    expect(text(store.get('t', 'a'))).toBe('2')
    await store.close()
  })

  test('closing commits what was given before', async (place) => {
    const store = place.open()
    const written = store.write([set('a', '1')])
    await Promise.all([store.close(), written])
    expect(text(place.open().get('t', 'a'))).toBe('1')
  })

  test('acknowledges in the order of the writes, the last value wins', async (place) => {
    const store = place.open()
    const order: number[] = []
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        store.write([set('k', `${i}`)]).then(() => order.push(i)),
      ),
    )
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(text(store.get('t', 'k'))).toBe('49')
    await store.close()
  })

  test('a call with one bad change applies none of them', async (place) => {
    const store = place.open()
    const bad: Change[] = [
      { table: 't', key: '', value: utf8('x') },
      { table: '', key: 'k', value: utf8('x') },
      { table: 't', key: 'nul\0', value: utf8('x') },
      { table: 't', key: '\ud800', value: utf8('x') },
      { table: 't', key: 'k'.repeat(LIMITS.storeKeyLength + 1), value: utf8('x') },
      { table: 't', key: 'big', value: new Uint8Array(LIMITS.storeValueBytes + 1) },
    ]
    for (const change of bad) {
      await expect(store.write([set('good', '1'), change])).rejects.toBeInstanceOf(MarketError)
    }
    expect(store.list('t')).toEqual([])
    await store.write([set('k'.repeat(LIMITS.storeKeyLength), 'fits')])
    expect(store.list('t')).toHaveLength(1)
    await store.close()
  })

  test('lists in key order, page by page, one table at a time', async (place) => {
    const store = place.open()
    // U+FF5E sorts below U+1F600 in UTF-8, above it in JavaScript's own order.
    const keys = ['a', 'b', 'ba', 'c', '\u00e9', '\uff5e', '\u{1f600}']
    await store.write([...keys].reverse().map((key) => set(key, key)))
    await store.write([set('x', 'other', 'u')])
    expect(store.list('t').map(([key]) => key)).toEqual(keys)
    expect(store.list('t', { limit: 2 }).map(([key]) => key)).toEqual(['a', 'b'])
    expect(store.list('t', { after: 'b', limit: 2 }).map(([key]) => key)).toEqual(['ba', 'c'])
    expect(store.list('t', { after: '\uff5e' }).map(([, value]) => text(value))).toEqual([
      '\u{1f600}',
    ])
    expect(store.list('t', { limit: 0 })).toEqual([])
    await store.close()
  })

  test('a page is never longer than its bound', async (place) => {
    const store = place.open()
    const many = Array.from({ length: LIMITS.storePage + 5 }, (_, i) => set(`k${1e6 + i}`, ''))
    await store.write(many)
    expect(store.list('t', { limit: 1e9 })).toHaveLength(LIMITS.storePage)
    expect(store.list('t')).toHaveLength(LIMITS.storePage)
    await store.close()
  })

  test('deletes, and deleting what is not there is no error', async (place) => {
    const store = place.open()
    await store.write([set('a', '1'), set('b', '2')])
    await store.write([cut('a'), cut('never')])
    await store.close()
    const again = place.open()
    expect(again.list('t').map(([key]) => key)).toEqual(['b'])
    await again.close()
  })

  test('does not share memory with its caller', async (place) => {
    const store = place.open()
    const value = utf8('before')
    const written = store.write([{ table: 't', key: 'a', value }])
    value.fill(0)
    store.get('t', 'a')?.fill(1)
    await written
    expect(text(store.get('t', 'a'))).toBe('before')
    await store.close()
  })

  test('refuses a second opener at once, until the first one closes', async (place) => {
    const store = place.open()
    expect(codeOf(() => place.open())).toBe('store-locked')
    await store.write([set('a', 'still works')])
    await store.close()
    await place.open().close()
  })

  test('a fault of the disk ends the store for good, and acknowledges nothing', async (place) => {
    const store = place.open()
    await store.write([set('a', 'kept')])
    place.breakDisk()
    const writes = await Promise.allSettled([
      store.write([set('a', 'lost')]),
      store.write([set('b', 'lost')]),
    ])
    for (const write of writes) {
      expect(write).toMatchObject({ status: 'rejected', reason: { code: 'store-failed' } })
    }
    expect(codeOf(() => store.get('t', 'a'))).toBe('store-failed')
    expect(codeOf(() => store.list('t'))).toBe('store-failed')
    await expect(store.write([set('c', '1')])).rejects.toMatchObject({ code: 'store-failed' })
    await store.close()
    const again = place.open()
    expect(again.list('t').map(([key, value]) => [key, text(value)])).toEqual([['a', 'kept']])
    await again.close()
  })

  test('refuses work after closing; closing twice is fine', async (place) => {
    const store = place.open()
    await store.close()
    await store.close()
    expect(codeOf(() => store.get('t', 'a'))).toBe('store-failed')
    await expect(store.write([set('a', '1')])).rejects.toMatchObject({ code: 'store-failed' })
  })
}
