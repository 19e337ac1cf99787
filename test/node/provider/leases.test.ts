/**
 * Accepted leases stay known across restarts until they expire, and take no more room than that.
 * @module
 */
import { expect, it } from 'vitest'
import { createLeaseBook } from '../../../node/provider/leases.ts'
import { createSimulatedDisk, createSimulatedStore } from '../../../node/store/simulatedStore.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'

const START_S = 1_800_000_000
const clock = createSimulatedClock({ startMs: START_S * 1000 })

function world() {
  const disk = createSimulatedDisk({ clock, commitLatencyMs: 0 })
  const open = () => {
    const store = createSimulatedStore(disk)
    return { store, book: createLeaseBook({ store, clock }) }
  }
  return { disk, open }
}

it('a lease that was accepted is known after a crash, another is not', async () => {
  const { disk, open } = world()
  const first = open()
  expect(first.book.has('aa')).toBe(false)
  const kept = first.book.keep('aa', START_S + 600)
  expect(first.book.has('aa')).toBe(true)
  await settle(kept)
  disk.crash()
  const second = open()
  expect([second.book.has('aa'), second.book.has('bb')]).toEqual([true, false])
})

it('what has expired is forgotten, also what a former life has left', async () => {
  const { disk, open } = world()
  const first = open()
  for (let i = 0; i < 10; i++) await settle(first.book.keep(`old ${i}`, START_S + 10 + i))
  disk.crash()
  const { store, book } = open()
  await clock.advance(60_000)
  for (let i = 0; i < 4; i++) await settle(book.keep(`new ${i}`, START_S + 700))
  const left = store.list('lease').map(([lease]) => lease)
  expect(left.toSorted()).toEqual(['new 0', 'new 1', 'new 2', 'new 3'])
})

async function settle(written: Promise<void>): Promise<void> {
  await clock.advance(5)
  await written
}
