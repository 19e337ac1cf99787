/**
 * TON dictionaries (HashmapE, block.tlb) from cells that nobody has checked.
 *
 * The reader of `@ton/core` follows every path, so that some hundred cells which share their
 * children can name more entries than memory holds. This one stops at a bound. It does not ask
 * whether the labels are the shortest: whoever needs that encodes again and compares.
 * @module
 */
import type { Cell, Slice } from '@ton/core'
import { MarketError } from '../base/errors.ts'

export type DictEntry = readonly [key: bigint, value: Slice]

/**
 * Entries of a dictionary with keys of `keyBits` bits, smallest key first. `root` is what
 * `loadMaybeRef` gave. Throws `bad-frame` where it is none, `limit-exceeded` above `most` entries.
 *
 * @example
 * readDict(slice.loadMaybeRef(), 8, 10).map(([, value]) => value.loadUint(8))
 */
export function readDict(root: Cell | null, keyBits: number, most: number): readonly DictEntry[] {
  const found: DictEntry[] = []
  const visit = (cell: Cell, prefix: bigint, left: number): void => {
    const slice = cell.beginParse()
    const label = loadLabel(slice, left)
    const key = (prefix << BigInt(label.length)) | label.bits
    const below = left - label.length
    if (below === 0) {
      if (found.length === most) throw new MarketError('limit-exceeded', { entries: most })
      found.push([key, slice])
      return
    }
    const [zero, one] = [slice.loadRef(), slice.loadRef()]
    slice.endParse()
    visit(zero, key << 1n, below - 1)
    visit(one, (key << 1n) | 1n, below - 1)
  }
  try {
    if (root) visit(root, 0n, keyBits)
  } catch (cause) {
    throw cause instanceof MarketError ? cause : malformed(cause)
  }
  return found
}

/** `HmLabel`: short (length in unary), long, or one bit many times. */
function loadLabel(slice: Slice, most: number): { length: number; bits: bigint } {
  const width = 32 - Math.clz32(most)
  if (!slice.loadBit()) {
    let length = 0
    while (slice.loadBit()) length++
    return loadBits(slice, length, most)
  }
  if (!slice.loadBit()) return loadBits(slice, slice.loadUint(width), most)
  const bit = slice.loadBit()
  const length = slice.loadUint(width)
  if (length > most) throw malformed()
  return { length, bits: bit ? (1n << BigInt(length)) - 1n : 0n }
}

function loadBits(slice: Slice, length: number, most: number): { length: number; bits: bigint } {
  if (length > most) throw malformed()
  return { length, bits: slice.loadUintBig(length) }
}

function malformed(cause?: unknown): MarketError {
  return new MarketError('bad-frame', { record: 'dictionary' }, { cause })
}
