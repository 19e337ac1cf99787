/**
 * Files that a proposal is made of, beside parameters: who shall sign, and the code of contracts.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { Cell } from '@ton/core'
import { fromHex, toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Signers } from '../../contracts/wrappers/Multisig.ts'

/** Largest file of code that is read: the largest contract here has 12 kB. */
const CODE_BYTES = 1024 * 1024

/** A signers file: `{ "threshold": 2, "keys": ["64HEXDIGITS", ...] }`. Throws `bad-config`. */
export async function readSignersFile(path: string): Promise<Signers> {
  const text = (await read(path)).toString('utf8')
  try {
    return parseSigners(JSON.parse(text))
  } catch (cause) {
    if (cause instanceof MarketError && cause.code === 'bad-config') throw cause
    const expected = '{"threshold": 2, "keys": ["64 hex digits", ...]}'
    throw new MarketError('bad-config', { file: path, expected }, { cause })
  }
}

/** What the file says. */
export function signersJson({ threshold, keys }: Signers): object {
  return { threshold, keys: keys.map(toHex) }
}

/** Signers from a parsed file; their number is checked where they become a cell. */
export function parseSigners(json: unknown): Signers {
  const { threshold, keys, ...others } = json as Record<string, unknown>
  const unknownKey = Object.keys(others)[0]
  if (unknownKey !== undefined) throw new MarketError('bad-config', { unknownKey })
  if (!Number.isInteger(threshold) || !Array.isArray(keys)) {
    throw new MarketError('bad-config', { field: 'threshold or keys' })
  }
  return { threshold: Number(threshold), keys: keys.map((key) => fromHex(String(key), 32)) }
}

/**
 * Code of a contract: a bag of cells, raw, in base64 or hex, or a compiler's JSON with its base64
 * in `code` (as `contracts/wrappers/compiled` has them). Throws `bad-config`.
 */
export async function readCodeFile(path: string): Promise<Cell> {
  const bytes = await read(path)
  try {
    if (bytes.subarray(0, 4).toString('hex') === 'b5ee9c72') return single(bytes)
    const text = bytes.toString('utf8').trim()
    if (text.startsWith('{')) return Cell.fromBase64(String(JSON.parse(text).code))
    return /^[0-9a-fA-F]+$/.test(text) ? Cell.fromHex(text) : Cell.fromBase64(text)
  } catch (cause) {
    throw new MarketError('bad-config', { file: path, expected: 'a bag of one cell' }, { cause })
  }
}

function single(bytes: Buffer): Cell {
  const [cell, ...others] = Cell.fromBoc(bytes)
  if (!cell || others.length > 0) throw new Error('not one root')
  return cell
}

async function read(path: string): Promise<Buffer> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new MarketError('bad-config', { file: path, expected: 'a file' }, { cause })
  }
  if (bytes.length > CODE_BYTES) throw new MarketError('bad-config', { file: path, tooLong: true })
  return bytes
}
