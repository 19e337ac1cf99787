/**
 * The provider's connections to its schedulers: dialled and held, greeted, offered to, kept alive.
 * @module
 */
import { equal, toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Logger, Random, Transport } from '../../contracts/base/ports.ts'
import { OfferMessageSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import { greet, type OwnHello } from '../net/hello.ts'
import { type MessageStream, messageStream } from '../net/messageStream.ts'
import { keepConnected } from '../net/reconnect.ts'
import type { Slot, Slots } from './slots.ts'

export interface SessionDeps {
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly slots: Slots
}

export interface SchedulerAddress {
  readonly identity: Uint8Array
  readonly addresses: readonly string[]
}

export interface Sessions {
  start(): void
  /** Identity of the scheduler behind a greeted peer. Throws `unknown-provider` for others. */
  schedulerOf(peer: string): Uint8Array
  status(): { identity: string; connected: boolean; listed: readonly string[] }[]
  stop(): Promise<void>
}

interface Session {
  readonly scheduler: SchedulerAddress
  peer?: string
  readonly listed: Set<string>
}

/** One session a scheduler. */
export function createSessions(
  deps: SessionDeps,
  own: OwnHello,
  schedulers: readonly SchedulerAddress[],
): Sessions {
  const { transport, clock, logger } = deps
  const stopping = new AbortController()
  const sessions: Session[] = schedulers.map((scheduler) => ({ scheduler, listed: new Set() }))
  const running: Promise<void>[] = []

  const connected = async (session: Session, peer: string): Promise<void> => {
    const hello = await greet(deps, peer, own, stopping.signal)
    const { server } = hello
    if (hello.role !== 'scheduler' || !server)
      throw new MarketError('bad-frame', { role: hello.role })
    if (!equal(server.identity, session.scheduler.identity)) {
      throw new MarketError('bad-signature', { expected: toHex(session.scheduler.identity) })
    }
    session.peer = peer
    const raw = await transport.open(peer, PROTOCOLS.offer, stopping.signal)
    const stream = messageStream(OfferMessageSchema, raw, clock)
    for (const slot of deps.slots.all) {
      const capacity = deps.slots.share(slot.name, toHex(session.scheduler.identity))
      await stream.send({ kind: { case: 'offer', value: offerOf(slot, capacity) } })
    }
    void listen(session, stream)
    void beat(session, stream)
  }

  /** What the scheduler made of each offer: listed, or why not. */
  const listen = async (session: Session, stream: Stream): Promise<void> => {
    try {
      for await (const { kind } of stream) {
        if (kind.case !== 'result') continue
        const { slot, code, detail } = kind.value
        if (code === 'listed') session.listed.add(slot)
        else session.listed.delete(slot)
        const facts = { slot, code, scheduler: toHex(session.scheduler.identity) }
        if (code === 'listed') logger.info(facts, 'offer listed')
        else logger.warn({ ...facts, detail: detail.slice(0, 200) }, 'offer not listed')
      }
    } catch (error) {
      logger.debug({ code: asMarketError(error).code }, 'offer stream ended')
    }
    if (session.peer === stream.peer) await transport.hangUp(stream.peer).catch(() => undefined)
  }

  const beat = async (session: Session, stream: Stream): Promise<void> => {
    try {
      while (session.peer === stream.peer) {
        await clock.sleep(LIMITS.heartbeatMs, stopping.signal)
        const atMs = BigInt(clock.nowMs())
        await stream.send({ kind: { case: 'heartbeat', value: { atMs } } })
      }
    } catch {
      // Stopping, or the stream has ended: `listen` has seen it too.
    }
  }

  return {
    start() {
      for (const session of sessions) {
        const { addresses } = session.scheduler
        const keeping = keepConnected({
          ...deps,
          addresses,
          signal: stopping.signal,
          onConnected: (peer) => connected(session, peer),
          onLost: () => {
            session.peer = undefined
            session.listed.clear()
          },
        })
        running.push(
          keeping.catch((error) => {
            logger.error({ code: asMarketError(error).code }, 'scheduler address unusable')
          }),
        )
      }
    },
    schedulerOf(peer) {
      const session = sessions.find((each) => each.peer === peer)
      if (!session) throw new MarketError('bad-frame', { expected: 'a greeted scheduler' })
      return session.scheduler.identity
    },
    status: () =>
      sessions.map(({ scheduler, peer, listed }) => ({
        identity: toHex(scheduler.identity),
        connected: peer !== undefined,
        listed: [...listed],
      })),
    async stop() {
      stopping.abort(new MarketError('aborted'))
      await Promise.all(running)
    },
  }
}

type Stream = MessageStream<typeof OfferMessageSchema>

function offerOf(slot: Slot, capacity: number) {
  const { multipliers, steps, window } = slot
  return {
    slot: slot.name,
    model: slot.model,
    modelHash: slot.modelHash,
    tick: slot.tick,
    capacity,
    serviceMs: 0,
    tier: slot.tier,
    region: slot.region,
    gpu: slot.gpu,
    memoryGib: slot.memoryGiB,
    contextTokens: slot.contextTokens,
    multipliers,
    steps: { ...steps, reasoning: 0 },
    window,
    demo: slot.demo,
  }
}
