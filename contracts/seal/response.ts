/**
 * The sealed response: frames of 256 bytes from the provider to the client's one-job key.
 *
 * HPKE PSK mode (RFC 9180 section 5.1.2) to the response key, `psk` exported from the request's
 * context, `psk_id` = lease hash. Frame key and nonce base are exported from that context; a frame
 * is ChaCha20-Poly1305 with nonce = base XOR counter and AAD = flag, sealed synchronously through a
 * cached KeyObject, which is four times as fast as a promise per frame. On the wire a frame is
 * `flag || ciphertext || tag` (273 bytes), and the first has `enc` (1,120 bytes) before it.
 * @module
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { RecipientContext, SenderContext } from 'hpke'
import { type Bytes, concat } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { Kem } from '../base/ports.ts'
import { sha256 } from '../base/signing.ts'
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES, openAead, sealAead } from './aead.ts'
import { EXPORT_FRAME_KEY, EXPORT_FRAME_NONCE, type JobBinding, responseInfo } from './binding.ts'
import { KEM_ENC_BYTES } from './kem.ts'
import { hpkeSuite, publicKeyOf, secretKeyOf } from './suite.ts'
import { startTranscript } from './transcript.ts'

/** Plaintext bytes of every frame. */
export const CONTENT_BYTES = 256
/** Bytes of a sealed frame; the first of a job has `FIRST_FRAME_BYTES`. */
export const FRAME_BYTES = 1 + CONTENT_BYTES + AEAD_TAG_BYTES
export const FIRST_FRAME_BYTES = KEM_ENC_BYTES + FRAME_BYTES

const NOT_FINAL = Uint8Array.of(0)
const FINAL = Uint8Array.of(1)

/** The provider's end of a sealed response. */
export interface ResponseSealer {
  /**
   * Seals 256 bytes of content into the next frame. Throws `bad-input` on another length,
   * `internal` after the final frame, `limit-exceeded` after `LIMITS.framesPerJob`.
   */
  seal(content: Bytes, final: boolean): Bytes
  /** Frames sealed so far. */
  readonly frames: number
  /** The transcript hash over the sealed request and the frames so far. */
  transcriptHash(): Bytes
}

/** The client's end of a sealed response. */
export interface ResponseOpener {
  /**
   * Opens the next frame; calls are served in the order they are made. Throws `seal-broken` on any
   * frame that is not exactly the next one, and from then on always.
   */
  open(frame: Bytes): Promise<OpenedFrame>
  /** The stream has ended. Throws `seal-broken` unless the final frame has been opened. */
  end(): void
  /** Wipes what a first frame would have been opened with; nothing opens from then on. */
  close(): void
  /** Frames opened so far. */
  readonly frames: number
  /** The transcript hash over the sealed request and the frames opened so far. */
  transcriptHash(): Bytes
}

/** One opened frame: 256 bytes of content (`pieces.ts`), and whether it was the last. */
export interface OpenedFrame {
  readonly content: Bytes
  readonly final: boolean
}

/** The provider's end, made by `openRequest`. */
export async function sealer(args: {
  kem: Kem
  binding: JobBinding
  sealedHash: Bytes
  responsePublicKey: Bytes
  psk: Bytes
}): Promise<ResponseSealer> {
  const { binding, sealedHash, psk } = args
  const info = responseInfo(binding, sealedHash)
  const { encapsulatedSecret: enc, ctx } = await hpkeSuite(args.kem).SetupSender(
    publicKeyOf(args.responsePublicKey),
    { info, psk, pskId: binding.leaseHash },
  )
  psk.fill(0)
  const keys = await frameKeys(ctx)
  const transcript = startTranscript(binding.network, sealedHash)
  let frames = 0
  let ended = false
  return {
    seal(content, final) {
      if (content.length !== CONTENT_BYTES) {
        throw new MarketError('bad-input', { field: 'content', bytes: CONTENT_BYTES })
      }
      if (ended) throw new MarketError('internal', { detail: 'a frame after the final one' })
      if (frames >= LIMITS.framesPerJob) {
        throw new MarketError('limit-exceeded', { frames, most: LIMITS.framesPerJob })
      }
      const body = sealFrame(keys, frames, content, final)
      const frame = frames === 0 ? concat(enc, body) : body
      frames += 1
      ended = final
      transcript.add(frame)
      return frame
    },
    get frames() {
      return frames
    },
    transcriptHash: transcript.digest,
  }
}

/** The client's end, made by `sealRequest`. */
export function responseOpener(args: {
  kem: Kem
  binding: JobBinding
  sealed: Bytes
  secretKey: Bytes
  psk: Bytes
}): ResponseOpener {
  const sealedHash = sha256(args.sealed)
  const transcript = startTranscript(args.binding.network, sealedHash)
  let keys: FrameKeys | undefined
  let frames = 0
  let state: 'open' | 'ended' | 'broken' = 'open'
  let turn: Promise<unknown> = Promise.resolve()

  const openNext = async (frame: Bytes): Promise<OpenedFrame> => {
    if (state !== 'open') throw broken(frames)
    state = 'broken' // until the frame has proved itself: a throw below leaves it so
    const expected = frames === 0 ? FIRST_FRAME_BYTES : FRAME_BYTES
    if (frame.length !== expected || frames >= LIMITS.framesPerJob) throw broken(frames)
    keys ??= await setUp(args, sealedHash, frame.slice(0, KEM_ENC_BYTES))
    const body = frame.subarray(expected - FRAME_BYTES)
    const content = openFrame(keys, frames, body)
    const final = body[0] === 1
    state = final ? 'ended' : 'open'
    frames += 1
    transcript.add(frame)
    return { content, final }
  }

  return {
    open(frame) {
      const opened = turn.then(() => openNext(frame))
      turn = opened.catch(() => undefined) // the caller has the error; the next call gets its own
      return opened
    },
    end() {
      if (state !== 'ended') throw broken(frames)
    },
    close() {
      if (state === 'open') state = 'broken'
      args.secretKey.fill(0)
      args.psk.fill(0)
    },
    get frames() {
      return frames
    },
    transcriptHash: transcript.digest,
  }
}

interface FrameKeys {
  readonly key: KeyObject
  readonly nonceBase: Bytes
  /** The nonce in use; node copies it. */
  readonly nonce: Bytes
}

async function setUp(
  args: Parameters<typeof responseOpener>[0],
  sealedHash: Bytes,
  enc: Bytes,
): Promise<FrameKeys> {
  const { binding, psk } = args
  const options = { info: responseInfo(binding, sealedHash), psk, pskId: binding.leaseHash }
  try {
    const suite = hpkeSuite(args.kem)
    return await frameKeys(await suite.SetupRecipient(secretKeyOf(args.secretKey), enc, options))
  } catch (cause) {
    throw broken(0, cause)
  } finally {
    args.secretKey.fill(0) // one set-up only: a second first frame finds nothing to open it with
    psk.fill(0)
  }
}

async function frameKeys(ctx: SenderContext | RecipientContext): Promise<FrameKeys> {
  const raw = await ctx.Export(EXPORT_FRAME_KEY, AEAD_KEY_BYTES)
  const key = createSecretKey(raw)
  raw.fill(0)
  const nonceBase = await ctx.Export(EXPORT_FRAME_NONCE, AEAD_NONCE_BYTES)
  return { key, nonceBase, nonce: new Uint8Array(AEAD_NONCE_BYTES) }
}

function sealFrame(keys: FrameKeys, counter: number, content: Bytes, final: boolean): Bytes {
  const flag = final ? FINAL : NOT_FINAL
  const frame = sealAead(keys.key, frameNonce(keys, counter), flag, content, flag.length)
  frame.set(flag)
  return frame
}

function openFrame(keys: FrameKeys, counter: number, body: Bytes): Bytes {
  const flag = body[0]
  if (flag !== 0 && flag !== 1) throw broken(counter)
  try {
    const aad = flag === 1 ? FINAL : NOT_FINAL
    return openAead(keys.key, frameNonce(keys, counter), aad, body.subarray(1))
  } catch (cause) {
    throw broken(counter, cause)
  }
}

/** Nonce base XOR the counter as 96 bits, big-endian (RFC 9180 section 5.2); 32 bits suffice. */
function frameNonce({ nonceBase, nonce }: FrameKeys, counter: number): Bytes {
  nonce.set(nonceBase)
  nonce[8]! ^= counter >>> 24
  nonce[9]! ^= (counter >>> 16) & 0xff
  nonce[10]! ^= (counter >>> 8) & 0xff
  nonce[11]! ^= counter & 0xff
  return nonce
}

function broken(frames: number, cause?: unknown): MarketError {
  return new MarketError('seal-broken', { frames }, { cause })
}
