/**
 * The anchor of a payee's reputation: one hash over the books of all its channels, which its item
 * in the registry keeps. Whoever is shown the books later can check that they stood so then; it
 * never proves that the books are complete.
 * @module
 */
import { type Bytes, concat, fromHex, u32, utf8 } from '../../contracts/base/bytes.ts'
import { sha256, taggedHash } from '../../contracts/base/signing.ts'
import type { NanoTon } from '../../contracts/base/units.ts'

/** What of a channel's books is anchored. */
export interface AnchoredBooks {
  /** Raw address. */
  readonly channel: string
  readonly spent: NanoTon
  /** The running hash over countersigned receipts. */
  readonly receiptsHash: Bytes
}

/** The anchor of every account of a book, as its state is now. */
export function anchorOf(
  networkId: number,
  book: { all(): readonly { state(): AnchoredBooks }[] },
): Bytes {
  const books = book.all().map((account) => account.state())
  return booksAnchor(networkId, books)
}

/**
 * `SHA-256(tag || network || count || for each channel, by address: SHA-256(channel || spent ||
 * receiptsHash))`; amounts as 16 bytes, big-endian. The order of `books` does not matter.
 *
 * @example
 * booksAnchor(-3, book.all().map((account) => account.state()))
 */
export function booksAnchor(networkId: number, books: readonly AnchoredBooks[]): Bytes {
  const sorted = books.toSorted((a, b) => (a.channel < b.channel ? -1 : 1))
  const leaves = sorted.map(({ channel, spent, receiptsHash }) => {
    const amount = fromHex(spent.toString(16).padStart(32, '0'))
    return sha256(concat(utf8(channel), amount, receiptsHash))
  })
  return taggedHash('chrysalis/anchor/1', networkId, concat(u32(leaves.length), ...leaves))
}
