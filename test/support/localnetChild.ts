/**
 * A localnet in a process of its own, to be killed: `node localnetChild.ts FOLDER BLOCK_MS`; tells
 * its URL by IPC.
 * @module
 */
import { startLocalnet } from '../../node/localnet/localnet.ts'
import { createClock } from '../../node/system/clock.ts'
import { silentLogger } from '../../node/system/logger.ts'

const [folder, blockMs] = process.argv.slice(2)
const options = { clock: createClock(), logger: silentLogger, port: 0, folder }
const { url } = await startLocalnet({ ...options, blockMs: Number(blockMs) })
process.send?.(url)
