/**
 * Finishes the closing of old channels in the background, so that nobody has to remember it.
 *
 * Runs only while there is something to wait for: at the start of a client, and after a close.
 * @module
 */
import { asMarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import type { Clock, Logger } from '../contracts/base/ports.ts'
import { orAborted } from '../node/settlement/orAborted.ts'

export interface Keeper {
  /** Looks now, and again every `LIMITS.watchMs` while anything is left. */
  wake(): void
  /** Ends it; what was sent may still arrive. */
  stop(): Promise<void>
}

/** A keeper over `finishDue`, which says whether anything is left to wait for. */
export function createKeeper(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  finishDue: (signal: AbortSignal) => Promise<boolean>,
): Keeper {
  const stopping = new AbortController()
  const { signal } = stopping
  let running: Promise<void> | undefined

  /** True where another look is needed. */
  const look = async (): Promise<boolean> => {
    try {
      return await orAborted(finishDue(signal), signal)
    } catch (thrown) {
      if (!signal.aborted) logger.warn({ code: asMarketError(thrown).code }, 'close not finished')
      return true
    }
  }
  const keep = async (): Promise<void> => {
    while (!signal.aborted && (await look())) {
      await clock.sleep(LIMITS.watchMs, signal).catch(() => undefined) // stopping
    }
  }

  return {
    wake() {
      running ??= keep().finally(() => {
        running = undefined
      })
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}
