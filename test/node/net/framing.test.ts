/**
 * Frames on a byte stream: vectors, refusals, and random input against a slow twin.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { concat, fromHex, toHex } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { createFrameDecoder, encodeFrames, headerLength } from '../../../node/net/framing.ts'
import { createSeededRandom } from '../../../node/system/seededRandom.ts'

function decodeAll(bytes: Uint8Array, maxBytes?: number): Uint8Array[] {
  const frames: Uint8Array[] = []
  createFrameDecoder(maxBytes).push(bytes, frames)
  return frames
}

/** The slow twin: the whole input at once. Undefined where it is refused. */
function decodeSlowly(bytes: Uint8Array, maxBytes: number): Uint8Array[] | undefined {
  const frames: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    let length = 0n
    let groups = 0
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined) return length > BigInt(maxBytes) ? undefined : frames
      length |= BigInt(byte & 0x7f) << BigInt(7 * groups++)
      if (byte < 0x80) {
        if (byte === 0) return undefined // empty, or not the shortest form
        break
      }
      if (length + (1n << BigInt(7 * groups)) > BigInt(maxBytes)) return undefined
    }
    if (length > BigInt(maxBytes)) return undefined
    if (at + Number(length) > bytes.length) return frames
    frames.push(bytes.slice(at, at + Number(length)))
    at += Number(length)
  }
  return frames
}

describe('framing', () => {
  it('writes the lengths of the unsigned-varint specification', () => {
    const header = (length: number) => {
      const bytes = encodeFrames([new Uint8Array(length)])
      expect(bytes).toHaveLength(headerLength(length) + length)
      return toHex(bytes.subarray(0, headerLength(length)))
    }
    expect([1, 127, 128, 255, 300, 16_384].map(header)).toEqual([
      '01',
      '7f',
      '8001',
      'ff01',
      'ac02',
      '808001',
    ])
  })

  it('reads what it writes, cut anywhere', () => {
    const random = createSeededRandom('round trip')
    const frames = [1, 2, 127, 128, 129, 5_000, 20_000].map((length) => random.bytes(length))
    const bytes = encodeFrames(frames)
    expect(decodeAll(bytes)).toEqual(frames)
    for (const size of [1, 2, 3, 127, 4_096, 4_097]) {
      const decoder = createFrameDecoder()
      const out: Uint8Array[] = []
      for (let at = 0; at < bytes.length; at += size)
        decoder.push(bytes.subarray(at, at + size), out)
      expect(out).toEqual(frames)
      expect([decoder.partial, decoder.heldBytes]).toEqual([false, 0])
    }
  })

  it.each([
    ['an empty frame', '00'],
    ['a length that is not minimal', '8100'],
    ['a padded zero', '8000'],
    ['a length above the bound', '81808001'],
    ['a length that only begins above the bound', '80808080'],
    ['a length of ten bytes', 'ffffffffffffffffff01'],
  ])('refuses %s', (_, hex) => {
    expect(() => decodeAll(fromHex(hex))).toThrow(
      expect.objectContaining({ code: 'bad-frame' }) as Error,
    )
    expect(() => decodeAll(concat(fromHex('0107'), fromHex(hex)))).toThrow()
  })

  it('takes exactly the bound, and sends no more', () => {
    const largest = new Uint8Array(LIMITS.frameBytes)
    expect(decodeAll(encodeFrames([largest]))[0]).toHaveLength(LIMITS.frameBytes)
    const refused = expect.objectContaining({ code: 'limit-exceeded' }) as Error
    expect(() => encodeFrames([new Uint8Array(LIMITS.frameBytes + 1)])).toThrow(refused)
    expect(() => encodeFrames([new Uint8Array(0)])).toThrow(refused)
  })

  it('allocates for what has come, not for what was announced', () => {
    const decoder = createFrameDecoder()
    decoder.push(fromHex('808040'), []) // announces 1 MiB
    expect([decoder.partial, decoder.heldBytes]).toEqual([true, 0])
    decoder.push(new Uint8Array(10), [])
    expect(decoder.heldBytes).toBeLessThanOrEqual(4_096)
    decoder.push(new Uint8Array(100_000), [])
    expect(decoder.heldBytes).toBeLessThanOrEqual(2 * 100_010)
  })

  it('a frame does not keep the chunk alive that it came in', () => {
    const [frame] = decodeAll(concat(encodeFrames([new Uint8Array(3)]), new Uint8Array([5, 1])))
    expect(frame!.buffer.byteLength).toBe(3)
    // What libp2p delivers are Buffers, whose `slice` shares memory.
    const chunk = Buffer.from([2, 7, 8])
    const [fromBuffer] = decodeAll(chunk)
    chunk.fill(0)
    expect(fromBuffer).toEqual(new Uint8Array([7, 8]))
  })

  it('200,000 random inputs: never more than the bound, and as the slow twin says', () => {
    const random = createSeededRandom('fuzz 1')
    const maxBytes = 300
    let refused = 0
    let frames = 0
    for (let round = 0; round < 200_000; round++) {
      const bytes = random.bytes(1 + (round % 40))
      // Small lengths and continuation bits near the bound are what a random byte seldom hits.
      if (round % 3 === 0) bytes[0] = bytes[0]! & 0x0f
      if (round % 5 === 0 && bytes.length > 1) bytes[1] = bytes[1]! & 0x03
      const out: Uint8Array[] = []
      const decoder = createFrameDecoder(maxBytes)
      const cut = round % bytes.length
      let failed = false
      try {
        decoder.push(bytes.subarray(0, cut), out)
        decoder.push(bytes.subarray(cut), out)
      } catch {
        failed = true
      }
      const expected = decodeSlowly(bytes, maxBytes)
      if (failed === (expected !== undefined)) throw new Error(`differs on ${toHex(bytes)}`)
      if (decoder.heldBytes > maxBytes) throw new Error(`holds too much on ${toHex(bytes)}`)
      if (failed) refused += 1
      else if (Buffer.compare(concat(...out), concat(...expected!)) !== 0) {
        throw new Error(`other frames on ${toHex(bytes)}`)
      }
      frames += out.length
    }
    expect(refused).toBeGreaterThan(10_000)
    expect(frames).toBeGreaterThan(10_000)
  })
})
