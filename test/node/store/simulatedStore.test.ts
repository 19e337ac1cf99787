/**
 * The simulated store: the compliance suite, then crashes in virtual time.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { createSimulatedDisk, createSimulatedStore } from '../../../node/store/simulatedStore.ts'
import { createClock } from '../../../node/system/clock.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'
import { storeCompliance } from '../../support/storeCompliance.ts'

const put = (key: string, value: string) => [{ table: 't', key, value: utf8(value) }]
const keys = (store: { list(table: string): [string, Uint8Array][] }) =>
  store.list('t').map(([key]) => key)

describe('simulated store', () => {
  storeCompliance(() => {
    const disk = createSimulatedDisk({ clock: createClock() })
    return {
      open: () => createSimulatedStore(disk),
      breakDisk: () => disk.failNextCommit(),
      dispose: () => undefined,
    }
  })

  const world = (commitLatencyMs = 5) => {
    const clock = createSimulatedClock({ startMs: 0 })
    return { clock, disk: createSimulatedDisk({ clock, commitLatencyMs }) }
  }

  it('a crash keeps what was acknowledged and nothing that was not', async () => {
    const { clock, disk } = world()
    const store = createSimulatedStore(disk)
    await clock.settle(store.write(put('acknowledged', '1')), 100)
    const lost = store.write(put('pending', '2'))
    await clock.advance(4)
    disk.crash()
    await expect(lost).rejects.toMatchObject({ code: 'store-failed' })
    expect(() => store.get('t', 'acknowledged')).toThrow(/power loss/)
    expect(keys(createSimulatedStore(disk))).toEqual(['acknowledged'])
  })

  it('power may also fail on the far side of the sync: durable, but not acknowledged', async () => {
    const { clock, disk } = world()
    const store = createSimulatedStore(disk)
    const inFlight = store.write(put('in flight', '1'))
    await clock.advance(1)
    const open = store.write(put('same turn as the crash', '2'))
    disk.crash({ inFlight: 'kept' })
    const outcomes = await Promise.allSettled([inFlight, open])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(keys(createSimulatedStore(disk))).toEqual(['in flight'])
  })

  it('commits once for all writes of a turn, after the latency', async () => {
    const { clock, disk } = world(5)
    const store = createSimulatedStore(disk)
    let acknowledgedAt: number | undefined
    const writes = Array.from({ length: 10 }, (_, i) => store.write(put(`k${i}`, 'x')))
    void Promise.all(writes).then(() => {
      acknowledgedAt = clock.monotonicMs()
    })
    await clock.advance(4)
    expect(acknowledgedAt).toBeUndefined()
    await clock.advance(1)
    expect([acknowledgedAt, disk.commits]).toEqual([5, 1])
  })

  it('a second write while one commits is a group of its own, and reads see both', async () => {
    const { clock, disk } = world(5)
    const store = createSimulatedStore(disk)
    const first = store.write(put('a', '1'))
    await clock.advance(3)
    const second = store.write(put('a', '2'))
    await clock.settle(first, 10)
    expect(store.get('t', 'a')).toEqual(utf8('2'))
    await clock.settle(second, 10)
    expect(disk.commits).toBe(2)
  })

  it('stores of one disk fail and crash each by its own file', async () => {
    const { clock, disk } = world()
    const a = createSimulatedStore(disk, { name: 'a' })
    const b = createSimulatedStore(disk, { name: 'b' })
    await clock.settle(Promise.all([a.write(put('a', '1')), b.write(put('b', '1'))]), 100)
    disk.crash()
    expect(keys(createSimulatedStore(disk, { name: 'a' }))).toEqual(['a'])
    expect(keys(createSimulatedStore(disk, { name: 'b' }))).toEqual(['b'])
  })
})
