/**
 * One connection of a provider to a scheduler, while it lasts: greeted, offered to, kept alive.
 * @module
 */
import { assetKey } from '../../contracts/base/assets.ts'
import { equal, toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Directory, Logger, Random, Transport } from '../../contracts/base/ports.ts'
import {
  type OfferMessage,
  OfferMessageSchema,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import { greet, type OwnHello } from '../net/hello.ts'
import { type MessageStream, messageStream } from '../net/messageStream.ts'
import type { Slot, Slots } from './slots.ts'

export interface SessionDeps {
  readonly transport: Transport
  readonly directory: Directory
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly slots: Slots
}

export interface SchedulerAddress {
  readonly identity: Uint8Array
  readonly addresses: readonly string[]
}

/** What is known of one scheduler: the peer where it is greeted, the slots that it has listed. */
export interface Session {
  readonly scheduler: SchedulerAddress
  peer?: string
  readonly listed: Set<string>
}

type Stream = MessageStream<typeof OfferMessageSchema>

/**
 * Greets a peer that was just dialled and offers every slot; then listens and beats until the
 * stream ends. Throws what makes the connection useless: it is then given up and made again.
 */
export async function joinScheduler(
  deps: SessionDeps,
  session: Session,
  peer: string,
  own: OwnHello,
  signal: AbortSignal,
): Promise<void> {
  const { transport, clock, slots } = deps
  const scheduler = toHex(session.scheduler.identity)
  const { role, server } = await greet(deps, peer, own, signal)
  if (role !== 'scheduler' || !server) throw new MarketError('bad-frame', { role })
  if (!equal(server.identity, session.scheduler.identity)) {
    throw new MarketError('bad-signature', { expected: scheduler })
  }
  session.peer = peer
  try {
    const raw = await transport.open(peer, PROTOCOLS.offer, signal)
    const stream = messageStream(OfferMessageSchema, raw, clock)
    for (const slot of slots.all) {
      const capacity = slots.share(slot.name, scheduler)
      await stream.send({ kind: { case: 'offer', value: offerOf(slot, capacity) } })
    }
    void listen(deps, session, stream)
    void beat(deps, session, stream, signal)
  } catch (error) {
    session.peer = undefined
    throw error
  }
}

/** Hears what the scheduler makes of each offer; where the stream ends, the connection does too. */
async function listen(deps: SessionDeps, session: Session, stream: Stream): Promise<void> {
  const { transport, logger } = deps
  try {
    for await (const message of stream) take(message, session, logger)
  } catch (error) {
    logger.debug({ code: asMarketError(error).code }, 'offer stream ended')
  }
  if (session.peer === stream.peer) await transport.hangUp(stream.peer).catch(() => undefined)
}

function take({ kind }: OfferMessage, session: Session, logger: Logger): void {
  if (kind.case !== 'result') throw new MarketError('bad-frame', { unexpected: kind.case })
  const { slot, code, detail } = kind.value
  const facts = {
    slot: slot.slice(0, LIMITS.nameLength),
    code: code.slice(0, LIMITS.nameLength),
    scheduler: toHex(session.scheduler.identity),
  }
  if (code === 'listed') {
    session.listed.add(slot)
    logger.info(facts, 'offer listed')
  } else {
    session.listed.delete(slot)
    logger.warn({ ...facts, detail: detail.slice(0, 200) }, 'offer not listed')
  }
}

async function beat(
  deps: SessionDeps,
  session: Session,
  stream: Stream,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = deps
  try {
    while (session.peer === stream.peer) {
      await clock.sleep(LIMITS.heartbeatMs, signal)
      const atMs = BigInt(clock.nowMs())
      await stream.send({ kind: { case: 'heartbeat', value: { atMs } } })
    }
  } catch {
    // Stopping, or the stream has ended: `listen` has seen it too.
  }
}

function offerOf(slot: Slot, capacity: number) {
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
    demo: slot.demo,
    asset: assetKey(slot.asset),
  }
}
