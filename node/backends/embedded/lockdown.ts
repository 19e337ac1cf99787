/**
 * Takes sockets and name look-ups from the scripts of the engine process, before libraries load.
 *
 * The second fence: it holds on every system, but for JavaScript only; native code is held by the
 * network namespace where there is one (`confine.ts`). Node's permission model has no network
 * scope in this version, and refuses the way around this, `process.binding`. Imported for its
 * effect, first of all, by `child.ts`.
 * @module
 */
import dgram from 'node:dgram'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

const GLOBALS = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest']

function refused(): never {
  throw new Error('the engine has no network')
}

/** Replaces functions of `holder`; later assignments fail. */
function seal(holder: object, names: readonly string[]): void {
  for (const name of names) {
    if (!(name in holder)) continue
    Object.defineProperty(holder, name, { value: refused, writable: false, configurable: false })
  }
}

/** Every function of a module or prototype. */
function functionsOf(holder: object): string[] {
  return Object.getOwnPropertyNames(holder).filter((name) => {
    const { value } = Object.getOwnPropertyDescriptor(holder, name) ?? {}
    return typeof value === 'function' && name !== 'constructor'
  })
}

for (const name of GLOBALS) Reflect.deleteProperty(globalThis, name)
// Everything that speaks TCP, TLS, HTTP or local sockets ends in these two.
seal(net.Socket.prototype, ['connect'])
seal(net.Server.prototype, ['listen'])
seal(dgram.Socket.prototype, functionsOf(dgram.Socket.prototype))
seal(dgram, ['createSocket'])
for (const holder of [dns, dns.promises]) {
  seal(
    holder,
    functionsOf(holder).filter((name) => !/^[A-Z]/.test(name)),
  )
}
for (const { prototype } of [dns.Resolver, dns.promises.Resolver]) {
  seal(prototype, functionsOf(Object.getPrototypeOf(prototype)))
  seal(prototype, functionsOf(prototype))
}
syncBuiltinESMExports()
