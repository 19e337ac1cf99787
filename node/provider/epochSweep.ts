/**
 * Erases epoch keys in time on a provider that nobody asks anything: with jobs, every accept does.
 * @module
 */
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import { type Epochs, eraseEndedEpochs } from '../../contracts/seal/epoch.ts'

/** Sweeps until the returned function is called. */
export function sweepEpochs(epochs: Epochs, clock: Clock): () => void {
  let cancel = (): void => undefined
  const next = () => {
    cancel = clock.after(LIMITS.epochSweepMs, () => {
      eraseEndedEpochs(epochs, Math.floor(clock.nowMs() / 1_000))
      next()
    })
  }
  next()
  return () => cancel()
}
