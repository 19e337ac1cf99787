/**
 * What an engine process cannot do, tried by a process started with the engine's own command. Where
 * this machine refuses namespaces the test says so, and what remains is tried.
 * @module
 */
import { fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Confine,
  engineCommand,
  engineDataMib,
  namespacesAllowed,
} from '../../../node/backends/embedded/confine.ts'
import {
  type Confinement,
  describeConfinement,
  isWeak,
  readConfinement,
} from '../../../node/backends/embedded/confinement.ts'
import type { Attempt } from '../../support/confinedChild.ts'

const CHILD = new URL('../../support/confinedChild.ts', import.meta.url)
const LINUX = process.platform === 'linux'
const spaces = await namespacesAllowed()
console.log(`namespaces: ${spaces ? 'allowed' : 'refused here; only limits are tried'}`)

const folder = mkdtempSync(join(tmpdir(), 'chrysalis-confine-'))
const model = { modelPath: join(folder, 'model'), modelBytes: 1 }
const attempt: Attempt = {
  port: 0,
  socket: join(folder, 'socket'),
  writeTo: join(folder, 'written'),
  secret: join(folder, 'keys'),
}
let servers: { tcp: Server; local: Server }
let port = 0

beforeAll(async () => {
  writeFileSync(model.modelPath, 'm')
  servers = { tcp: createServer((s) => s.end()), local: createServer((s) => s.end()) }
  await new Promise<void>((resolve) => servers.tcp.listen(0, '127.0.0.1', resolve))
  await new Promise<void>((resolve) => servers.local.listen(attempt.socket, resolve))
  const address = servers.tcp.address()
  port = typeof address === 'object' && address ? address.port : 0
})
beforeEach(() => {
  rmSync(attempt.writeTo, { force: true })
  writeFileSync(attempt.secret, 's')
})
afterAll(() => {
  servers.tcp.close()
  servers.local.close()
  rmSync(folder, { recursive: true })
})

interface Tried {
  /** What the process said; nothing where the kernel killed it first. */
  readonly said?: Record<string, string>
  readonly how: string
  readonly confinement: Confinement
}

/** Runs the attempt under `confine`, with what the kernel says of the process meanwhile. */
async function run(confine: Confine, more: Partial<Attempt> = {}): Promise<Tried> {
  const { execPath, execArgv } = await engineCommand([], model, confine)
  const child = fork(CHILD, [], {
    ...{ env: { HOME: '/' }, execPath, execArgv: [...execArgv] },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const said = new Promise<Record<string, string> | undefined>((resolve) => {
    child.once('message', (message) => resolve(message as Record<string, string>))
    child.once('exit', () => resolve(undefined))
  })
  const how = new Promise<string>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`)),
  )
  // Its script is running when it has its own name: only then is it past every `exec`.
  await expect
    .poll(() => readConfinement(child.pid ?? 0).then(describeConfinement), { timeout: 20_000 })
    .toBe(expected(confine))
  const confinement = await readConfinement(child.pid ?? 0)
  child.send({ ...attempt, port, ...more })
  return { said: await said, how: await how, confinement }
}

/** The line that `provider start` prints. */
function expected(confine: Confine): string {
  const network = spaces && (confine === 'all' || confine === 'network')
  const readOnly = spaces && confine === 'all'
  const limits = confine !== 'none'
  return describeConfinement({
    network: network ? 'namespace' : 'javascript',
    writes: readOnly ? 'readOnly' : limits && LINUX ? 'noBytes' : 'javascript',
    memoryMib: limits && LINUX ? engineDataMib(1) : undefined,
    noCore: limits && LINUX,
  })
}

describe('without confinement (the control)', { timeout: 60_000 }, () => {
  it('the same process reaches, writes, reads and removes everything', async () => {
    const { said, confinement } = await run('none', { allocateMib: 64 })
    expect(said).toMatchObject({ tcp: 'reached', local: 'reached', allocate: 'done' })
    expect(said).toMatchObject({ create: 'done', write: 'done', remove: 'done' })
    expect(statSync(attempt.writeTo).size).toBe(1)
    expect(isWeak(confinement)).toBe(true)
    expect(describeConfinement(confinement)).toContain('NOT')
  })
})

describe.skipIf(!LINUX)('limits', { timeout: 60_000 }, () => {
  it('no byte is written to any file', async () => {
    const { said, how } = await run('limits')
    expect([said?.write ?? how]).toEqual([expect.stringMatching(/^(?:EFBIG|SIGXFSZ)$/)])
    expect(statSync(attempt.writeTo).size).toBe(0)
  })

  it('memory is bounded', async () => {
    const { said, how } = await run('limits', { allocateMib: engineDataMib(1) + 256 })
    expect(said?.allocate ?? how).not.toBe('done')
  })
})

describe.skipIf(!spaces)('namespaces', { timeout: 60_000 }, () => {
  it('there is no network, not even loopback', async () => {
    const { said } = await run('network')
    if (said) expect(said).toMatchObject({ tcp: 'ENETUNREACH', outside: 'ENETUNREACH' })
    const { said: all } = await run('all')
    expect(all).toMatchObject({ tcp: 'ENETUNREACH', outside: 'ENETUNREACH' })
  })

  it('nothing is created, removed or read but the package; no socket is reached', async () => {
    const { said, confinement } = await run('all')
    expect(said).toMatchObject({ local: 'ENOENT', create: 'EROFS', remove: 'EROFS' })
    expect(said).toMatchObject({ read: 'ENOENT', package: 'done', folder: 'done' })
    expect(said?.environment).toMatch(/^HOME(?:,_|,SHLVL)*$/)
    expect(existsSync(attempt.secret)).toBe(true)
    expect(existsSync(attempt.writeTo)).toBe(false)
    expect(isWeak(confinement)).toBe(false)
  })

  it('neither a sysctl of the host nor another process is open to it', async () => {
    const { said: control } = await run('network')
    if (control) expect(control).toMatchObject({ process: 'done' })
    const { said } = await run('all')
    expect(said?.process).toBe('EROFS')
    expect(said?.sysctl).toMatch(process.getuid?.() === 0 ? /^EROFS$/ : /^E(?:ROFS|ACCES)$/)
  })

  it('what it does see is read-only', async () => {
    const inside = new URL('../../support/written-by-a-test', import.meta.url).pathname
    const { said } = await run('all', { writeTo: inside, secret: CHILD.pathname })
    expect(said).toMatchObject({ create: 'EROFS', write: 'EROFS', remove: 'EROFS', read: 'done' })
    expect(existsSync(inside)).toBe(false)
  })
})
