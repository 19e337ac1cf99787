/**
 * What a job says to its client: messages in order, each awaited by whoever wants back-pressure. A
 * client that cannot be told has gone, and its reader notices that.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import type { JobMessageSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import type { MessageStream } from '../net/messageStream.ts'
import type { JobEffect } from './jobTypes.ts'

export type JobStream = MessageStream<typeof JobMessageSchema>
type Kind = Parameters<JobStream['send']>[0]['kind']

export interface ClientSide {
  /** Resolves when the client has taken the message, or never will. */
  tell(kind: Kind): Promise<void>
  /** Says what an effect asks to say: queued, lost or refused. */
  say(effect: JobEffect, ahead: () => number): Promise<void> | undefined
  /** Resolves when everything told so far has been taken. */
  told(): Promise<void>
}

/** The client's side of a job stream; `failed` hears of messages that could not be sent. */
export function createClientSide(stream: JobStream, failed: (error: unknown) => void): ClientSide {
  let outbox: Promise<void> = Promise.resolve()
  const tell = (kind: Kind) => {
    outbox = outbox.then(() => stream.send({ kind })).catch(failed)
    return outbox
  }
  return {
    tell,
    say(effect, ahead) {
      switch (effect.type) {
        case 'tellQueued':
          return tell({ case: 'queued', value: { ahead: ahead() } })
        case 'tellLost': {
          const { attempt, code, mayRetry } = effect
          return tell({ case: 'lost', value: { attempt, code, mayRetry } })
        }
        case 'tellRefused': {
          const refused = toRefused(new MarketError(effect.code, effect.facts))
          return tell({ case: 'refused', value: refused })
        }
        default:
          return undefined
      }
    },
    told: () => outbox,
  }
}
