/**
 * Stop strings over a stream of text pieces that may cut them anywhere.
 * @module
 */

export interface StopFilter {
  /** The text that can go out now; `stopped` once a stop string was complete. */
  push(text: string): { text: string; stopped: boolean }
  /** What was held back as the possible beginning of a stop string. */
  flush(): string
}

/**
 * @example
 * const filter = createStopFilter(['END'])
 * filter.push('one E')  // { text: 'one ', stopped: false }
 * filter.push('ND two') // { text: '', stopped: true }
 */
export function createStopFilter(stops: readonly string[]): StopFilter {
  let held = ''
  return {
    push(text) {
      held += text
      const at = firstStop(held, stops)
      if (at >= 0) {
        const out = held.slice(0, at)
        held = ''
        return { text: out, stopped: true }
      }
      const keep = partialStop(held, stops)
      const out = held.slice(0, held.length - keep)
      held = held.slice(held.length - keep)
      return { text: out, stopped: false }
    },
    flush() {
      const out = held
      held = ''
      return out
    },
  }
}

function firstStop(text: string, stops: readonly string[]): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  return found.length > 0 ? Math.min(...found) : -1
}

/** Length of the longest end of `text` that begins a stop string. */
function partialStop(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1))
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(text.length - length)
    if (stops.some((stop) => stop.startsWith(end))) return length
  }
  return 0
}
