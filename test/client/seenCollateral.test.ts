/**
 * What a client has seen of collateral outlives its process, and only grows.
 * @module
 */
import { expect, it } from 'vitest'
import { openSeenBook } from '../../client/seenCollateral.ts'
import { utf8 } from '../../contracts/base/bytes.ts'
import { createSimulatedDisk, createSimulatedStore } from '../../node/store/simulatedStore.ts'
import { createSimulatedClock } from '../../node/system/simulatedClock.ts'

const list = (number: bigint, thisUpdateMs = 1) => ({ crls: { aa: { number, thisUpdateMs } } })

it('is there after a restart, and an older list changes nothing', async () => {
  const clock = createSimulatedClock({ startMs: 0 })
  const disk = createSimulatedDisk({ clock })
  const open = () => createSimulatedStore(disk, { name: 'client' })
  const run = <T>(promise: Promise<T>) => clock.settle(promise, 10_000)
  const store = open()
  const book = openSeenBook(store)
  expect(book.get()).toEqual({})
  await run(book.remember(list(5n)))
  await run(book.remember(list(4n)))
  expect(book.get()).toEqual(list(5n))
  await run(store.close())
  const again = open()
  expect(openSeenBook(again).get()).toEqual(list(5n))
  await run(again.write([{ table: 'collateral', key: 'seen', value: utf8('{}') }]))
  // Forgetting what was seen is no option: a record that cannot be read is a fault.
  expect(() => openSeenBook(again)).toThrow(expect.objectContaining({ code: 'store-failed' }))
})
