/**
 * Frames on a byte stream: an unsigned varint length (unsigned-varint of multiformats: base 128,
 * least significant group first), then that many bytes.
 *
 * Pure: bytes in, frames out. Strict: a length of zero, above `LIMITS.frameBytes`, or not in its
 * shortest form is refused before anything is allocated for it, and memory for a frame grows with
 * the bytes that have come, never with the length that was announced.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'

/** First allocation for a frame that arrives in parts. */
const FIRST_BYTES = 4_096

/** Takes a byte stream apart. After it has thrown, the stream is broken for good. */
export interface FrameDecoder {
  /** Takes the next bytes and appends every frame they complete. Throws `bad-frame`. */
  push(bytes: Bytes, frames: Bytes[]): void
  /** True in the middle of a frame. */
  readonly partial: boolean
  /** Bytes allocated for the frame under way. */
  readonly heldBytes: number
}

/** The decoder of one direction of one stream. */
export function createFrameDecoder(maxBytes: number = LIMITS.frameBytes): FrameDecoder {
  const header = createHeaderReader(maxBytes)
  let body: Bytes | undefined
  let length = 0
  let filled = 0

  const take = (bytes: Bytes, at: number, frames: Bytes[]): number => {
    const end = Math.min(bytes.length, at + length - filled)
    if (filled === 0 && end - at === length) {
      // A copy, so that the frame does not keep the chunk alive; `slice` of a Buffer would be none.
      frames.push(new Uint8Array(bytes.subarray(at, end)))
      length = 0
      return end
    }
    body = grown(body, filled, filled + end - at, length)
    body.set(bytes.subarray(at, end), filled)
    filled += end - at
    if (filled === length) {
      frames.push(body.length === length ? body : body.slice(0, length))
      body = undefined
      length = 0
      filled = 0
    }
    return end
  }

  return {
    push(bytes, frames) {
      for (let at = 0; at < bytes.length; ) {
        if (length > 0) at = take(bytes, at, frames)
        else length = header.push(bytes[at++]!)
      }
    },
    get partial() {
      return length > 0 || header.partial
    },
    get heldBytes() {
      return body?.length ?? 0
    },
  }
}

/**
 * Frames with their lengths before them, joined: what goes to the network in one write.
 * Throws `limit-exceeded` for a frame that the other side would refuse.
 *
 * @example
 * encodeFrames([new Uint8Array([7, 8])]) // 02 07 08
 */
export function encodeFrames(
  frames: readonly Bytes[],
  maxBytes: number = LIMITS.frameBytes,
): Bytes {
  let total = 0
  for (const frame of frames) {
    checkFrame(frame, maxBytes)
    total += headerLength(frame.length) + frame.length
  }
  const out = new Uint8Array(total)
  let at = 0
  for (const frame of frames) {
    let rest = frame.length
    for (; rest >= 0x80; rest >>>= 7) out[at++] = (rest & 0x7f) | 0x80
    out[at++] = rest
    out.set(frame, at)
    at += frame.length
  }
  return out
}

/** Refuses a frame that may not be sent. Throws `limit-exceeded`. */
export function checkFrame(frame: Bytes, maxBytes: number = LIMITS.frameBytes): void {
  if (frame.length >= 1 && frame.length <= maxBytes) return
  throw new MarketError('limit-exceeded', { bytes: frame.length, least: 1, most: maxBytes })
}

/** Bytes of the length before a frame. */
export function headerLength(length: number): number {
  let bytes = 1
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) bytes += 1
  return bytes
}

interface HeaderReader {
  /** The length, once its last byte has come; 0 before. Throws `bad-frame`. */
  push(byte: number): number
  readonly partial: boolean
}

function createHeaderReader(maxBytes: number): HeaderReader {
  let value = 0
  let scale = 1
  return {
    push(byte) {
      value += (byte & 0x7f) * scale
      const more = byte >= 0x80
      // The last byte of a shortest form is not zero; a lone zero byte would be an empty frame.
      if (!more && byte === 0)
        throw new MarketError('bad-frame', { length: 'empty or not minimal' })
      // More bytes only ever add at least the next power of 128.
      const least = more ? value + scale * 128 : value
      if (least > maxBytes)
        throw new MarketError('bad-frame', { length: 'too long', most: maxBytes })
      if (more) {
        scale *= 128
        return 0
      }
      const length = value
      value = 0
      scale = 1
      return length
    },
    get partial() {
      return scale > 1
    },
  }
}

/** Room for `needed` bytes, doubling up to `length`; keeps the `filled` first ones. */
function grown(body: Bytes | undefined, filled: number, needed: number, length: number): Bytes {
  if (body && body.length >= needed) return body
  const doubled = Math.max(needed, FIRST_BYTES, 2 * (body?.length ?? 0))
  const larger = new Uint8Array(Math.min(length, doubled))
  if (body) larger.set(body.subarray(0, filled))
  return larger
}
