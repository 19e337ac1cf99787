/**
 * One side of `npm run bench:localnet` in a process of its own, so that its processor time and its
 * memory are its own: a localnet on disk (`localnet`), or bare @ton/sandbox (`sandbox`).
 *
 * Told by IPC: `usage` answers with what the process has used; `run` (sandbox only) runs messages.
 * @module
 */
import { Cell } from '@ton/core'
import { startLocalnet } from '../../../node/localnet/localnet.ts'
import { createClock } from '../../../node/system/clock.ts'
import { silentLogger } from '../../../node/system/logger.ts'

/** Processor time in seconds, memory in MiB. */
export interface Usage {
  readonly cpuS: number
  readonly heapMiB: number
  readonly rssMiB: number
}

export type Request =
  | { readonly kind: 'usage' }
  | { readonly kind: 'run'; readonly bocs: readonly string[] }
  | { readonly kind: 'fund'; readonly addresses: readonly string[] }

const [role, folder, blockMs] = process.argv.slice(2)

async function serve(): Promise<void> {
  const sandbox = role === 'sandbox' ? await bareSandbox() : undefined
  process.on('message', async (request: Request) => {
    if (request.kind === 'run') await sandbox?.run(request.bocs)
    if (request.kind === 'fund') await sandbox?.fund(request.addresses)
    process.send?.(usage())
  })
  if (sandbox) {
    process.send?.({ url: '' })
    return
  }
  const options = { clock: createClock(), logger: silentLogger, port: 0 }
  const { url } = await startLocalnet({ ...options, folder, blockMs: Number(blockMs) })
  process.send?.({ url })
}

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  const MIB = 1024 * 1024
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { cpuS: (user + system) / 1e6, heapMiB: (heapUsed + external) / MIB, rssMiB: rss / MIB }
}

/** As its users drive it: the slim configuration, one message after the other, nothing trimmed. */
async function bareSandbox() {
  const { Blockchain, internal } = await import('@ton/sandbox')
  const { Address } = await import('@ton/core')
  const blockchain = await Blockchain.create({ config: 'slim' })
  const from = new Address(0, Buffer.alloc(32, 1))
  return {
    async fund(addresses: readonly string[]) {
      for (const address of addresses) {
        const to = Address.parse(address)
        await blockchain.sendMessage(internal({ from, to, value: 10n ** 10n, bounce: false }))
      }
    },
    async run(bocs: readonly string[]) {
      for (const boc of bocs) await blockchain.sendMessage(Cell.fromBase64(boc))
    },
  }
}

await serve()
