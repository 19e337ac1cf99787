/**
 * What sealing and opening leave in memory: no copy of a prompt, and no key of an unanswered job.
 * @module
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Bytes, concat } from '../../../contracts/base/bytes.ts'
import { signingKey } from '../../../contracts/base/signing.ts'
import { nativeKem } from '../../../contracts/seal/kem.ts'
import { openRequest, sealRequest } from '../../../contracts/seal/request.ts'
import { agree, BINDING, CLIENT_JOB_KEY } from './world.ts'

const PROMPT_BYTE = 0x51
const prompt = () => new Uint8Array(100_000).fill(PROMPT_BYTE)

/** Every buffer of some size that is written to or copied from while `run` runs, but `own`. */
async function touched(own: Bytes | undefined, run: () => Promise<unknown>): Promise<Bytes[]> {
  const seen = new Set<Bytes>()
  const set = Uint8Array.prototype.set
  const spy = vi.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (
    this: Uint8Array,
    from: ArrayLike<number>,
    offset?: number,
  ) {
    if (this.length > 3_000) seen.add(this as Bytes)
    if (from instanceof Uint8Array && from.length > 3_000) seen.add(from as Bytes)
    set.call(this, from, offset)
  })
  await run().finally(() => spy.mockRestore())
  return [...seen].filter((bytes) => bytes !== own)
}

/** True where a long run of the prompt stands in `bytes`. */
function holdsPrompt(bytes: Bytes): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(
    Buffer.alloc(64, PROMPT_BYTE),
  )
}

afterEach(() => vi.restoreAllMocks())

describe('a prompt', () => {
  it('is found by the search where it is kept (the control)', async () => {
    const buffers = await touched(undefined, async () => concat(prompt()))
    expect(buffers.some(holdsPrompt)).toBe(true)
  })

  it("stays in no copy after sealing, and in the caller's own bytes", async () => {
    const kem = nativeKem()
    const request = prompt()
    const epochPublicKey = kem.generateKeyPair().publicKey
    const args = { kem, epochPublicKey, binding: BINDING, clientJobKey: CLIENT_JOB_KEY, request }
    const buffers = await touched(request, () => sealRequest(args))
    expect(buffers.length).toBeGreaterThan(2)
    expect(buffers.filter(holdsPrompt)).toEqual([])
    expect(request).toEqual(prompt())
  })

  it('stays nowhere after opening, once the request itself is wiped', async () => {
    const { opening } = await agree({ kem: nativeKem(), request: prompt() })
    const buffers = await touched(undefined, async () => {
      const { request } = await openRequest(opening)
      expect(holdsPrompt(request)).toBe(true)
      request.fill(0)
    })
    expect(buffers.length).toBeGreaterThan(2)
    expect(buffers.filter(holdsPrompt)).toEqual([])
  })

  it('stays nowhere where its signature or its last chunk is wrong', async () => {
    const { opening } = await agree({ kem: nativeKem(), request: prompt() })
    const other = signingKey(new Uint8Array(32).fill(9)).publicKey
    const torn = opening.sealed.slice()
    torn[torn.length - 1]! ^= 1
    for (const wrong of [{ clientJobPublicKey: other }, { sealed: torn }]) {
      const buffers = await touched(opening.sealed, async () => {
        const opened = openRequest({ ...opening, ...wrong })
        await expect(opened).rejects.toThrow(expect.objectContaining({ code: 'cannot-open' }))
      })
      expect(buffers.filter(holdsPrompt)).toEqual([])
    }
  })
})

describe('keys of a job that nobody answers', () => {
  it('are zero after close, and open nothing', async () => {
    const native = nativeKem()
    const secrets: Bytes[] = []
    const kem = {
      ...native,
      generateKeyPair: () => {
        const pair = native.generateKeyPair()
        secrets.push(pair.secretKey)
        return pair
      },
    }
    const { response, sealer } = await agree({ kem })
    const responseSecret = secrets.at(-1)! // the first is the epoch's
    expect(responseSecret.some((byte) => byte !== 0)).toBe(true)
    response.close()
    expect(responseSecret.every((byte) => byte === 0)).toBe(true)
    const frame = sealer.seal(new Uint8Array(256), true)
    await expect(response.open(frame)).rejects.toThrow(
      expect.objectContaining({ code: 'seal-broken' }),
    )
  })
})
