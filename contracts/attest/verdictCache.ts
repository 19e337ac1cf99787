/**
 * Remembers verdicts on evidence, of any vendor: what was verified once is not verified again until
 * something that vouches for it ends.
 *
 * A verdict is found by the SHA-256 of all that it depends on (evidence, collateral, and what had
 * been seen of collateral), so other bytes are other evidence and a newer revocation list asks
 * anew. Time is an argument: a verdict holds from the time at which it was given to its end.
 * Refusals are not remembered. The cache is bounded and forgets the verdict used longest ago.
 * @module
 */
import { hash } from 'node:crypto'
import type { Bytes } from '../base/bytes.ts'
import { LIMITS } from '../base/limits.ts'

/** What a verdict must say of itself. */
export interface Expiring {
  readonly validUntilS: number
}

export interface VerdictCache<V extends Expiring> {
  /** The verdict of this key where it holds at this time. */
  get(key: string, atMs: number): V | undefined
  /** Remembers a verdict that was given at this time. */
  put(key: string, atMs: number, verdict: V): void
  /** Verdicts that are remembered. */
  readonly size: number
}

/**
 * An empty cache of at most `most` verdicts.
 *
 * @example
 * const key = verdictKey(quote, collateral, encodeSeen(seen))
 * const verdict = cache.get(key, atMs) ?? verifyTdxQuote(quote, collateral, { atMs, seen })
 * cache.put(key, atMs, verdict)
 */
export function verdictCache<V extends Expiring>(most: number = LIMITS.verdicts): VerdictCache<V> {
  /** `fromMs`: before the time of verifying, some part may not have been valid yet. */
  const entries = new Map<string, { readonly verdict: V; readonly fromMs: number }>()
  return {
    get(key, atMs) {
      const known = entries.get(key)
      if (!known) return undefined
      entries.delete(key)
      if (atMs > known.verdict.validUntilS * 1_000) return undefined
      entries.set(key, known) // the last one is the newest
      return atMs < known.fromMs ? undefined : known.verdict
    },
    put(key, atMs, verdict) {
      const fromMs = Math.min(atMs, entries.get(key)?.fromMs ?? atMs)
      entries.delete(key)
      if (entries.size >= most) entries.delete(entries.keys().next().value!)
      entries.set(key, { verdict, fromMs })
    },
    get size() {
      return entries.size
    },
  }
}

/** The SHA-256 of each part that a verdict depends on, in order: no copy, no two lists alike. */
export function verdictKey(...parts: readonly Bytes[]): string {
  return parts.map((part) => hash('sha256', part, 'base64')).join('')
}
