/**
 * What both stores agree on: which names and values are accepted, and the order of keys.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Change } from '../../contracts/base/ports.ts'

/** Refuses a change that a store could not keep exactly. Throws `bad-input`, `limit-exceeded`. */
export function checkChange({ table, key, value }: Change): void {
  checkName('table', table)
  checkName('key', key)
  if (value !== undefined && value.length > LIMITS.storeValueBytes) {
    throw new MarketError('limit-exceeded', { bytes: value.length, most: LIMITS.storeValueBytes })
  }
}

/**
 * Ascending order of keys: by their UTF-8 bytes, as SQLite compares text. JavaScript's own order
 * differs beyond the basic plane, where surrogates sort below U+E000.
 */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** The number of entries a listing gives. */
export function pageSize(limit: number | undefined): number {
  return Math.max(0, Math.min(limit ?? LIMITS.storePage, LIMITS.storePage))
}

/** The entries of one call, detached from the caller's memory: it may reuse its buffers at once. */
export function detached(value: Bytes | undefined): Bytes | undefined {
  return value === undefined ? undefined : Uint8Array.from(value)
}

function checkName(field: 'table' | 'key', name: string): void {
  const fits = name.length >= 1 && name.length <= LIMITS.storeKeyLength
  // A lone surrogate would be stored as U+FFFD, and a NUL ends text early in some tools.
  if (!fits || !name.isWellFormed() || name.includes('\0')) {
    throw new MarketError('bad-input', {
      field,
      expected: `1 to ${LIMITS.storeKeyLength} characters`,
    })
  }
}
