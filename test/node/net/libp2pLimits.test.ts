/**
 * The bounds of the real transport, tried by peers and hosts that do not keep to them.
 * @module
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { FrameStream, Transport } from '../../../contracts/base/ports.ts'
import { startNode } from '../../../node/net/libp2pNode.ts'
import type { Libp2pTransportOptions } from '../../../node/net/libp2pOptions.ts'
import { createLibp2pTransport } from '../../../node/net/libp2pTransport.ts'
import { createClock } from '../../../node/system/clock.ts'
import { silentLogger } from '../../../node/system/logger.ts'
import { eventually, nextFrame } from '../../support/transportCompliance.ts'

const PROTOCOL = '/chrysalis/test/1'
const clock = createClock()
const codes = (code: string) => expect.objectContaining({ code })
const seed = (fill: number) => new Uint8Array(32).fill(fill)
const common = { clock, logger: silentLogger }
const onTcp = ['/ip4/127.0.0.1/tcp/0']

const stops: (() => unknown)[] = []
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

async function transport(fill: number, options: Partial<Libp2pTransportOptions> = {}) {
  const started = await createLibp2pTransport({
    ...common,
    seed: seed(fill),
    listen: onTcp,
    ...options,
  })
  stops.push(() => started.stop())
  return started
}

/** A libp2p node without our transport around it: it keeps no bounds of ours. */
async function stranger(fill: number) {
  const { node, parseAddress } = await startNode(
    { ...common, seed: seed(fill), listen: [] },
    LIMITS,
  )
  stops.push(() => node.stop())
  return {
    node,
    dial: (to: Transport, force = false) => node.dial(parseAddress(to.addresses()[0]!), { force }),
  }
}

const portOf = (of: Transport) => Number(/\/tcp\/(\d+)/.exec(of.addresses()[0]!)?.[1])

async function plainSocket(to: Transport): Promise<Socket> {
  const socket = connect(portOf(to), '127.0.0.1')
  stops.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** What the other side says until it hangs up. */
async function hearOut(socket: Socket): Promise<string> {
  let heard = ''
  socket.on('data', (bytes) => {
    heard += bytes.toString('latin1')
  })
  socket.on('error', () => undefined)
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return heard
}

describe('limits of the libp2p transport', () => {
  it('refuses plaintext, and every encrypter but Noise', async () => {
    const a = await transport(1, { limits: { helloMs: 500 } })
    const socket = await plainSocket(a)
    const line = (text: string) => `${String.fromCharCode(text.length + 1)}${text}\n`
    for (const text of ['/multistream/1.0.0', '/plaintext/2.0.0', '/tls/1.0.0'])
      socket.write(line(text))
    const heard = await hearOut(socket)
    expect(heard.match(/na\n/g)).toHaveLength(2)
    expect(heard).not.toContain('plaintext')
  })

  it('ends a handshake that does not get on', async () => {
    const a = await transport(1, { limits: { helloMs: 300 } })
    const startedMs = performance.now()
    await hearOut(await plainSocket(a))
    expect(performance.now() - startedMs).toBeLessThan(3_000)
  })

  it('turns handshakes away above its rate, over all hosts', async () => {
    const a = await transport(1, { limits: { handshakesPerSecond: 3 } })
    const dials = await Promise.allSettled(
      [2, 3, 4, 5, 6, 7, 8, 9].map(async (fill) => (await stranger(fill)).dial(a)),
    )
    const accepted = dials.filter(({ status }) => status === 'fulfilled')
    expect(accepted.length).toBeGreaterThanOrEqual(1)
    expect(accepted.length).toBeLessThan(8)
  })

  it('bounds the connections of one peer', async () => {
    const a = await transport(1, { limits: { connectionsPerPeer: 2 } })
    const b = await stranger(2)
    for (let i = 0; i < 5; i++) await b.dial(a, true).catch(() => undefined)
    await eventually(() => b.node.getConnections().filter((c) => c.status === 'open').length <= 2)
    expect(b.node.getConnections().length).toBeGreaterThan(0)
  })

  it('bounds the connections in all, and serves those it has', async () => {
    const a = await transport(1, { limits: { connections: 2 } })
    await a.handle(PROTOCOL, (stream) => stream.send(utf8('served')))
    const honest = await transport(9)
    await honest.dial(a.addresses())
    await honest.open(a.peerId, PROTOCOL)
    for (const fill of [2, 3, 4]) await (await stranger(fill)).dial(a).catch(() => undefined)
    expect(await nextFrame(await honest.open(a.peerId, PROTOCOL))).toEqual(utf8('served'))
  })

  it.each([
    ['a frame longer than allowed', [0x81, 0x80, 0x80, 0x01]],
    ['an empty frame', [0x00]],
    ['a length that is not minimal', [0x81, 0x00]],
  ])('ends the stream, not the connection, on %s', async (_, bytes) => {
    const a = await transport(1)
    const served: FrameStream[] = []
    await a.handle(PROTOCOL, (stream) => void served.push(stream))
    const b = await stranger(2)
    const connection = await b.dial(a)
    const raw = await connection.newStream(PROTOCOL)
    raw.send(new Uint8Array(bytes))
    await eventually(() => served.length === 1)
    await expect(nextFrame(served[0]!)).rejects.toEqual(codes('bad-frame'))
    await eventually(() => raw.status === 'reset')
    await connection.newStream(PROTOCOL)
  })

  it('ends a stream whose frame drips in past its deadline', async () => {
    const a = await transport(1, { limits: { frameDeadlineMs: 200 } })
    const served: FrameStream[] = []
    await a.handle(PROTOCOL, (stream) => void served.push(stream))
    const raw = await (await (await stranger(2)).dial(a)).newStream(PROTOCOL)
    raw.send(new Uint8Array([100, 1]))
    await eventually(() => served.length === 1)
    const drip = setInterval(() => raw.status === 'open' && raw.send(new Uint8Array([1])), 50)
    stops.push(() => clearInterval(drip))
    await expect(nextFrame(served[0]!)).rejects.toEqual(codes('timeout'))
  })

  it('a dial ends after its time, where nobody answers', async () => {
    const silent = createServer() // takes the connection and says nothing
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const sockets: Socket[] = []
    silent.on('connection', (socket) => sockets.push(socket.on('error', () => undefined)))
    stops.push(() => {
      for (const socket of sockets) socket.destroy()
      silent.close()
    })
    const { port } = silent.address() as AddressInfo
    const b = await transport(2, { listen: [], limits: { dialMs: 200 } })
    const startedMs = performance.now()
    const address = `/ip4/127.0.0.1/tcp/${port}/p2p/${(await transport(3)).peerId}`
    await expect(b.dial([address])).rejects.toEqual(codes('unreachable'))
    const tookMs = performance.now() - startedMs
    expect(tookMs).toBeGreaterThan(150)
    expect(tookMs).toBeLessThan(3_000)
  })

  it('says in words what is wrong with an address', async () => {
    const a = await transport(1)
    const listen = [`/ip4/127.0.0.1/tcp/${portOf(a)}`]
    await expect(transport(2, { listen })).rejects.toEqual(codes('port-in-use'))
    await expect(transport(2, { listen: ['127.0.0.1:80'] })).rejects.toEqual(codes('bad-input'))
    await expect(transport(2, { seed: new Uint8Array(31) })).rejects.toEqual(codes('bad-input'))
    const announce = ['/dns4/provider.example/tcp/4001']
    const b = await transport(3, { announce })
    expect(b.addresses()).toEqual([`${announce[0]}/p2p/${b.peerId}`])
  })

  it('an aborted WebSocket connection leaves no socket open', async () => {
    const a = await transport(1, { listen: ['/ip4/127.0.0.1/tcp/0/ws'] })
    const b = await transport(2, { listen: [] })
    const gone: string[] = []
    a.onGone((peer) => gone.push(peer))
    await b.dial(a.addresses())
    await b.hangUp(a.peerId)
    await eventually(() => gone.includes(b.peerId))
  })

  it('carries more than 128 KiB through a relay, by name of the peer', async () => {
    const relay = await transport(1, { relay: 'server' })
    const hidden = await transport(2, {
      relay: 'client',
      listen: [`${relay.addresses()[0]}/p2p-circuit`],
    })
    await eventually(() => hidden.addresses().length > 0)
    await hidden.handle(PROTOCOL, async (stream) => {
      for await (const frame of stream.frames) await stream.send(frame)
      await stream.close()
    })
    const caller = await transport(3, { relay: 'client', listen: [] })
    expect(await caller.dial(hidden.addresses())).toBe(hidden.peerId)
    const stream = await caller.open(hidden.peerId, PROTOCOL)
    for (let i = 0; i < 8; i++) {
      const frame = new Uint8Array(128 * 1024).fill(i)
      const [received] = await Promise.all([nextFrame(stream), stream.send(frame)])
      expect(received).toEqual(frame)
    }
  })
})
