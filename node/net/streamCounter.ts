/**
 * Counts the streams that each peer holds towards us, for each protocol, over all its connections.
 * @module
 */

export interface StreamCounter {
  /** Counts one more; the result ends it. Undefined where the peer holds as many as it may. */
  enter(peer: string, protocol: string): (() => void) | undefined
}

export function createStreamCounter(most: number): StreamCounter {
  const counts = new Map<string, number>()
  return {
    enter(peer, protocol) {
      const name = `${peer} ${protocol}`
      const count = counts.get(name) ?? 0
      if (count >= most) return undefined
      counts.set(name, count + 1)
      let left = false
      return () => {
        if (left) return
        left = true
        const rest = counts.get(name)! - 1
        if (rest === 0) counts.delete(name)
        else counts.set(name, rest)
      }
    },
  }
}
