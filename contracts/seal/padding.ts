/**
 * Padmé (Nikitin et al., PETS 2019, section 4): lengths that leak O(log log n) bits of size.
 *
 * A request is padded to at least 2 KiB and above that to a length of the Padmé series, which costs
 * at most 12 %. The layout is `u32 length || request || zeros`, and only that one encoding opens.
 * @module
 */
import { type Bytes, u32 } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'

/** Least padded length: most chat prompts fall into this one class. */
const LEAST_PADDED_BYTES = 2_048

/**
 * Padded length, in bytes, of a request of `length` bytes: its size class, all that shows of it.
 *
 * @example
 * paddedLength(100) // 2048
 */
export function paddedLength(length: number): number {
  const bytes = Math.max(LEAST_PADDED_BYTES, length + 4)
  const exponent = Math.floor(Math.log2(bytes))
  const kept = Math.floor(Math.log2(exponent)) + 1
  const grain = 2 ** (exponent - kept)
  return Math.ceil(bytes / grain) * grain
}

/** `u32 length || request || zeros` of `paddedLength`. */
export function pad(request: Bytes): Bytes {
  const out = new Uint8Array(paddedLength(request.length))
  out.set(u32(request.length))
  out.set(request, 4)
  return out
}

/** The request of a padded one. Throws `bad-input` on anything that `pad` does not make. */
export function unpad(padded: Bytes): Bytes {
  const view = new DataView(padded.buffer, padded.byteOffset, padded.byteLength)
  const length = padded.length < 4 ? 0 : view.getUint32(0)
  let rest = 0
  for (let i = length + 4; i < padded.length; i++) rest |= padded[i]!
  if (padded.length !== paddedLength(length) || rest !== 0) {
    throw new MarketError('bad-input', { expected: 'padded request' })
  }
  return padded.subarray(4, 4 + length)
}
