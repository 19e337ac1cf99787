/**
 * A libp2p stream as a pipe of bytes, with what its documents do not say kept out of everyone's
 * way.
 *
 * Observed with libp2p 3.3 and yamux 8, and shown by tests: `onDrain()` resolves truly only once,
 * so the `drain` event is used; iterating a stream reads without back-pressure, so messages are
 * taken by event and the stream is paused; a `pause()` inside a message handler is undone by the
 * `resume()` that dispatched the message, so it is deferred; a closed connection ends a stream
 * without an error, so only the peer's half-close counts as a clean end.
 * @module
 */
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { MarketError } from '../../contracts/base/errors.ts'
import type { BytePipe, PipeEvents } from './pipe.ts'

/** Wraps an open stream; nothing is read before `start`. */
export function libp2pPipe(stream: Stream): BytePipe {
  let wantPaused = false
  let deferred = false
  let over = false
  let halfClosed = stream.remoteWriteStatus === 'closed' && stream.status === 'open'

  const apply = () => {
    deferred = false
    if (over) return
    try {
      if (wantPaused) stream.pause()
      else stream.resume()
    } catch {
      // Its readable side has ended meanwhile; the events have said so.
    }
  }
  /** Outside of libp2p's own dispatch, where a change of mind in between costs nothing. */
  const applySoon = () => {
    if (deferred) return
    deferred = true
    queueMicrotask(apply)
  }

  return {
    start: (events) => {
      listen(stream, events, {
        onHalfClose: () => {
          halfClosed = true
        },
        isHalfClosed: () => halfClosed,
        onOver: () => {
          over = true
        },
      })
    },
    get writable() {
      return stream.writeStatus === 'writable' && !stream.writableNeedsDrain
    },
    get bufferedBytes() {
      return stream.writeBufferLength
    },
    write(bytes) {
      stream.send(bytes)
    },
    pause() {
      wantPaused = true
      applySoon()
    },
    resume() {
      wantPaused = false
      applySoon()
    },
    closeWrite: () => stream.close(),
    abort(reason) {
      over = true
      stream.abort(reason)
    },
  }
}

interface State {
  onHalfClose(): void
  isHalfClosed(): boolean
  onOver(): void
}

function listen(stream: Stream, events: PipeEvents, state: State): void {
  let finished = false

  const end = () => {
    if (finished) return
    finished = true
    events.ended()
  }
  const onClose = (event: StreamCloseEvent) => {
    if (finished) return
    const clean = state.isHalfClosed() && !event.error
    // Half-closed by both sides while we are paused: `end` follows once the rest is read.
    if (clean && stream.readBufferLength > 0) return
    state.onOver()
    if (clean) {
      end()
      return
    }
    finished = true
    events.broken(event.error ?? new MarketError('unreachable', { detail: 'connection closed' }))
  }

  // libp2p's own `drain` listener sends what waits in a microtask; ours looks after that.
  const onDrain = () => queueMicrotask(() => events.drained())

  stream.addEventListener('drain', onDrain)
  stream.addEventListener('idle', onDrain)
  stream.addEventListener('remoteCloseWrite', state.onHalfClose)
  stream.addEventListener('end', () => {
    if (state.isHalfClosed()) end()
  })
  stream.addEventListener('close', onClose)
  stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
    if (finished) return
    if (data instanceof Uint8Array) events.data(data)
    else for (const part of data) events.data(part)
  })
  if (stream.readableEnded && state.isHalfClosed()) queueMicrotask(end)
  else if (stream.status !== 'open' && stream.status !== 'closing') {
    finished = true
    state.onOver()
    queueMicrotask(() => events.broken(new MarketError('unreachable', { detail: stream.status })))
  }
}
