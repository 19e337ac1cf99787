/**
 * Backing off and coming back, over the simulated network in virtual time.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { backoffMs, keepConnected } from '../../../node/net/reconnect.ts'
import { createSimulatedNetwork } from '../../../node/net/simulatedNetwork.ts'
import { silentLogger } from '../../../node/system/logger.ts'
import { createSeededRandom } from '../../../node/system/seededRandom.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'

const seed = (fill: number) => new Uint8Array(32).fill(fill)

function setUp() {
  const clock = createSimulatedClock({ startMs: 0 })
  const random = createSeededRandom('reconnect')
  const network = createSimulatedNetwork({ clock, random, latencyMs: 5 })
  const [server, client] = [network.transport(seed(1)), network.transport(seed(2))]
  const addresses = [`/memory/0000000000000000/p2p/${server.peerId}`, ...server.addresses()]
  const controller = new AbortController()
  const events: string[] = []
  const connectedAtMs: number[] = []
  const run = (onConnected: () => void | Promise<void> = () => undefined) =>
    keepConnected({
      transport: client,
      clock,
      random,
      logger: silentLogger,
      addresses: () => addresses,
      signal: controller.signal,
      onConnected: () => {
        events.push('connected')
        connectedAtMs.push(clock.monotonicMs())
        return onConnected()
      },
      onLost: () => events.push('lost'),
    })
  return { clock, network, server, client, controller, events, connectedAtMs, run }
}

describe('backoff', () => {
  it('is uniform between the least and a ceiling that doubles up to the most', () => {
    const random = createSeededRandom('backoff')
    for (let failures = 1; failures <= 80; failures++) {
      const ceiling = Math.min(LIMITS.reconnectMaxMs, LIMITS.reconnectMinMs * 2 ** failures)
      const waits = Array.from({ length: 200 }, () => backoffMs(failures, random))
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(LIMITS.reconnectMinMs)
      expect(Math.max(...waits)).toBeLessThanOrEqual(ceiling)
      const middle = (LIMITS.reconnectMinMs + ceiling) / 2
      const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length
      expect(Math.abs(mean - middle)).toBeLessThan(0.15 * ceiling)
    }
  })
})

describe('keepConnected', () => {
  it('connects, comes back after each loss, and ends with the signal', async () => {
    const { clock, network, server, client, controller, events, run } = setUp()
    const running = run()
    await clock.advance(1_000)
    expect(events).toEqual(['connected'])
    network.cut(server.peerId, client.peerId)
    expect(network.connections).toBe(0)
    await clock.advance(30_000)
    expect(events).toEqual(['connected', 'lost'])
    network.heal()
    await clock.advance(LIMITS.reconnectMaxMs + 1_000)
    expect(events).toEqual(['connected', 'lost', 'connected'])
    controller.abort()
    await running
    expect([network.connections, clock.pending]).toEqual([1, 0])
  })

  it('finds the server again after it crashed and started anew', async () => {
    const { clock, network, server, controller, events, run } = setUp()
    const running = run()
    await clock.advance(1_000)
    network.crash(server.peerId)
    await clock.advance(5_000)
    network.transport(seed(1))
    await clock.advance(LIMITS.reconnectMaxMs)
    expect(events).toEqual(['connected', 'lost', 'connected'])
    controller.abort()
    await running
  })

  it('asks anew where the server is before each dial', async () => {
    const { clock, network, server, client, controller, events } = setUp()
    let addresses = [`/memory/0000000000000000/p2p/${server.peerId}`]
    const running = keepConnected({
      transport: client,
      clock,
      random: createSeededRandom(2),
      logger: silentLogger,
      addresses: async () => addresses,
      signal: controller.signal,
      onConnected: () => void events.push('connected'),
    })
    await clock.advance(60_000)
    expect([events, network.connections]).toEqual([[], 0])
    addresses = [...server.addresses()]
    await clock.advance(LIMITS.reconnectMaxMs)
    expect(events).toEqual(['connected'])
    controller.abort()
    await running
  })

  it('backs off from a server that accepts and is then refused by the caller', async () => {
    const { clock, controller, network, connectedAtMs, run } = setUp()
    const running = run(() => {
      throw new Error('refused')
    })
    await clock.advance(600_000)
    expect(connectedAtMs.length).toBeLessThan(60)
    expect(connectedAtMs.length).toBeGreaterThan(8)
    const gaps = connectedAtMs.slice(1).map((at, i) => at - connectedAtMs[i]!)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(LIMITS.reconnectMinMs)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(LIMITS.reconnectMaxMs + 100)
    expect(network.connections).toBe(0)
    controller.abort()
    await running
  })

  it('ends at once when aborted while it waits, and throws what no retry helps', async () => {
    const { clock, network, server, client, controller, run } = setUp()
    network.cut(server.peerId, client.peerId)
    const running = run()
    await clock.advance(500)
    controller.abort()
    await clock.settle(running, 0)
    const bad = keepConnected({
      transport: client,
      clock,
      random: createSeededRandom(1),
      logger: silentLogger,
      addresses: () => ['/ip4/127.0.0.1/tcp/1'],
      signal: new AbortController().signal,
      onConnected: () => undefined,
    })
    await expect(bad).rejects.toMatchObject({ code: 'bad-input' })
  })
})
