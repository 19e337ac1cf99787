/**
 * Answers of the chain remembered for a while, so that a flood of jobs asks once.
 * @module
 */
import type { Clock } from '../../contracts/base/ports.ts'

/**
 * Gives `read`'s answer for a key, asked anew after `ms`; at most `most` keys, the oldest forgotten
 * first. Who asks while it is being read shares the answer; a failure, and what `keep` does not
 * want, is not remembered.
 *
 * @example
 * const isMember = remembered<boolean>(clock, { ms: 60_000, most: 1_000 })
 * await isMember('a', () => askChain('a'))
 */
export function remembered<T>(
  clock: Clock,
  {
    ms,
    most,
    keep = () => true,
  }: { readonly ms: number; readonly most: number; keep?(answer: T): boolean },
): (key: string, read: () => Promise<T>) => Promise<T> {
  const known = new Map<string, { readonly untilMs: number; readonly answer: Promise<T> }>()
  return (key, read) => {
    const entry = known.get(key)
    if (entry && clock.monotonicMs() < entry.untilMs) return entry.answer
    const fresh = { untilMs: clock.monotonicMs() + ms, answer: read() }
    known.delete(key)
    known.set(key, fresh)
    if (known.size > most) known.delete(known.keys().next().value!)
    const forget = () => {
      if (known.get(key) === fresh) known.delete(key)
    }
    fresh.answer.then((answer) => keep(answer) || forget(), forget)
    return fresh.answer
  }
}
