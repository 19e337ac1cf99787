/**
 * What libp2p's streams do not do by themselves. Each test was seen to fail without its defence.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Stream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { frameStream } from '../../../node/net/frameStream.ts'
import { startNode } from '../../../node/net/libp2pNode.ts'
import { libp2pPipe } from '../../../node/net/libp2pPipe.ts'
import { createClock } from '../../../node/system/clock.ts'
import { silentLogger } from '../../../node/system/logger.ts'

const PROTOCOL = '/chrysalis/test/1'
const MIB = 1024 * 1024
const clock = createClock()
type Node = Awaited<ReturnType<typeof startNode>>['node']
let nodes: Node[] = []

beforeEach(async () => {
  const options = { listen: ['/ip4/127.0.0.1/tcp/0'], clock, logger: silentLogger }
  const start = (fill: number) =>
    startNode({ ...options, seed: new Uint8Array(32).fill(fill) }, LIMITS).then(({ node }) => node)
  nodes = await Promise.all([start(1), start(2)])
})
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
})

/** A stream of ours from both ends, with the libp2p streams below for looking into. */
async function openPair() {
  const [a, b] = nodes as [Node, Node]
  const served = Promise.withResolvers<Stream>()
  await b.handle(PROTOCOL, (stream) => served.resolve(stream))
  const connection = await a.dial(b.getMultiaddrs())
  const rawNear = await connection.newStream(PROTOCOL)
  const options = { peer: 'peer', protocol: PROTOCOL, clock, limits: LIMITS }
  const near = frameStream(libp2pPipe(rawNear), options)
  await near.send(new Uint8Array([1])) // the handler runs once the protocol is settled
  const rawFar = await served.promise
  const far = frameStream(libp2pPipe(rawFar), options)
  const reader = far.frames[Symbol.asyncIterator]()
  await reader.next()
  return { near, far, rawNear, rawFar, reader }
}

/** The largest values that the buffers reach while a test runs. */
function watch({ near, rawNear, rawFar }: Awaited<ReturnType<typeof openPair>>) {
  const most = { write: 0, read: 0, queued: 0 }
  const sample = () => {
    most.write = Math.max(most.write, rawNear.writeBufferLength)
    most.read = Math.max(most.read, rawFar.readBufferLength)
    most.queued = Math.max(most.queued, near.queuedBytes)
  }
  return { most, sample }
}

describe('libp2p streams under load', () => {
  it('100 MB to a reader that stalls again and again stay within bounded buffers', async () => {
    const pair = await openPair()
    const { most, sample } = watch(pair)
    const frames = 100
    const sending = (async () => {
      for (let i = 0; i < frames; i++) {
        const frame = new Uint8Array(MIB)
        frame[0] = i
        frame[MIB - 1] = i
        await pair.near.send(frame)
        sample()
      }
      await pair.near.close()
    })()
    let received = 0
    for (;;) {
      const { done, value } = await pair.reader.next()
      if (done) break
      sample()
      expect([value.length, value[0], value[MIB - 1]]).toEqual([MIB, received, received])
      received += 1
      // Fast phases let yamux widen its window; the stalls then fill what was granted.
      if (received % 12 === 0) {
        await delay(80)
        sample()
      }
    }
    await sending
    expect(received).toBe(frames)
    expect(most.read).toBeLessThanOrEqual(LIMITS.muxReadBytes)
    expect(most.write).toBeLessThanOrEqual(2 * MIB)
    expect(most.queued).toBeLessThanOrEqual(LIMITS.sendHighWaterBytes + MIB + 16)
  })

  it('many small frames to a reader that stalls at every few arrive in order', async () => {
    const pair = await openPair()
    const { most, sample } = watch(pair)
    const total = 6_000
    const sending = (async () => {
      for (let i = 0; i < total; i++) {
        const frame = new Uint8Array(4_096)
        new DataView(frame.buffer).setUint32(0, i)
        await pair.near.send(frame)
        if (i % 16 === 0) sample()
      }
      await pair.near.close()
    })()
    let received = 0
    for (;;) {
      const { done, value } = await pair.reader.next()
      if (done) break
      expect(new DataView(value.buffer, value.byteOffset).getUint32(0)).toBe(received)
      received += 1
      if (received % 300 === 0) {
        await delay(40) // longer than the sender needs for all that a wrong pause would grant
        sample()
      }
    }
    await sending
    expect(received).toBe(total)
    expect(most.read).toBeLessThanOrEqual(LIMITS.muxReadBytes)
    expect(most.write).toBeLessThanOrEqual(2 * LIMITS.sendHighWaterBytes)
  })

  it('a reader that never reads holds the sender at a few windows', async () => {
    const pair = await openPair()
    const { most, sample } = watch(pair)
    let sent = 0
    const flood = (async () => {
      for (; sent < 100 * MIB; sent += 64 * 1024) await pair.near.send(new Uint8Array(64 * 1024))
    })()
    flood.catch(() => undefined)
    for (let before = -1; sent !== before; ) {
      before = sent
      await delay(100)
      sample()
    }
    expect(sent).toBeGreaterThan(256 * 1024)
    expect(sent).toBeLessThan(4 * MIB)
    expect(most.read).toBeLessThanOrEqual(LIMITS.muxReadBytes)
    pair.near.abort(new Error('enough'))
    await flood.catch(() => undefined)
  })

  it('a connection that ends in the middle is no clean end', async () => {
    const pair = await openPair()
    const reading = pair.reader.next()
    // The socket only: closing the connection would half-close each stream first.
    const socket: { close(): Promise<void> } = Reflect.get(nodes[0]!.getConnections()[0]!, 'maConn')
    await socket.close()
    await expect(reading).rejects.toMatchObject({ code: 'unreachable' })
  })

  it('what came before a half-close is read in full after a stall', async () => {
    const pair = await openPair()
    const total = 40
    const sending = (async () => {
      for (let i = 0; i < total; i++) await pair.near.send(new Uint8Array(32 * 1024).fill(i))
      await pair.near.close()
    })()
    await pair.far.close()
    await delay(200) // paused by now, with bytes left in libp2p's own buffer
    let received = 0
    for (;;) {
      const { done, value } = await pair.reader.next()
      if (done) break
      expect(value[0]).toBe(received++)
    }
    await sending
    expect(received).toBe(total)
  })
})
