/**
 * The provider's connections to its schedulers: dialled and held, one session a scheduler.
 * @module
 */
import { toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { OwnHello } from '../net/hello.ts'
import { keepConnected } from '../net/reconnect.ts'
import { joinScheduler, type SchedulerAddress, type Session, type SessionDeps } from './session.ts'

export type { SchedulerAddress, SessionDeps } from './session.ts'

/** Where a scheduler is now, as the directory says; else where it was when this node started. */
async function addressesOf(
  { directory, logger }: SessionDeps,
  { scheduler }: Session,
): Promise<readonly string[]> {
  const identity = toHex(scheduler.identity)
  try {
    const known = await directory.schedulers()
    return known.find((each) => each.identity === identity)?.addresses ?? scheduler.addresses
  } catch (error) {
    logger.debug({ code: asMarketError(error).code }, 'the directory cannot be asked')
    return scheduler.addresses
  }
}

export interface Sessions {
  start(): void
  /** Identity of the scheduler behind a greeted peer. Throws `bad-frame` for others. */
  schedulerOf(peer: string): Uint8Array
  status(): { identity: string; connected: boolean; listed: readonly string[] }[]
  stop(): Promise<void>
}

/** One session a scheduler; `own` makes the greeting, freshly signed each time. */
export function createSessions(
  deps: SessionDeps,
  own: () => OwnHello,
  schedulers: readonly SchedulerAddress[],
): Sessions {
  const stopping = new AbortController()
  const { signal } = stopping
  const sessions: Session[] = schedulers.map((scheduler) => ({ scheduler, listed: new Set() }))
  const running: Promise<void>[] = []

  const hold = (session: Session): Promise<void> =>
    keepConnected({
      ...deps,
      signal,
      addresses: () => addressesOf(deps, session),
      onConnected: (peer) => joinScheduler(deps, session, peer, own(), signal),
      onLost: () => {
        session.peer = undefined
        session.listed.clear()
      },
    }).catch((error) => {
      deps.logger.error({ code: asMarketError(error).code }, 'scheduler address unusable')
    })

  return {
    start() {
      for (const session of sessions) running.push(hold(session))
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
