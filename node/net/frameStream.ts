/**
 * A `FrameStream` over a pipe of bytes: joins, bounds, back-pressure, deadlines. Both transports
 * use it, so that a simulation runs the same code as the network.
 *
 * Sending: frames of one turn of the event loop leave in one write; `send` waits above the
 * high-water mark; a peer that takes nothing for `stallMs` ends the stream. Receiving: above the
 * high-water mark the pipe is paused until the reader has caught up; a frame that began must be
 * complete within its deadline, however steadily its bytes drip.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import type { Clock, FrameStream } from '../../contracts/base/ports.ts'
import { FrameReceiver } from './frameReceiver.ts'
import { FrameSender } from './frameSender.ts'
import type { StreamLimits } from './netLimits.ts'
import type { BytePipe } from './pipe.ts'

export interface FrameStreamOptions {
  readonly peer: string
  readonly protocol: string
  readonly clock: Clock
  readonly limits: StreamLimits
  /** Called once, when nothing more can come or go. */
  readonly onEnd?: () => void
}

/** Starts reading and writing frames on `pipe`. */
export function frameStream(pipe: BytePipe, options: FrameStreamOptions): FrameStream {
  const { peer, protocol, clock, limits, onEnd } = options
  let over = false

  const finish = () => {
    if (over) return
    over = true
    onEnd?.()
  }
  /** Ends both directions; frames that came whole stay readable where `keep` is set. */
  const end = (reason: Error, keep: boolean) => {
    if (over) return
    sender.fail(reason)
    receiver.fail(reason, keep)
    finish()
  }
  const abort = (reason: Error) => {
    const first = !over
    end(reason, false)
    if (first) pipe.abort(reason)
  }
  const bothDone = () => {
    if (sender.closed && receiver.ended) finish()
  }

  const sender = new FrameSender(pipe, { clock, limits, facts: { peer, protocol }, abort })
  const receiver = new FrameReceiver(pipe, { clock, limits, facts: { peer, protocol }, abort })

  pipe.start({
    data: (bytes) => {
      if (!over) receiver.take(bytes)
    },
    drained: () => sender.drained(),
    ended: () => {
      if (over) return
      receiver.end()
      bothDone()
    },
    broken: (cause) => end(new MarketError('unreachable', { peer, protocol }, { cause }), true),
  })

  return {
    peer,
    protocol,
    send: (frame) => sender.send(frame),
    get queuedBytes() {
      return sender.queuedBytes
    },
    frames: receiver.frames,
    async close() {
      await sender.close()
      bothDone()
    },
    abort,
  }
}
