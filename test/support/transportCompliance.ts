/**
 * What every Transport must do, whatever carries its bytes. Run by the tests of each
 * implementation.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { utf8 } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { FrameStream, Transport } from '../../contracts/base/ports.ts'
import { verifySignature } from '../../contracts/base/signing.ts'
import { peerKeyOf } from '../../node/net/peerId.ts'

/** Bounds that the suite wants narrow, so that it need not wait. */
export interface ComplianceLimits {
  readonly stallMs?: number
  readonly streamsPerPeer?: number
  readonly frameDeadlineMs?: number
}

/** Starts a transport that others of the same test can dial. */
export type StartTransport = (seed: Uint8Array, limits?: ComplianceLimits) => Promise<Transport>

const PROTOCOL = '/chrysalis/test/1'
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const codes = (code: string) => expect.objectContaining({ code })

/** Gives a promise's resolution from outside. */
export function handOver<T>() {
  const { promise, resolve } = Promise.withResolvers<T>()
  return { promise, give: resolve }
}

/** The next frame; fails where the stream has ended. */
export async function nextFrame(stream: FrameStream): Promise<Uint8Array> {
  const { done, value } = await stream.frames[Symbol.asyncIterator]().next()
  if (done) throw new Error('the stream has ended')
  return value
}

/** Waits for real I/O to bring about `condition`. */
export async function eventually(condition: () => boolean, limitMs = 5_000): Promise<void> {
  const endMs = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > endMs) throw new Error('it did not come about')
    await delay(5)
  }
}

/** Declares the tests. */
export function transportCompliance(start: StartTransport): void {
  const running: Transport[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((transport) => transport.stop()))
  })

  const peer = async (fill: number, limits?: ComplianceLimits) => {
    const transport = await start(new Uint8Array(32).fill(fill), limits)
    running.push(transport)
    return transport
  }
  /** Two connected peers, and one stream between them from both ends. */
  const couple = async (limits?: ComplianceLimits) => {
    const [a, b] = await Promise.all([peer(1, limits), peer(2, limits)])
    const served = handOver<FrameStream>()
    await b.handle(PROTOCOL, (stream) => served.give(stream))
    await a.dial(b.addresses())
    const near = await a.open(b.peerId, PROTOCOL)
    await near.send(utf8('first'))
    const far = await served.promise
    expect(text(await nextFrame(far))).toBe('first')
    return { a, b, near, far }
  }

  it('names itself by its key', async () => {
    const a = await peer(1)
    expect(peerKeyOf(a.peerId)).toEqual(a.peerKey)
    expect(a.peerKey).toHaveLength(32)
    expect(verifySignature(utf8('x'), new Uint8Array(64), a.peerKey)).toBe(false)
    expect(a.addresses()[0]).toContain(`/p2p/${a.peerId}`)
  })

  it('dials, opens, and carries frames both ways in order', async () => {
    const { a, b, near, far } = await couple()
    expect([near.peer, far.peer]).toEqual([b.peerId, a.peerId])
    expect([near.protocol, far.protocol]).toEqual([PROTOCOL, PROTOCOL])
    const sent = Array.from({ length: 500 }, (_, i) => `frame ${i}`)
    void (async () => {
      for (const frame of sent) await near.send(utf8(frame))
      await near.close()
    })()
    const received: string[] = []
    for await (const frame of far.frames) {
      received.push(text(frame))
      await far.send(frame)
    }
    expect(received).toEqual(sent)
    await far.close()
    const echoed: string[] = []
    for await (const frame of near.frames) echoed.push(text(frame))
    expect(echoed).toEqual(sent)
  })

  it('opens streams from the side that was dialled too', async () => {
    const { a, b } = await couple()
    const served = handOver<FrameStream>()
    await a.handle('/chrysalis/back/1', (stream) => served.give(stream))
    const back = await b.open(a.peerId, '/chrysalis/back/1')
    await back.send(utf8('back'))
    expect(text(await nextFrame(await served.promise))).toBe('back')
  })

  it('half-closes: the other direction stays open', async () => {
    const { near, far } = await couple()
    await near.send(utf8('question'))
    await near.close()
    await near.close()
    await expect(near.send(utf8('late'))).rejects.toEqual(codes('unreachable'))
    const questions: string[] = []
    for await (const frame of far.frames) questions.push(text(frame))
    expect(questions).toEqual(['question'])
    await far.send(utf8('answer'))
    await far.close()
    expect(text(await nextFrame(near))).toBe('answer')
    expect((await near.frames[Symbol.asyncIterator]().next()).done).toBe(true)
  })

  it('carries the largest frame, and refuses a larger or an empty one', async () => {
    const { near, far } = await couple()
    const largest = new Uint8Array(LIMITS.frameBytes).fill(7)
    const sent = near.send(largest)
    expect(await nextFrame(far)).toEqual(largest)
    await sent
    await expect(near.send(new Uint8Array(LIMITS.frameBytes + 1))).rejects.toEqual(
      codes('limit-exceeded'),
    )
    await expect(near.send(new Uint8Array(0))).rejects.toEqual(codes('limit-exceeded'))
    await near.send(utf8('still fine'))
    expect(text(await nextFrame(far))).toBe('still fine')
  })

  it('sends what the buffer held when it was given', async () => {
    const { near, far } = await couple()
    const frame = Buffer.from('before') // its `slice` shares memory
    const sent = near.send(frame)
    frame.fill(0)
    await sent
    expect(text(await nextFrame(far))).toBe('before')
  })

  it('abort ends both directions on both sides', async () => {
    const { near, far } = await couple()
    const reason = new MarketError('aborted')
    const pending = nextFrame(near)
    const remote = nextFrame(far)
    near.abort(reason)
    await expect(pending).rejects.toBe(reason)
    await expect(near.send(utf8('x'))).rejects.toBe(reason)
    await expect(remote).rejects.toEqual(codes('unreachable'))
    await expect(far.send(utf8('x'))).rejects.toEqual(codes('unreachable'))
    expect([near.queuedBytes, far.queuedBytes]).toEqual([0, 0])
  })

  it('a handler that throws aborts its stream, and the next one is served', async () => {
    const { a, b } = await couple()
    await b.handle('/chrysalis/throws/1', async (stream) => {
      if (text(await nextFrame(stream)) === 'bad') throw new MarketError('bad-frame')
      await stream.send(utf8('fine'))
    })
    const bad = await a.open(b.peerId, '/chrysalis/throws/1')
    await bad.send(utf8('bad'))
    await expect(nextFrame(bad)).rejects.toEqual(codes('unreachable'))
    const good = await a.open(b.peerId, '/chrysalis/throws/1')
    await good.send(utf8('good'))
    expect(text(await nextFrame(good))).toBe('fine')
  })

  it('a reader that stands still holds the sender back, and nothing is lost', async () => {
    const { near, far } = await couple()
    const size = 64 * 1024
    const total = 200
    let sent = 0
    const sending = (async () => {
      for (; sent < total; sent++) {
        const frame = new Uint8Array(size)
        new DataView(frame.buffer).setUint32(0, sent)
        await near.send(frame)
      }
      await near.close()
    })()
    let before = -1
    while (sent !== before) {
      before = sent
      await delay(100)
    }
    expect(sent * size).toBeLessThan(4 * 1024 * 1024)
    expect(near.queuedBytes).toBeLessThanOrEqual(LIMITS.sendHighWaterBytes + size)
    let received = 0
    for await (const frame of far.frames) {
      expect(new DataView(frame.buffer, frame.byteOffset).getUint32(0)).toBe(received++)
    }
    expect(received).toBe(total)
    await sending
  })

  it('ends with `stalled` where the peer takes nothing', async () => {
    const { near } = await couple({ stallMs: 300 })
    const flood = (async () => {
      for (;;) await near.send(new Uint8Array(64 * 1024))
    })()
    await expect(flood).rejects.toEqual(codes('stalled'))
    expect(near.queuedBytes).toBe(0)
  })

  it('ends the stream of a caller that never waits', async () => {
    const { near } = await couple()
    const sends: Promise<unknown>[] = []
    for (let i = 0; i < 12; i++) {
      sends.push(
        near.send(new Uint8Array(LIMITS.frameBytes)).catch((error: MarketError) => error.code),
      )
    }
    expect(await Promise.all(sends)).toContain('limit-exceeded')
  })

  it('tells when a peer is gone, and its streams fail', async () => {
    const { a, b, near, far } = await couple()
    const gone: string[] = []
    const unheard: string[] = []
    a.onGone((id) => gone.push(id))
    a.onGone((id) => unheard.push(id))()
    const reading = nextFrame(near)
    const remote = nextFrame(far)
    await Promise.all([
      b.hangUp(a.peerId),
      expect(reading).rejects.toEqual(codes('unreachable')),
      expect(remote).rejects.toEqual(codes('unreachable')),
    ])
    await eventually(() => gone.length > 0)
    expect(gone).toEqual([b.peerId])
    expect(unheard).toEqual([])
    await expect(a.open(b.peerId, PROTOCOL)).rejects.toEqual(codes('unreachable'))
    await a.dial(b.addresses())
    await a.open(b.peerId, PROTOCOL)
  })

  it('refuses to dial or open what is not there', async () => {
    const [a, b] = await Promise.all([peer(1), peer(2)])
    await expect(a.open(b.peerId, PROTOCOL)).rejects.toEqual(codes('unreachable'))
    await expect(a.open('no peer id', PROTOCOL)).rejects.toEqual(codes('unreachable'))
    await a.dial(b.addresses())
    await expect(a.open(b.peerId, '/chrysalis/unknown/1')).rejects.toEqual(codes('unreachable'))
    const addresses = b.addresses()
    await b.stop()
    await eventually(() => b.addresses().length === 0)
    const c = await peer(3)
    await expect(c.dial(addresses)).rejects.toEqual(codes('unreachable'))
    await expect(c.dial([])).rejects.toEqual(codes('unreachable'))
    await expect(c.dial(['/ip4/127.0.0.1/tcp/9'])).rejects.toEqual(codes('bad-input'))
  })

  it('dials only who was meant', async () => {
    const [a, b, c] = await Promise.all([peer(1), peer(2), peer(3)])
    const forged = b.addresses().map((address) => address.replace(b.peerId, c.peerId))
    await expect(a.dial([...forged].slice(0, 1))).rejects.toEqual(codes('unreachable'))
    expect(await a.dial([...forged.slice(0, 1), ...b.addresses()])).toBe(b.peerId)
  })

  it('waits end with the reason of their signal', async () => {
    const [a, b] = await Promise.all([peer(1), peer(2)])
    const reason = new MarketError('aborted')
    await expect(a.dial(b.addresses(), AbortSignal.abort(reason))).rejects.toBe(reason)
    await a.dial(b.addresses())
    await expect(a.open(b.peerId, PROTOCOL, AbortSignal.abort(reason))).rejects.toBe(reason)
    const controller = new AbortController()
    await b.handle(PROTOCOL, () => undefined)
    const opening = a.open(b.peerId, PROTOCOL, controller.signal)
    controller.abort(reason)
    await expect(opening).rejects.toBe(reason)
  })

  it('bounds the streams of one protocol that a peer may hold, and frees ended ones', async () => {
    const [a, b] = await Promise.all([peer(1), peer(2, { streamsPerPeer: 3 })])
    await b.handle(PROTOCOL, async (stream) => {
      await stream.send(utf8('served'))
      for await (const _ of stream.frames);
      await stream.close()
    })
    await a.dial(b.addresses())
    const open = () => a.open(b.peerId, PROTOCOL)
    const streams = await Promise.all([open(), open(), open()])
    for (const stream of streams) expect(text(await nextFrame(stream))).toBe('served')
    await expect(open().then(nextFrame)).rejects.toEqual(codes('unreachable'))
    await streams[0]!.close()
    expect((await streams[0]!.frames[Symbol.asyncIterator]().next()).done).toBe(true)
    expect(text(await nextFrame(await open()))).toBe('served')
  })

  it('a stream may be idle between frames for longer than the deadline of a frame', async () => {
    const { near, far } = await couple({ frameDeadlineMs: 200 })
    const reading = nextFrame(far)
    await near.send(utf8('whole'))
    expect(text(await reading)).toBe('whole')
    await delay(300)
    await near.send(utf8('later'))
    expect(text(await nextFrame(far))).toBe('later')
  })

  it('stops: nothing works afterwards, and others learn of it', async () => {
    const { a, b, near } = await couple()
    const gone: string[] = []
    b.onGone((id) => gone.push(id))
    await a.stop()
    await a.stop()
    await expect(a.dial(b.addresses())).rejects.toEqual(codes('unreachable'))
    await expect(a.open(b.peerId, PROTOCOL)).rejects.toEqual(codes('unreachable'))
    await expect(near.send(utf8('x'))).rejects.toEqual(codes('unreachable'))
    await eventually(() => gone.includes(a.peerId))
  })
}
