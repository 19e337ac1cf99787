/**
 * A TCP forwarder that keeps every byte that passes, each direction of each connection by itself,
 * and a search for a secret in the encodings that a careless program might leave it in.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'

export interface Recorder {
  readonly port: number
  /** Everything that has passed, one buffer a direction of a connection. */
  recorded(): Buffer[]
  close(): void
}

/** Forwards a port of its own to `target` on loopback. */
export async function startRecorder(target: number): Promise<Recorder> {
  const directions: Buffer[][] = []
  const sockets = new Set<Socket>()
  const pass = (from: Socket, to: Socket) => {
    const parts: Buffer[] = []
    directions.push(parts)
    sockets.add(from)
    from.on('data', (data: Buffer) => {
      parts.push(data)
      to.write(data)
    })
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
  }
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    pass(near, far)
    pass(far, near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    recorded: () => directions.map((parts) => Buffer.concat(parts)),
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** A text in every encoding that is searched for: name and bytes. */
export function encodingsOf(secret: string): [string, Buffer][] {
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].flatMap((shift): [string, Buffer][] => {
    // What stands before and after in the same text decides the outer characters: leave them out.
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
    const inner = text.slice(shift === 0 ? 0 : 4, -4)
    const url = inner.replaceAll('+', '-').replaceAll('/', '_')
    return [
      [`base64 at ${shift}`, Buffer.from(inner)],
      [`base64url at ${shift}`, Buffer.from(url)],
    ]
  })
  const escaped = JSON.stringify(secret).slice(1, -1)
  const ascii = escaped.replace(/[^ -~]/g, (each) => {
    return `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return [
    ['utf8', bytes],
    ['utf16le', Buffer.from(secret, 'utf16le')],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['HEX', Buffer.from(bytes.toString('hex').toUpperCase())],
    ['json', Buffer.from(escaped)],
    ['json in ascii', Buffer.from(ascii)],
    ['json in json', Buffer.from(JSON.stringify(escaped).slice(1, -1))],
    ['url', Buffer.from(encodeURIComponent(secret))],
    ...base64,
  ]
}

/** Names of the encodings in which a secret stands in some bytes. */
export function foundIn(content: Buffer, secret: string): string[] {
  return encodingsOf(secret).flatMap(([name, bytes]) => (content.includes(bytes) ? [name] : []))
}

/** Every file below a folder, with its content. */
export function filesIn(folder: string): [string, Buffer][] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, readFileSync(path)])
}
