/**
 * Counting tokens, so that a client can check what a provider bills.
 *
 * A client that has the model's tokenizer recounts the answer; one that has not uses the bound that
 * holds for every tokenizer with byte fallback: no more tokens than UTF-8 bytes. It says which.
 * @module
 */
import { type Bytes, lengthPrefixed, utf8 } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { sha256 } from '../base/signing.ts'

export interface Tokenizer {
  readonly id: string
  /** SHA-256 of what it counts by, 32 bytes: as the registry names it. */
  readonly hash: Bytes
  /** `exact` for the model's own, `bound` where the true count may be lower. */
  readonly kind: 'exact' | 'bound'
  /** Tokens of a text on its own, without special tokens. */
  count(text: string): number
}

/** A vocabulary for `sentencePieceTokenizer`. */
export interface SentencePieceVocabulary {
  readonly id: string
  /** The pieces in the order in which they are merged, separated by spaces; U+2581 is a space. */
  readonly pieces: string
}

/** The bound for every model: UTF-8 bytes. */
export const bytesTokenizer: Tokenizer = {
  id: 'utf8-bytes',
  hash: sha256(utf8('utf8-bytes')),
  kind: 'bound',
  count: (text) => Buffer.byteLength(text),
}

/**
 * Byte pair encoding over characters with byte fallback, as SentencePiece trains it (Kudo and
 * Richardson, arXiv 1808.06226) and llama.cpp runs it: the adjacent pair that makes the earliest
 * piece is joined first, the leftmost of equals; what is no piece in the end counts its bytes. The
 * text gets no space in front. Time grows with n log n. Throws `bad-input` on repeated pieces.
 *
 * @example
 * sentencePieceTokenizer({ id: 'x', pieces: 'a b ab' }).count('abc') // 2: 'ab' and one byte
 */
export function sentencePieceTokenizer({ id, pieces }: SentencePieceVocabulary): Tokenizer {
  const list = pieces.split(' ')
  const ranks = new Map(list.map((piece, rank) => [piece, rank]))
  if (ranks.size !== list.length) throw new MarketError('bad-input', { field: 'pieces' })
  const hash = sha256(lengthPrefixed(utf8('sentencepiece-bpe/1'), utf8(pieces)))
  return { id, hash, kind: 'exact', count: (text) => countPieces(text, ranks) }
}

const SPACE = '\u2581'
/** Heap keys are `rank * STEP + position`: exact doubles for 2^21 pieces and 2^32 characters. */
const STEP = 2 ** 32

function countPieces(text: string, ranks: ReadonlyMap<string, number>): number {
  const symbols: (string | undefined)[] = Array.from(
    text.toWellFormed().replaceAll(' ', SPACE), // by character, not by UTF-16 unit
  )
  const next = Int32Array.from(symbols, (_, at) => at + 1)
  const before = Int32Array.from(symbols, (_, at) => at - 1)
  const heap: number[] = []
  const rankAt = (left: number): number | undefined => {
    const right = symbols[next[left] ?? symbols.length]
    const own = symbols[left]
    return own === undefined || right === undefined ? undefined : ranks.get(own + right)
  }
  const consider = (left: number): void => {
    const rank = rankAt(left)
    if (rank !== undefined) push(heap, rank * STEP + left)
  }
  for (let at = 0; at < symbols.length - 1; at++) consider(at)
  for (let key = pop(heap); key !== undefined; key = pop(heap)) {
    const left = key % STEP
    if (rankAt(left) !== (key - left) / STEP) continue // one of the two is another symbol by now
    const right = next[left]!
    const after = next[right]!
    symbols[left] = `${symbols[left]}${symbols[right]}`
    symbols[right] = undefined
    next[left] = after
    if (after < symbols.length) before[after] = left
    consider(left)
    if (before[left]! >= 0) consider(before[left]!)
  }
  let count = 0
  for (const symbol of symbols) {
    if (symbol !== undefined) count += ranks.has(symbol) ? 1 : Buffer.byteLength(symbol)
  }
  return count
}

/** A binary heap, least key first. */
function push(heap: number[], key: number): void {
  let at = heap.push(key) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]! <= key) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = key
}

function pop(heap: number[]): number | undefined {
  const least = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return least
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++
    if (heap[child]! >= last) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
  return least
}
