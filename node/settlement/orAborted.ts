/**
 * Waiting that ends with its signal, for calls that take none: an endpoint that does not answer
 * must not hold up a stop.
 * @module
 */

/** What `pending` gives, or the signal's reason once it is aborted. The call itself goes on. */
export async function orAborted<T>(pending: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return pending
  pending.catch(() => undefined) // nobody may listen any more
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([pending, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
