/**
 * Scripts of the engine process have no sockets and no name look-ups, on every system: each way out
 * that Node offers is tried in a process with the engine's flags, with and without the lock.
 * @module
 */
import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const LOCK = new URL('../../../node/backends/embedded/lockdown.ts', import.meta.url).href
let server: Server
let port = 0

beforeAll(async () => {
  server = createServer((socket) => socket.end('HTTP/1.0 204 none\r\n\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  port = typeof address === 'object' && address ? address.port : 0
})
afterAll(() => server.close())

/** Each way as an expression that settles: what it gives does not matter, that it works does. */
const WAYS: Readonly<Record<string, string>> = {
  fetch: `globalThis.fetch('http://127.0.0.1:' + port)`,
  websocket: `new WebSocket('ws://127.0.0.1:' + port)`,
  net: `met((await import('node:net')).connect(port, '127.0.0.1'), 'connect')`,
  socket: `met(new (await import('node:net')).Socket().connect(port, '127.0.0.1'), 'connect')`,
  tls: `met((await import('node:tls')).connect(port, '127.0.0.1'), 'connect', 'error')`,
  http: `met((await import('node:http')).get({ port, host: '127.0.0.1' }), 'response')`,
  http2: `met((await import('node:http2')).connect('http://127.0.0.1:' + port), 'connect')`,
  udp: `new Promise((r) => (e => e.createSocket('udp4').send('x', port, '127.0.0.1', r))(dgram))`,
  listen: `met((await import('node:net')).createServer().listen(0, '127.0.0.1'), 'listening')`,
  lookup: `(await import('node:dns')).promises.lookup('localhost')`,
  callback: `new Promise((r) => dns.lookup('localhost', r))`,
  resolver: `Promise.resolve(new dns.Resolver().resolve4('example.invalid', () => {}))`,
  named: `(await import('node:dns/promises')).lookup('localhost')`,
  binding: `Promise.resolve(process.binding('tcp_wrap'))`,
}

/** Which of the ways worked in a process with these flags. */
async function working(flags: readonly string[]): Promise<string[]> {
  const script = `
    import dgram from 'node:dgram'
    import dns from 'node:dns'
    const port = ${port}
    const met = (emitter, ...names) => new Promise((resolve, reject) => {
      emitter.on('error', names.includes('error') ? resolve : reject)
      for (const name of names) emitter.on(name, resolve)
    })
    const worked = []
    ${Object.entries(WAYS)
      .map(([name, way]) => `try { await ${way}; worked.push('${name}') } catch {}`)
      .join('\n')}
    process.stdout.write(JSON.stringify(worked), () => process.exit())`
  const args = [...flags, '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: {} })
  return JSON.parse(stdout)
}

describe('the lock', { timeout: 60_000 }, () => {
  it('leaves no way out', async () => {
    const flags = ['--permission', '--allow-addons', '--allow-fs-read=*', '--import', LOCK]
    expect(await working(flags)).toEqual([])
  })

  it('is what closes them: without it and the permission model all work', async () => {
    expect(await working([])).toEqual(Object.keys(WAYS))
  })
})
