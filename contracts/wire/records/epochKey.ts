/**
 * The epoch key: the public key that requests are sealed to, for its time.
 *
 * The key is longer than a cell, so it hangs below as a chain of cells of 127 bytes.
 * `contracts/wire/records.tlb` is the schema.
 * @module
 */
import { beginCell, type Cell, type Slice } from '@ton/core'
import { type Bytes, concat } from '../../base/bytes.ts'
import { MarketError } from '../../base/errors.ts'
import { loadBytes, loadLong, recordCodec, storeBytes, storeLong } from './codec.ts'

/** Bytes of an MLKEM768-X25519 public key. */
export const KEM_PUBLIC_KEY_BYTES = 1_216
/** Bytes that fill a cell of the key's chain. */
const KEY_CELL_BYTES = 127

/** The key that requests are sealed to, for its time. */
export interface EpochKey {
  readonly network: number
  readonly epoch: number
  readonly notBeforeS: number
  readonly notAfterS: number
  /** 1,216 bytes. */
  readonly kemPublicKey: Bytes
}

export const epochKey = recordCodec<EpochKey>({
  name: 'epoch key',
  tag: 0x5bedcc2e,
  write(builder, value) {
    if (value.notAfterS < value.notBeforeS)
      throw new MarketError('bad-input', { field: 'notAfter' })
    storeLong(builder, value.epoch)
    storeLong(builder, value.notBeforeS)
    storeLong(builder, value.notAfterS)
    return builder.storeRef(keyChain(value.kemPublicKey))
  },
  read: (slice, network) => ({
    network,
    epoch: loadLong(slice),
    notBeforeS: loadLong(slice),
    notAfterS: loadLong(slice),
    kemPublicKey: readKeyChain(slice.loadRef().beginParse()),
  }),
})

function keyChain(key: Bytes): Cell {
  if (key.length !== KEM_PUBLIC_KEY_BYTES) {
    throw new MarketError('bad-input', { expectedBytes: KEM_PUBLIC_KEY_BYTES })
  }
  const starts = Array.from(
    { length: Math.ceil(key.length / KEY_CELL_BYTES) },
    (_, i) => i * KEY_CELL_BYTES,
  )
  const part = (at: number) => key.subarray(at, at + KEY_CELL_BYTES)
  const [last, ...before] = starts.reverse().map(part)
  const end = storeBytes(beginCell(), last!, last!.length).endCell()
  return before.reduce(
    (next, bytes) => storeBytes(beginCell(), bytes, KEY_CELL_BYTES).storeRef(next).endCell(),
    end,
  )
}

function readKeyChain(first: Slice): Bytes {
  const parts: Bytes[] = []
  let slice = first
  for (let left = KEM_PUBLIC_KEY_BYTES; left > 0; left -= KEY_CELL_BYTES) {
    parts.push(loadBytes(slice, Math.min(left, KEY_CELL_BYTES)))
    if (left > KEY_CELL_BYTES) slice = slice.loadRef().beginParse()
  }
  return concat(...parts)
}
