/**
 * libp2p's WebSocket transport, with sockets that do end when their connection is aborted.
 *
 * Version 10.1 of it resets with close code 1006, which every WebSocket refuses to send: the call
 * throws, the error is dropped, and the socket stays open on both sides, beyond every bound on
 * connections. Here a connection that was aborted closes its socket.
 * @module
 */
import type { MultiaddrConnection, Upgrader } from '@libp2p/interface'
import { webSockets } from '@libp2p/websockets'

type Factory = ReturnType<typeof webSockets>

/** The transport to give to libp2p. */
export function webSocketsThatClose(): Factory {
  const create = webSockets()
  return (components) => {
    const transport = create(components)
    const dial = transport.dial.bind(transport)
    const createListener = transport.createListener.bind(transport)
    transport.dial = (address, options) =>
      dial(address, { ...options, upgrader: watching(options.upgrader) })
    transport.createListener = (options) =>
      createListener({ ...options, upgrader: watching(options.upgrader) })
    return transport
  }
}

/** An upgrader that sees each raw connection before the real one does. */
function watching(upgrader: Upgrader): Upgrader {
  const watched = (property: 'upgradeInbound' | 'upgradeOutbound') =>
    ((connection: MultiaddrConnection, options: never) => {
      closeWhenAborted(connection)
      return upgrader[property](connection, options)
    }) as never
  return {
    upgradeInbound: watched('upgradeInbound'),
    upgradeOutbound: watched('upgradeOutbound'),
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  }
}

function closeWhenAborted(connection: MultiaddrConnection): void {
  const socket: unknown = 'websocket' in connection ? connection.websocket : undefined
  if (!isClosable(socket)) return
  connection.addEventListener('close', (event) => {
    if (event.local && event.error) socket.close()
  })
}

function isClosable(socket: unknown): socket is { close(): void } {
  return typeof socket === 'object' && socket !== null && 'close' in socket
}
