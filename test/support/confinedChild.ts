/**
 * A process that tries what an engine must not be able to do, and says how it went: forked by
 * `test/node/backends/confine.test.ts` under the command that starts engines.
 *
 * Without Node's permission model what its script may is what native code may.
 * @module
 */
import { closeSync, openSync, readdirSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { connect } from 'node:net'

/** What to try: a port and a local socket to reach, files to write and read. */
export interface Attempt {
  readonly port: number
  readonly socket: string
  readonly writeTo: string
  readonly secret: string
  /** Data to hold, in MiB. */
  readonly allocateMib?: number
}

process.once('message', (attempt: Attempt) => {
  void tryAll(attempt).then((outcome) => process.send?.(outcome, () => process.exit(0)))
})

async function tryAll(attempt: Attempt): Promise<Record<string, string>> {
  return {
    tcp: await reach({ port: attempt.port, host: '127.0.0.1' }),
    outside: await reach({ port: 53, host: '192.0.2.1' }),
    local: await reach({ path: attempt.socket }),
    create: outcome(() => closeSync(openSync(attempt.writeTo, 'w'))),
    // Opened and never written: what these hold is the host's.
    sysctl: outcome(() => closeSync(openSync('/proc/sys/kernel/core_pattern', 'r+'))),
    process: outcome(() => closeSync(openSync(`/proc/${process.ppid}/oom_score_adj`, 'r+'))),
    remove: outcome(() => unlinkSync(attempt.secret)),
    read: outcome(() => readFileSync(attempt.secret)),
    package: outcome(() => readFileSync(new URL(import.meta.url))),
    folder: outcome(() => readdirSync('/')),
    environment: Object.keys(process.env).sort().join(),
    allocate: attempt.allocateMib ? outcome(() => allocate(attempt.allocateMib ?? 0)) : 'not tried',
    write: outcome(() => writeSync(openSync(attempt.writeTo, 'w'), 'x')), // last: it may kill
  }
}

/** How a connection ended; nobody answers an address of RFC 5737, so what stays open is open. */
function reach(to: { port: number; host: string } | { path: string }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(to)
    socket.setTimeout(1_000)
    socket.once('connect', () => resolve('reached'))
    socket.once('timeout', () => resolve('on its way'))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
  })
}

function outcome(attempt: () => unknown): string {
  try {
    attempt()
    return 'done'
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code ?? (error as Error).message)
  }
}

/** Holds memory outside V8's heap, touched page by page. */
function allocate(mib: number): void {
  const held: Buffer[] = []
  for (let i = 0; i < mib; i += 16) held.push(Buffer.alloc(16 * 2 ** 20, 1))
}
