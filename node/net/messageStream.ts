/**
 * A stream of typed messages: a FrameStream with the codec of one protocol.
 *
 * Used by every role. One reader: either `next` or iteration.
 * @module
 */
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Clock, FrameStream } from '../../contracts/base/ports.ts'
import { decodeMessage, encodeMessage } from '../../contracts/wire/messages.ts'

/** Typed messages to and from one peer. */
export interface MessageStream<D extends DescMessage> {
  readonly peer: string
  /** Sends; awaiting it is back-pressure. */
  send(message: MessageInitShape<D>): Promise<void>
  /** The next message, or `undefined` at the end. Throws `timeout` after `timeoutMs`. */
  next(timeoutMs?: number): Promise<MessageShape<D> | undefined>
  [Symbol.asyncIterator](): AsyncIterator<MessageShape<D>>
  close(): Promise<void>
  abort(reason: Error): void
}

/** Wraps a frame stream. A frame that does not decode aborts the stream with `bad-frame`. */
export function messageStream<D extends DescMessage>(
  schema: D,
  stream: FrameStream,
  clock: Clock,
): MessageStream<D> {
  const frames = stream.frames[Symbol.asyncIterator]()

  const read = async (): Promise<MessageShape<D> | undefined> => {
    const { done, value } = await frames.next()
    if (done) return undefined
    try {
      return decodeMessage(schema, value)
    } catch (error) {
      stream.abort(error as MarketError)
      throw error
    }
  }

  const readWithin = (timeoutMs: number) =>
    new Promise<MessageShape<D> | undefined>((resolve, reject) => {
      const cancel = clock.after(timeoutMs, () => {
        const error = new MarketError('timeout', { protocol: stream.protocol, timeoutMs })
        stream.abort(error)
        reject(error)
      })
      read().then(resolve, reject).finally(cancel)
    })

  return {
    peer: stream.peer,
    send: (message) => stream.send(encodeMessage(schema, message)),
    next: (timeoutMs) => (timeoutMs === undefined ? read() : readWithin(timeoutMs)),
    async *[Symbol.asyncIterator]() {
      for (let message = await read(); message !== undefined; message = await read()) yield message
    },
    close: () => stream.close(),
    abort: (reason) => stream.abort(reason),
  }
}
