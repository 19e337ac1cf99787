/**
 * Guards that both serving roles put round their protocols: nothing is served before hello, nothing
 * after the store has failed, and no stream outlives its job for long.
 *
 * A role whose disk no longer takes what it promises must not promise any more: a voucher that is
 * acknowledged and forgotten is another's loss (SECURITY.md, "Money": a store fault stops the
 * process).
 * @module
 */
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, FrameStream, Logger, Store } from '../../contracts/base/ports.ts'

/** Serves only what `known` lets pass; an error ends the stream, with its code in the log. */
export function guarded(
  logger: Logger,
  known: (stream: FrameStream) => void,
  serve: (stream: FrameStream) => Promise<void>,
): (stream: FrameStream) => Promise<void> {
  return async (stream) => {
    try {
      known(stream)
      await serve(stream)
    } catch (thrown) {
      const error = asMarketError(thrown)
      const { peer, protocol } = stream
      if (error.code === 'internal') logger.error({ peer, protocol, error }, 'a fault of ours')
      else logger.info({ peer, protocol, code: error.code }, 'refused')
      stream.abort(error)
    }
  }
}

/**
 * The same store, that calls `onFault` once when a write fails while it is open. Closing it is no
 * fault: writes that come later are refused quietly.
 */
export function failStop(store: Store, onFault: (error: MarketError) => void): Store {
  let over = false
  const fault = (thrown: unknown): never => {
    const error = asMarketError(thrown, 'store-failed')
    if (!over && error.code === 'store-failed') {
      over = true
      onFault(error)
    }
    throw error
  }
  return {
    get: (table, key) => store.get(table, key),
    list: (table, options) => store.list(table, options),
    write: (changes) => {
      if (over) return Promise.reject(new MarketError('store-failed', { detail: 'stopped' }))
      return store.write(changes).catch(fault)
    },
    close() {
      over = true
      return store.close()
    },
  }
}

/**
 * Half-closes a job's stream when everything is said, and waits for `reading` to see the other
 * side's end; one that does not close its half is cut off after `LIMITS.helloMs`.
 */
export async function closeAfter(
  stream: Pick<FrameStream, 'close' | 'abort'>,
  clock: Clock,
  reading: Promise<void>,
): Promise<void> {
  await stream.close().catch(() => undefined)
  const timeout = new MarketError('timeout', { waiting: 'the end of the stream' })
  const cancel = clock.after(LIMITS.helloMs, () => stream.abort(timeout))
  await reading
  cancel()
}
