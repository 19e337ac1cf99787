/**
 * The compliance suite of transports on the real one, over TCP and over WebSocket.
 * @module
 */
import { describe } from 'vitest'
import { createLibp2pTransport } from '../../../node/net/libp2pTransport.ts'
import { createClock } from '../../../node/system/clock.ts'
import { silentLogger } from '../../../node/system/logger.ts'
import { transportCompliance } from '../../support/transportCompliance.ts'

const clock = createClock()

describe.each(['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'])('libp2p on %s', (address) => {
  transportCompliance((seed, limits) =>
    createLibp2pTransport({ seed, listen: [address], clock, logger: silentLogger, limits }),
  )
})
