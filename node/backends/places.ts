/**
 * The places of one backend: at most so many jobs at once, the others wait in order of arrival.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'

export interface Places {
  /**
   * Takes a place, after waiting for one if need be; undefined where the signal came first. The
   * result gives it back, once. Throws `busy` where `LIMITS.backendQueue` jobs wait already.
   */
  take(signal: AbortSignal): Promise<(() => void) | undefined>
  /** Ends all waiting with `error`, and every later `take`. */
  close(error: MarketError): void
}

interface Waiter {
  readonly admit: (release: () => void) => void
  readonly fail: (error: MarketError) => void
}

/** `count` places, all free. */
export function createPlaces(count: number): Places {
  const waiting = new Set<Waiter>()
  let free = count
  let closed: MarketError | undefined

  function release(): () => void {
    let held = true
    return () => {
      if (!held) return
      held = false
      const next = waiting.values().next().value
      if (!next) {
        free++
        return
      }
      waiting.delete(next)
      next.admit(release())
    }
  }

  return {
    async take(signal) {
      if (closed) throw closed
      if (signal.aborted) return undefined
      if (free > 0) {
        free--
        return release()
      }
      if (waiting.size >= LIMITS.backendQueue) {
        throw new MarketError('busy', { waiting: waiting.size, places: count })
      }
      return wait(waiting, signal)
    },
    close(error) {
      closed = error
      for (const waiter of waiting) waiter.fail(error)
      waiting.clear()
    },
  }
}

/** The places of a backend that serves several models, and the end of them all. */
export interface ModelPlaces {
  /** As `Places.take`, at a model of the list; undefined at any other. */
  take(model: string, signal: AbortSignal): Promise<(() => void) | undefined>
  /** Aborted by `stop`, with `backend-failed`: runs under way end on it. */
  readonly stopping: AbortSignal
  /** Ends all waiting, and every later `take`, with `backend-failed`. */
  stop(): Promise<void>
}

/** Places for each model, all free. */
export function createModelPlaces(
  models: readonly { readonly id: string; readonly places: number }[],
): ModelPlaces {
  const byModel = new Map(models.map(({ id, places }) => [id, createPlaces(places)]))
  const stopping = new AbortController()
  return {
    take: (model, signal) => byModel.get(model)?.take(signal) ?? Promise.resolve(undefined),
    stopping: stopping.signal,
    async stop() {
      const error = new MarketError('backend-failed', { backend: 'stopped' })
      stopping.abort(error)
      for (const places of byModel.values()) places.close(error)
    },
  }
}

function wait(waiting: Set<Waiter>, signal: AbortSignal): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      waiting.delete(waiter)
      resolve(undefined)
    }
    const settle = () => signal.removeEventListener('abort', leave)
    const waiter: Waiter = {
      admit: (give) => {
        settle()
        resolve(give)
      },
      fail: (error) => {
        settle()
        reject(error)
      },
    }
    waiting.add(waiter)
    signal.addEventListener('abort', leave, { once: true })
  })
}
