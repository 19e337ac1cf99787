/**
 * An epoch key is gone when its time and grace are over, also where nobody asks for anything.
 * @module
 */
import { expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { createEpochs, currentEpoch, takeEpochKey } from '../../../contracts/seal/epoch.ts'
import { nativeKem } from '../../../contracts/seal/kem.ts'
import { sweepEpochs } from '../../../node/provider/epochSweep.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'

it('is erased within a sweep of its end, and not before', async () => {
  const clock = createSimulatedClock({ startMs: 1_800_000_000_000 })
  const nowS = () => Math.floor(clock.nowMs() / 1_000)
  const epochs = createEpochs(LIMITS.epochMinS)
  const { epoch } = currentEpoch(epochs, nowS(), nativeKem())
  const key = takeEpochKey(epochs, epoch, new Uint8Array(32), nowS())
  const bytes = key.reveal()
  const stop = sweepEpochs(epochs, clock)
  await clock.advance((LIMITS.epochMinS + LIMITS.epochGraceS) * 1_000)
  expect(bytes.some((byte) => byte !== 0)).toBe(true)
  await clock.advance(LIMITS.epochSweepMs)
  expect(bytes.every((byte) => byte === 0)).toBe(true)
  expect(epochs.live).toEqual([])

  // Stopped, it looks no more: erasing all is then the provider's own last act.
  stop()
  currentEpoch(epochs, nowS(), nativeKem())
  await clock.advance(LIMITS.epochMaxS * 1_000)
  expect(epochs.live).toHaveLength(1)
})
