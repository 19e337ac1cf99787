/**
 * The simulated network: the compliance suite, then its faults in virtual time.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { FrameStream } from '../../../contracts/base/ports.ts'
import { createSimulatedNetwork } from '../../../node/net/simulatedNetwork.ts'
import { createClock } from '../../../node/system/clock.ts'
import { createSeededRandom } from '../../../node/system/seededRandom.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'
import { transportCompliance } from '../../support/transportCompliance.ts'

const PROTOCOL = '/chrysalis/test/1'
const seed = (fill: number) => new Uint8Array(32).fill(fill)
const codes = (code: string) => expect.objectContaining({ code })

describe('simulated network', () => {
  // One network for each test.
  const networks = new Map<string, ReturnType<typeof createSimulatedNetwork>>()
  transportCompliance(async (key, limits) => {
    const name = expect.getState().currentTestName ?? ''
    const known = networks.get(name)
    if (known) return known.transport(key, limits)
    const random = createSeededRandom(name)
    const network = createSimulatedNetwork({
      clock: createClock(),
      random,
      latencyMs: [0, 2],
    })
    networks.set(name, network)
    return network.transport(key, limits)
  })
})

describe('simulated network in virtual time', () => {
  const world = (
    options: { lossRate?: number; seed?: string; latencyMs?: [number, number] } = {},
  ) => {
    const clock = createSimulatedClock({ startMs: 0 })
    const random = createSeededRandom(options.seed ?? 'network')
    const { lossRate, latencyMs = [20, 20] } = options
    const network = createSimulatedNetwork({ clock, random, latencyMs, lossRate })
    const [a, b, c] = [
      network.transport(seed(1)),
      network.transport(seed(2)),
      network.transport(seed(3)),
    ]
    return { clock, network, a, b, c }
  }

  it('a frame takes one latency, a dial and an opening a round trip each', async () => {
    const { clock, a, b } = world()
    const arrived: number[] = []
    await b.handle(PROTOCOL, async (stream) => {
      for await (const _ of stream.frames) arrived.push(clock.monotonicMs())
    })
    await clock.settle(a.dial(b.addresses()), 1_000)
    expect(clock.monotonicMs()).toBe(40)
    const stream = await clock.settle(a.open(b.peerId, PROTOCOL), 1_000)
    expect(clock.monotonicMs()).toBe(80)
    await stream.send(utf8('x'))
    await clock.advance(100)
    expect(arrived).toEqual([100])
  })

  it('the same seed gives the same history, another one another', async () => {
    const run = async (name: string) => {
      const { clock, a, b } = world({ seed: name, latencyMs: [1, 50], lossRate: 0.02 })
      const history: string[] = []
      await b.handle(PROTOCOL, async (stream) => {
        for await (const frame of stream.frames) history.push(`${clock.monotonicMs()} ${frame[0]}`)
      })
      a.onGone(() => history.push(`${clock.monotonicMs()} gone`))
      const work = async () => {
        for (let i = 0; i < 200; i++) {
          try {
            await a.dial(b.addresses())
            const stream = await a.open(b.peerId, PROTOCOL)
            for (let k = 0; k < 5; k++) await stream.send(new Uint8Array([k + 1]))
            await stream.close()
          } catch {
            history.push(`${clock.monotonicMs()} lost`)
          }
        }
      }
      await clock.settle(work(), 1e9)
      return history
    }
    const first = await run('one')
    expect(await run('one')).toEqual(first)
    expect(await run('two')).not.toEqual(first)
    expect(first.some((line) => line.endsWith('lost') || line.endsWith('gone'))).toBe(true)
  })

  it('a lost message breaks the connection; what arrives is a prefix', async () => {
    let breaks = 0
    for (let round = 0; round < 30; round++) {
      const { clock, a, b } = world({ seed: `loss ${round}`, latencyMs: [1, 50], lossRate: 0.01 })
      const received: number[] = []
      let end = 'open'
      await b.handle(PROTOCOL, async (stream) => {
        try {
          for await (const frame of stream.frames) received.push(frame[0]!)
          end = 'clean'
        } catch {
          end = 'broken'
        }
      })
      await clock.settle(a.dial(b.addresses()), 1_000)
      const work = async () => {
        const stream = await a.open(b.peerId, PROTOCOL)
        for (let i = 0; i < 100; i++) {
          await stream.send(new Uint8Array([i]))
          await clock.sleep(1)
        }
        await stream.close()
      }
      await clock.settle(
        work().catch(() => undefined),
        1e6,
      )
      await clock.advance(1_000)
      expect(received).toEqual(Array.from({ length: received.length }, (_, i) => i))
      if (end === 'clean') expect(received).toHaveLength(100)
      else breaks += 1
    }
    expect(breaks).toBeGreaterThan(0)
    expect(breaks).toBeLessThanOrEqual(30)
  })

  const connected = async () => {
    const w = world()
    const served: FrameStream[] = []
    await w.b.handle(PROTOCOL, (stream) => void served.push(stream))
    await w.clock.settle(w.a.dial(w.b.addresses()), 1_000)
    const near = await w.clock.settle(w.a.open(w.b.peerId, PROTOCOL), 1_000)
    return { ...w, near, far: served[0]! }
  }

  it('cut: the pair loses its connection and cannot dial, others can, until healed', async () => {
    const { clock, network, a, b, c, near } = await connected()
    const gone: string[] = []
    a.onGone((peer) => gone.push(peer))
    network.cut(b.peerId, a.peerId)
    expect(gone).toEqual([b.peerId])
    await expect(near.send(utf8('x'))).rejects.toEqual(codes('unreachable'))
    const refused = expect(a.dial(b.addresses())).rejects.toEqual(codes('unreachable'))
    await clock.advance(100)
    await refused
    await clock.settle(c.dial(b.addresses()), 1_000)
    network.heal()
    await clock.settle(a.dial(b.addresses()), 1_000)
    expect(network.connections).toBe(2)
  })

  it('partition: groups reach their own, and those of no group everyone', async () => {
    const { clock, network, a, b, c } = await connected()
    network.partition([a.peerId], [b.peerId])
    expect(network.connections).toBe(0)
    const refused = expect(a.dial(b.addresses())).rejects.toEqual(codes('unreachable'))
    await clock.advance(100)
    await refused
    await clock.settle(Promise.all([a.dial(c.addresses()), b.dial(c.addresses())]), 1_000)
    network.partition([a.peerId, b.peerId])
    await clock.settle(a.dial(b.addresses()), 1_000)
  })

  it('crash: others learn of it, the crashed one does not, and its seed starts anew', async () => {
    const { clock, network, a, b, near, far } = await connected()
    const gone: string[] = []
    a.onGone(() => gone.push('b is gone'))
    b.onGone(() => gone.push('never heard'))
    const reading = expect(far.frames[Symbol.asyncIterator]().next()).rejects.toThrow()
    network.crash(b.peerId)
    await reading
    expect(gone).toEqual(['b is gone'])
    await expect(near.send(utf8('x'))).rejects.toEqual(codes('unreachable'))
    await expect(b.dial(a.addresses())).rejects.toEqual(codes('unreachable'))
    const again = network.transport(seed(2))
    expect(again.peerId).toBe(b.peerId)
    await clock.settle(a.dial(again.addresses()), 1_000)
  })

  it('a sender to a reader that stands still stalls after exactly its time', async () => {
    const { clock, near } = await connected()
    const startMs = clock.monotonicMs()
    const flood = (async () => {
      for (;;) await near.send(new Uint8Array(64 * 1024))
    })()
    const failed = expect(flood).rejects.toEqual(codes('stalled'))
    await clock.settle(failed, 60_000)
    const tookMs = clock.monotonicMs() - startMs
    expect(tookMs).toBeGreaterThanOrEqual(LIMITS.stallMs)
    expect(tookMs).toBeLessThan(LIMITS.stallMs + 500)
  })
})
