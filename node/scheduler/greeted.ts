/**
 * Who has said hello: other protocols are served to nobody else.
 * @module
 */
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, FrameStream, Logger } from '../../contracts/base/ports.ts'
import { answerHello, type OwnHello, type PeerHello } from '../net/hello.ts'

export interface Greeted {
  /** Answers one greeting. */
  serve(stream: FrameStream): Promise<void>
  /** What the peer behind a stream said of itself. Throws `bad-frame` where it said nothing. */
  hello(stream: FrameStream): PeerHello
  forget(peer: string): void
}

/** Nobody yet; `own` makes our answer, freshly signed each time. */
export function createGreeted(
  deps: { readonly clock: Clock; readonly logger: Logger },
  own: () => OwnHello,
): Greeted {
  const greeted = new Map<string, PeerHello>()
  return {
    async serve(stream) {
      try {
        if (greeted.size >= LIMITS.connections && !greeted.has(stream.peer)) {
          throw new MarketError('limit-exceeded', { peers: greeted.size })
        }
        const hello = await answerHello(deps.clock, stream, own())
        greeted.set(stream.peer, hello)
      } catch (thrown) {
        const error = asMarketError(thrown)
        deps.logger.info({ peer: stream.peer, code: error.code }, 'hello refused')
        // A refusal in words has been closed already: this ends what never said anything.
        stream.abort(error)
      }
    },
    hello(stream) {
      const hello = greeted.get(stream.peer)
      if (!hello) throw new MarketError('bad-frame', { expected: 'hello first' })
      return hello
    },
    forget: (peer) => void greeted.delete(peer),
  }
}
