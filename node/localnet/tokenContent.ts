/**
 * What a jetton or an NFT says of itself (TEP-64), as toncenter tells it.
 *
 * Off chain it is the address of a document; on chain a dictionary from the hash of a name to its
 * value, and the names that toncenter looks for are told. Text is what is valid UTF-8; pictures
 * are base64. A value that is cut off or malformed is left out.
 * @module
 */
import { createHash } from 'node:crypto'
import { type Cell, Dictionary, type Slice } from '@ton/core'
import { LIMITS } from '../../contracts/base/limits.ts'
import { snake, utf8 } from './messageJson.ts'

const ON_CHAIN = 0
const OFF_CHAIN = 1
const SNAKE = 0
const CHUNKS = 1

const NAMES = [
  'uri',
  'name',
  'description',
  'image',
  'image_data',
  'symbol',
  'decimals',
  'amount_style',
  'render_type',
]

export interface TokenContent {
  readonly type: 'onchain' | 'offchain'
  readonly data: string | Readonly<Record<string, string>>
}

/** Undefined where the cell is not of TEP-64. */
export function tokenContent(cell: Cell): TokenContent | undefined {
  try {
    const slice = cell.beginParse()
    const layout = slice.loadUint(8)
    if (layout === OFF_CHAIN) {
      const uri = textOf(snake(slice.asCell(), LIMITS.tokenContentBytes))
      return uri === undefined ? undefined : { type: 'offchain', data: uri }
    }
    return layout === ON_CHAIN ? { type: 'onchain', data: attributes(slice) } : undefined
  } catch {
    return undefined // written by a contract, so it may be anything
  }
}

function attributes(slice: Slice): Record<string, string> {
  const values = slice.loadDict(Dictionary.Keys.BigUint(256), {
    serialize: () => {},
    parse: (value: Slice) => value,
  })
  const found: Record<string, string> = {}
  for (const name of NAMES) {
    const key = BigInt(`0x${createHash('sha256').update(name).digest('hex')}`)
    const value = values.get(key)
    const text = value && attribute(name, value)
    if (text !== undefined) found[name] = text
  }
  return found
}

/** Values are cells of their own; some contracts write them in place. */
function attribute(name: string, value: Slice): string | undefined {
  try {
    const inCell = value.remainingBits === 0 && value.remainingRefs === 1
    const bytes = contentBytes(inCell ? value.loadRef().beginParse() : value)
    return name === 'image_data' ? bytes?.toString('base64') : textOf(bytes)
  } catch {
    return undefined
  }
}

function contentBytes(slice: Slice): Buffer | undefined {
  const layout = slice.loadUint(8)
  if (layout === SNAKE) return snake(slice.asCell(), LIMITS.tokenContentBytes)
  if (layout !== CHUNKS) return undefined
  const chunks = slice.loadDict(Dictionary.Keys.Uint(32), Dictionary.Values.Cell())
  const parts: Buffer[] = []
  for (let at = 0, bytes = 0; bytes < LIMITS.tokenContentBytes; at++) {
    const chunk = chunks.get(at)
    if (!chunk) break
    const part = snake(chunk, LIMITS.tokenContentBytes)
    if (!part) return undefined
    parts.push(part)
    bytes += part.length
  }
  return Buffer.concat(parts).subarray(0, LIMITS.tokenContentBytes)
}

function textOf(bytes: Buffer | undefined): string | undefined {
  return bytes && utf8(bytes)
}
