/**
 * Signed records as cells: hash, bytes, signatures, and a parser for bytes that a stranger sent.
 *
 * A record is a tree of ordinary TON cells, signed by its representation hash and carried as the
 * bag of cells that was received. The parser bounds everything before it builds a cell: size,
 * number of cells, one root, no other magic than `b5ee9c72`, no exotic cells, none that the root
 * does not reach. What the fields mean is the business of the codecs in
 * `contracts/wire/records.ts`.
 * @module
 */
import { Cell } from '@ton/core'
import type { Bytes } from '../../base/bytes.ts'
import { MarketError } from '../../base/errors.ts'
import { LIMITS } from '../../base/limits.ts'
import { type SigningKey, verifySignature } from '../../base/signing.ts'

/** Representation hash of a record, 32 bytes: what is signed, and what other records name. */
export function recordHash(cell: Cell): Bytes {
  return new Uint8Array(cell.hash())
}

/** A record as a bag of cells. */
export function recordBytes(cell: Cell): Bytes {
  return new Uint8Array(cell.toBoc({ idx: false, crc32: false }))
}

/**
 * A bag of cells as its root. Throws `limit-exceeded` above `LIMITS.recordBytes` and
 * `LIMITS.recordCells`, `bad-frame` on anything else that is not a plain record.
 */
export function parseRecord(bytes: Bytes): Cell {
  if (bytes.length > LIMITS.recordBytes) {
    throw new MarketError('limit-exceeded', { bytes: bytes.length, most: LIMITS.recordBytes })
  }
  const cells = checkHeader(bytes)
  let root: Cell | undefined
  try {
    root = Cell.fromBoc(Buffer.from(bytes))[0]
  } catch (cause) {
    throw malformed('cells', cause)
  }
  if (root === undefined) throw malformed('root')
  const reached = reach(root)
  if (reached.some((cell) => cell.isExotic)) throw malformed('exotic cell')
  if (reached.length !== cells) throw malformed('unreached cell')
  return root
}

/** Signs a record; 64 bytes. */
export function signRecord(cell: Cell, key: SigningKey): Bytes {
  return key.sign(recordHash(cell))
}

/** Throws `bad-signature` where `signature` is not that of `publicKey` over the record. */
export function checkRecord(cell: Cell, signature: Bytes, publicKey: Bytes): void {
  if (!verifySignature(recordHash(cell), signature, publicKey)) {
    throw new MarketError('bad-signature')
  }
}

/** Number of cells that the header declares, checked before anything is built from it. */
function checkHeader(bytes: Bytes): number {
  const magic = bytes.length >= 9 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  if (magic !== 0xb5ee9c72) throw malformed('magic')
  // Flags: index, checksum, cache bits (any will do), two reserved bits, width of a cell number.
  const flags = bytes[4]!
  if ((flags & 0b0001_1111) !== 1) throw malformed('header')
  const [cells, roots, absent] = [bytes[6]!, bytes[7]!, bytes[8]!]
  if (roots !== 1 || absent !== 0 || cells === 0) throw malformed('root')
  if (cells > LIMITS.recordCells) {
    throw new MarketError('limit-exceeded', { cells, most: LIMITS.recordCells })
  }
  return cells
}

/** Every cell that the root reaches, once each: shared cells must not multiply the work. */
function reach(root: Cell): readonly Cell[] {
  const seen = new Set([root])
  for (const cell of seen) for (const ref of cell.refs) seen.add(ref)
  return [...seen]
}

function malformed(what: string, cause?: unknown): MarketError {
  return new MarketError('bad-frame', { record: what }, { cause })
}
