/**
 * Server-sent events cut in every place.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { readEvents } from '../../../node/backends/sse.ts'

async function read(...chunks: Uint8Array[]): Promise<string[]> {
  async function* body() {
    yield* chunks
  }
  const events = []
  for await (const event of readEvents(body())) events.push(event)
  return events
}

describe('server-sent events', () => {
  it('are the same wherever the bytes are cut', async () => {
    const bytes = utf8(': hi\r\ndata: книга 😀\r\n\r\nid: 7\ndata:two\ndata: lines\n\ndata: cut')
    const whole = ['книга 😀', 'two\nlines']
    for (let at = 0; at <= bytes.length; at++) {
      expect(await read(bytes.subarray(0, at), bytes.subarray(at))).toEqual(whole)
    }
    expect(await read(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole)
  })

  it('are bounded, also over many data lines', async () => {
    const most = 'x'.repeat(LIMITS.sseLineBytes - 6)
    expect(await read(utf8(`data: ${most}\n\n`))).toEqual([most])
    const failed = { code: 'backend-failed' }
    await expect(read(utf8(`data: ${most}xxxxxxx`))).rejects.toMatchObject(failed)
    const half = `data: ${'x'.repeat(LIMITS.sseLineBytes / 2 + 1)}\n`
    await expect(read(utf8(half), utf8(half))).rejects.toMatchObject(failed)
    const empty = utf8('data:\n'.repeat(LIMITS.sseLineBytes / 4))
    await expect(read(empty, empty, empty, empty, empty)).rejects.toMatchObject(failed)
  })

  it('must be UTF-8', async () => {
    await expect(read(Uint8Array.of(0x64, 0xc3, 0x28))).rejects.toMatchObject({
      code: 'backend-failed',
    })
  })
})
