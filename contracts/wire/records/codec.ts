/**
 * What every record codec shares: one canonical encoding, range checks, typed errors.
 *
 * A codec is a `write` and a `read`. Decoding reads, checks the ranges, encodes again and compares:
 * whatever does not come back as the same cell (bits left over, a padded amount, an anycast
 * address, another kind's tag) was not in its one form, and is refused.
 * @module
 */
import { type Builder, beginCell, type Cell, type Slice } from '@ton/core'
import type { Bytes } from '../../base/bytes.ts'
import { MarketError } from '../../base/errors.ts'
import type { TokenUsage } from '../../base/terms.ts'
import { MAX_COINS } from '../../base/units.ts'

/** Encoder and strict decoder of one kind of record. */
export interface RecordCodec<T> {
  /** Throws `bad-input` where a field is out of range. */
  encode(value: T): Cell
  /** Throws `bad-frame`; `wrong-network` where `network` is given and another one stands there. */
  decode(cell: Cell, network?: number): T
}

/** Makes a codec. `read` starts after tag and network. */
export function recordCodec<T extends { readonly network: number }>(kind: {
  readonly name: string
  readonly tag: number
  write(builder: Builder, value: T): Builder
  read(slice: Slice, network: number): T
}): RecordCodec<T> {
  const { name, tag } = kind
  const encode = (value: T): Cell => {
    try {
      const head = beginCell().storeUint(tag, 32).storeInt(int32(value.network), 32)
      return kind.write(head, value).endCell()
    } catch (cause) {
      if (cause instanceof MarketError) throw cause
      throw new MarketError('bad-input', { record: name }, { cause })
    }
  }
  const decode = (cell: Cell, network?: number): T => {
    const value = readStrictly(cell)
    if (network !== undefined && value.network !== network) {
      throw new MarketError('wrong-network', { record: name, network: value.network })
    }
    return value
  }
  const readStrictly = (cell: Cell): T => {
    try {
      const slice = cell.beginParse()
      if (slice.loadUint(32) !== tag) throw new MarketError('bad-frame', { record: name })
      const value = kind.read(slice, slice.loadInt(32))
      if (encode(value).equals(cell)) return value
    } catch (cause) {
      throw new MarketError('bad-frame', { record: name }, { cause })
    }
    throw new MarketError('bad-frame', { record: name, expected: 'the canonical form' })
  }
  return { encode, decode }
}

/** Stores exactly `length` bytes. Throws `bad-input` on any other length. */
export function storeBytes(builder: Builder, bytes: Bytes, length: number): Builder {
  if (bytes.length !== length) throw new MarketError('bad-input', { expectedBytes: length })
  return builder.storeBuffer(Buffer.from(bytes), length)
}

/** Loads `length` bytes. */
export function loadBytes(slice: Slice, length: number): Bytes {
  return new Uint8Array(slice.loadBuffer(length))
}

/** Stores a non-negative integer of at most 53 bits in 64. */
export function storeLong(builder: Builder, value: number): Builder {
  return builder.storeUint(BigInt(within(value, 0, Number.MAX_SAFE_INTEGER)), 64)
}

/** Loads a 64-bit integer that a number holds exactly. */
export function loadLong(slice: Slice): number {
  const value = slice.loadUintBig(64)
  return within(Number(value), 0, Number.MAX_SAFE_INTEGER)
}

/** Stores an amount as coins. Throws `bad-input` outside 0 to 2^120 - 1. */
export function storeAmount(builder: Builder, amount: bigint): Builder {
  if (amount < 0n || amount > MAX_COINS) throw new MarketError('bad-input', { field: 'amount' })
  return builder.storeCoins(amount)
}

/** Stores a word as its position in `words`, in 8 bits. */
export function storeWord<W extends string>(
  builder: Builder,
  word: W,
  words: readonly W[],
): Builder {
  return builder.storeUint(within(words.indexOf(word), 0, words.length - 1), 8)
}

/** Loads a word by its position. */
export function loadWord<W extends string>(slice: Slice, words: readonly W[]): W {
  const word = words[slice.loadUint(8)]
  if (word === undefined) throw new MarketError('bad-frame', { expected: words.join(' or ') })
  return word
}

/** Stores four counts of 32 bits. */
export function storeUsage(builder: Builder, usage: TokenUsage): Builder {
  return builder
    .storeUint(usage.prompt, 32)
    .storeUint(usage.cachedPrompt, 32)
    .storeUint(usage.completion, 32)
    .storeUint(usage.reasoning, 32)
}

/** Loads four counts of 32 bits. */
export function loadUsage(slice: Slice): TokenUsage {
  const count = () => slice.loadUint(32)
  return { prompt: count(), cachedPrompt: count(), completion: count(), reasoning: count() }
}

/** The value, where it is an integer within the bounds. Throws `bad-input`. */
export function within(value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new MarketError('bad-input', { value, least, most })
  }
  return value
}

function int32(network: number): number {
  return within(network, -(2 ** 31), 2 ** 31 - 1)
}
