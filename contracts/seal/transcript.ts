/**
 * The transcript of a sealed job: one running hash over the sealed request and the frames.
 *
 * Both parties hash the bytes as they travel; the result goes into the receipt, so that neither can
 * later show another conversation for it. The hash is
 * `SHA-256(tag || 0 || network || SHA-256(sealed request) || frame 0 || frame 1 ..)`. Frames have
 * fixed lengths (the first is longer by the encapsulation), so joining them is unambiguous.
 * @module
 */
import { createHash } from 'node:crypto'
import { type Bytes, i32, utf8 } from '../base/bytes.ts'

/** A running transcript; `digest` may be taken after any frame. */
export interface Transcript {
  add(frame: Bytes): void
  /** SHA-256, 32 bytes, of everything so far. */
  digest(): Bytes
}

/** The transcript that begins with a sealed request of hash `sealedHash`. */
export function startTranscript(network: number, sealedHash: Bytes): Transcript {
  const hash = createHash('sha256').update(utf8('chrysalis/transcript/1'))
  hash.update(new Uint8Array(1)).update(i32(network)).update(sealedHash)
  return {
    add: (frame) => void hash.update(frame),
    digest: () => new Uint8Array(hash.copy().digest()),
  }
}

/**
 * The transcript hash of a whole job at once.
 *
 * @example
 * equal(transcriptHash(network, sha256(sealed), frames), opener.transcriptHash()) // true
 */
export function transcriptHash(
  network: number,
  sealedHash: Bytes,
  frames: readonly Bytes[],
): Bytes {
  const transcript = startTranscript(network, sealedHash)
  for (const frame of frames) transcript.add(frame)
  return transcript.digest()
}
